import { wasm } from "../kernels/index.ts";

const { engine, branchIf, call, f32, get, i32, loop, otherwise, repeat, sequence, set, v128, wasmModule, when } = wasm;
type Code = wasm.Code;
type WasmFunction = wasm.WasmFunction;

/**
 * The inner loops of selection in WebAssembly, 16 scores a step. A list in memory is
 *
 *   0 length (int32) · 4 threshold (float32) · 16 scores (float32 × capacity) · ids (int32 × capacity)
 *
 * and holds every candidate that may still be among the `depth` best, in the order offered; the threshold is a score
 * that `depth` entries reach, so that later candidates must exceed it.
 */
export interface SelectionKernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Offers `count` scores at byte `scores`, with ids from `firstId` on, to the list at byte `list`. */
  offer(list: number, capacity: number, depth: number, scores: number, count: number, firstId: number): void;
  /** Cuts a list to `depth` entries and a few more (at most a sixteenth of the depth); ties keep the earlier ones. */
  cut(list: number, capacity: number, depth: number): void;
  /** a = (a + b) / 2 over `count` numbers (a multiple of 4) at bytes `a` and `b`. */
  mean(a: number, b: number, count: number): void;
}

export const listHeaderBytes = 16;
export const pageBytes = 65_536;
const smallestNegativeBits = 0x8000_0001 | 0;
const largest = 3.4028234663852886e38;

/** The room that a list needs: twice the depth, so that cutting is rare, and never less than one step beyond it. */
export function listCapacity(depth: number): number {
  return Math.ceil((Math.max(depth * 2, depth + 64) + 32) / 16) * 16;
}

/** Instantiates the kernel over a fresh memory of at least `bytes`. Throws a RangeError where there is no such memory. */
export function createSelectionKernel(bytes: number): SelectionKernel {
  const memory = new engine.Memory({ initial: Math.ceil(bytes / pageBytes) });
  compiled ??= new engine.Module(wasmModule([countReaching, search, cut, offer, mean]));
  const { exports } = new engine.Instance(compiled, { env: { memory } });
  const functions = exports as unknown as Pick<SelectionKernel, "offer" | "cut" | "mean">;
  return { memory, offer: functions.offer, cut: functions.cut, mean: functions.mean };
}

let compiled: object | undefined;

/** count(address, end, bound): how many of the scores, four by four, are at least `bound`. */
export const countReaching: WasmFunction = (() => {
  const [at, end, bound, sum, wanted] = [0, 1, 2, 3, 4];
  return {
    name: "count",
    parameters: ["i32", "i32", "f32"],
    results: ["i32"],
    locals: ["v128", "v128"],
    body: sequence(
      set(wanted, v128.splatF32(get(bound))),
      repeat(
        i32.less(get(at), get(end)),
        set(sum, v128.subtractI32(get(sum), v128.notLessF32(v128.load(get(at)), get(wanted)))),
        set(at, i32.add(get(at), i32.constant(16))),
      ),
      lanes(get(sum)),
    ),
  };
})();

/**
 * search(address, end, depth, most, low, high): a score that at least `depth` of the scores reach and at most `most` do;
 * where ties forbid that, the largest that at least `depth` reach. `low` must be reached by `depth`, `high` be the largest.
 */
export const search: WasmFunction = (() => {
  const [address, end, depth, most, low, high, count, middle] = [0, 1, 2, 3, 4, 5, 6, 7];
  const tooFewReach = (bound: number): Code => i32.less(call(0, get(address), get(end), get(bound)), get(depth));
  const halve = set(
    middle,
    f32.add(f32.multiply(get(low), f32.constant(0.5)), f32.multiply(get(high), f32.constant(0.5))),
  );
  return {
    name: "search",
    parameters: ["i32", "i32", "i32", "i32", "f32", "f32"],
    results: ["f32"],
    locals: ["i32", "f32"],
    body: sequence(
      // Bisection needs an upper end that fewer reach, and a finite one.
      when(i32.isZero(tooFewReach(high)), set(low, get(high))),
      set(high, f32.minimum(get(high), f32.constant(largest))),
      when(i32.and(f32.less(get(low), get(high)), i32.isZero(tooFewReach(high))), set(low, get(high))),
      halve,
      repeat(
        i32.and(f32.greater(get(middle), get(low)), f32.less(get(middle), get(high))),
        set(count, call(0, get(address), get(end), get(middle))),
        when(
          i32.less(get(count), get(depth)),
          set(high, get(middle)),
          otherwise,
          set(low, get(middle)),
          // Few enough: end the search.
          when(i32.isZero(i32.greater(get(count), get(most))), set(high, get(low))),
        ),
        halve,
      ),
      get(low),
    ),
  };
})();

/** Sets the vectors `lowest` and `highest` to the extremes of the scores from `address` to `end`, four by four. */
export function extremes(address: number, end: number, at: number, lowest: number, highest: number): Code {
  return sequence(
    set(lowest, v128.load(get(address))),
    set(highest, get(lowest)),
    set(at, i32.add(get(address), i32.constant(16))),
    repeat(
      i32.less(get(at), get(end)),
      set(lowest, v128.minimumF32(get(lowest), v128.load(get(at)))),
      set(highest, v128.maximumF32(get(highest), v128.load(get(at)))),
      set(at, i32.add(get(at), i32.constant(16))),
    ),
  );
}

/**
 * Sets `found` to a score that `depth` of the `length` scores from `scores` on reach, as `search` finds it, and `end` to the end of
 * their last step of four, which is left filled with -∞.
 */
export function searched(
  locals: Record<"scores" | "end" | "at" | "depth" | "found" | "lowest" | "highest", number>,
  length: Code,
): Code {
  const { scores, end, at, depth, found, lowest, highest } = locals;
  const endOf = (count: Code): Code => i32.add(get(scores), i32.shiftLeft(count, i32.constant(2)));
  const pad = (value: Code): Code =>
    sequence(
      set(at, endOf(length)),
      repeat(i32.less(get(at), get(end)), f32.store(get(at), value), set(at, i32.add(get(at), i32.constant(4)))),
    );
  return sequence(
    set(end, endOf(i32.and(i32.add(length, i32.constant(3)), i32.constant(-4)))),
    pad(f32.load(get(scores))),
    extremes(scores, end, at, lowest, highest),
    pad(f32.constant(Number.NEGATIVE_INFINITY)), // which no bound counts
    set(
      found,
      call(
        1,
        get(scores),
        get(end),
        get(depth),
        mostOf(depth),
        fold(f32.minimum, get(lowest)),
        fold(f32.maximum, get(highest)),
      ),
    ),
  );
}

/** Keeps what is above the score that `search` finds, and of its ties the first, until there are `depth`. */
export const cut: WasmFunction = (() => {
  const [list, capacity, depth] = [0, 1, 2];
  const [scores, ids, end, at, to, length, kept, ties] = [3, 4, 5, 6, 7, 8, 9, 10];
  const [low, score] = [11, 12];
  const [lowest, highest] = [13, 14];
  return {
    name: "cut",
    parameters: ["i32", "i32", "i32"],
    results: [],
    locals: [...new Array<"i32">(8).fill("i32"), "f32", "f32", "v128", "v128"],
    body: sequence(
      set(length, i32.load(get(list))),
      set(scores, i32.add(get(list), i32.constant(listHeaderBytes))),
      set(ids, i32.add(get(scores), i32.shiftLeft(get(capacity), i32.constant(2)))),
      when(
        i32.greater(get(length), get(depth)),
        searched({ scores, end, at, depth, found: low, lowest, highest }, get(length)),
        // What lies above stays; so do the first ties, up to the depth.
        set(ties, get(depth)),
        set(at, get(scores)),
        set(end, i32.add(get(scores), i32.shiftLeft(get(length), i32.constant(2)))),
        repeat(
          i32.less(get(at), get(end)),
          set(ties, i32.subtract(get(ties), f32.greater(f32.load(get(at)), get(low)))),
          set(at, i32.add(get(at), i32.constant(4))),
        ),
        set(at, get(scores)),
        set(to, get(scores)),
        repeat(
          i32.less(get(at), get(end)),
          set(score, f32.load(get(at))),
          set(kept, i32.and(f32.equal(get(score), get(low)), i32.greaterSigned(get(ties), i32.constant(0)))),
          set(ties, i32.subtract(get(ties), f32.equal(get(score), get(low)))),
          set(kept, i32.or(get(kept), f32.greater(get(score), get(low)))),
          f32.store(get(to), get(score)),
          i32.store(parallel(get(to), get(scores), get(ids)), i32.load(parallel(get(at), get(scores), get(ids)))),
          set(to, i32.add(get(to), i32.shiftLeft(get(kept), i32.constant(2)))),
          set(at, i32.add(get(at), i32.constant(4))),
        ),
        i32.store(get(list), i32.shiftRight(i32.subtract(get(to), get(scores)), i32.constant(2))),
        f32.store(get(list), get(low), 4),
      ),
    ),
  };
})();

/** The locals of a function that appends to a list. */
export interface AppendLocals {
  readonly list: number;
  readonly capacity: number;
  /** Where the scores are, how many, and the id of the first. */
  readonly at: number;
  readonly count: number;
  readonly id: number;
  readonly end: number;
  readonly stop: number;
  readonly length: number;
  readonly bits: number;
  readonly lane: number;
  readonly to: number;
  readonly threshold: number;
  /** Vectors: the threshold four times, and four comparisons. */
  readonly bound: number;
  readonly four: readonly [number, number, number, number];
}

/** Takes length and threshold from the list. */
export function refreshed({ list, length, threshold, bound }: AppendLocals): Code {
  return sequence(
    set(length, i32.load(get(list))),
    set(threshold, f32.load(get(list), 4)),
    set(bound, v128.splatF32(get(threshold))),
  );
}

/** Whether another step might not fit. */
export function isFull({ length, capacity }: Pick<AppendLocals, "length" | "capacity">, step = 16): Code {
  return i32.greaterSigned(get(length), i32.subtract(get(capacity), i32.constant(step)));
}

/** Appends what exceeds the threshold, 16 scores a step; `whereFull` sees that another step fits. */
export function appendAbove(locals: AppendLocals, whereFull: Code): Code {
  const { list, capacity, at, count, id, end, stop, length, bits, lane, to, threshold, bound, four } = locals;
  const append = (score: Code, newId: Code): Code =>
    sequence(
      set(to, i32.add(i32.add(get(list), i32.constant(listHeaderBytes)), i32.shiftLeft(get(length), i32.constant(2)))),
      f32.store(get(to), score),
      i32.store(i32.add(get(to), i32.shiftLeft(get(capacity), i32.constant(2))), newId),
      set(length, i32.add(get(length), i32.constant(1))),
    );
  const [a, b, c, d] = four;
  return sequence(
    set(end, i32.add(get(at), i32.shiftLeft(get(count), i32.constant(2)))),
    set(stop, i32.add(get(at), i32.shiftLeft(i32.and(get(count), i32.constant(-16)), i32.constant(2)))),
    repeat(
      i32.less(get(at), get(stop)),
      ...four.map((vector, which) => set(vector, v128.greaterF32(v128.load(get(at), which * 16), get(bound)))),
      when(
        v128.anyTrue(v128.or(v128.or(get(a), get(b)), v128.or(get(c), get(d)))),
        set(bits, v128.signs(get(a), get(b), get(c), get(d))),
        loop(
          set(lane, i32.trailingZeros(get(bits))),
          append(f32.load(i32.add(get(at), i32.shiftLeft(get(lane), i32.constant(2)))), i32.add(get(id), get(lane))),
          set(bits, i32.and(get(bits), i32.subtract(get(bits), i32.constant(1)))),
          branchIf(0, get(bits)),
        ),
        whereFull,
      ),
      set(at, i32.add(get(at), i32.constant(64))),
      set(id, i32.add(get(id), i32.constant(16))),
    ),
    repeat(
      i32.less(get(at), get(end)),
      when(f32.greater(f32.load(get(at)), get(threshold)), append(f32.load(get(at)), get(id))),
      set(at, i32.add(get(at), i32.constant(4))),
      set(id, i32.add(get(id), i32.constant(1))),
    ),
    whereFull,
    i32.store(get(list), get(length)),
  );
}

/**
 * Appends what exceeds the threshold; cuts the list where another step might not fit. An empty list first takes its
 * threshold from the scores themselves.
 */
export const offer: WasmFunction = (() => {
  const [list, capacity, depth, at, count, id] = [0, 1, 2, 3, 4, 5];
  const [end, stop, length, bits, lane, to] = [6, 7, 8, 9, 10, 11];
  const [threshold, bound, four] = [12, 13, [14, 15, 16, 17] as const];
  const [lowest, highest] = four;
  const locals = { list, capacity, at, count, id, end, stop, length, bits, lane, to, threshold, bound, four };
  const refresh = refreshed(locals);
  const cutWhereFull = when(
    isFull(locals),
    i32.store(get(list), get(length)),
    call(2, get(list), get(capacity), get(depth)),
    refresh,
  );
  const firstThreshold = sequence(
    set(stop, i32.add(get(at), i32.shiftLeft(i32.and(get(count), i32.constant(-4)), i32.constant(2)))),
    extremes(at, stop, to, lowest, highest),
    set(threshold, fold(f32.minimum, get(lowest))),
    // Unless there is something that is not a number, or without bounds.
    when(
      f32.greater(get(threshold), f32.constant(Number.NEGATIVE_INFINITY)),
      set(
        threshold,
        call(1, get(at), get(stop), get(depth), mostOf(depth), get(threshold), fold(f32.maximum, get(highest))),
      ),
      // The next smaller float: what exceeds it reaches the score found.
      set(to, i32.bitsOf(get(threshold))),
      set(to, i32.subtract(get(to), f32.greater(get(threshold), f32.constant(0)))),
      set(to, i32.add(get(to), f32.less(get(threshold), f32.constant(0)))),
      i32.store(get(list), get(to), 4),
      when(f32.equal(get(threshold), f32.constant(0)), i32.store(get(list), i32.constant(smallestNegativeBits), 4)),
    ),
    refresh,
  );
  return {
    name: "offer",
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    results: [],
    locals: [...new Array<"i32">(6).fill("i32"), "f32", ...new Array<"v128">(5).fill("v128")],
    body: sequence(
      refresh,
      when(
        i32.and(i32.isZero(get(length)), i32.greater(get(count), i32.shiftLeft(get(depth), i32.constant(1)))),
        firstThreshold,
      ),
      appendAbove(locals, cutWhereFull),
    ),
  };
})();

const mean: WasmFunction = (() => {
  const [a, b, count, end] = [0, 1, 2, 3];
  return {
    name: "mean",
    parameters: ["i32", "i32", "i32"],
    results: [],
    locals: ["i32", "v128"],
    body: sequence(
      set(end, i32.add(get(a), i32.shiftLeft(get(count), i32.constant(2)))),
      set(4, v128.splatF32(f32.constant(0.5))),
      repeat(
        i32.less(get(a), get(end)),
        v128.store(get(a), v128.multiplyF32(v128.addF32(v128.load(get(a)), v128.load(get(b))), get(4))),
        set(a, i32.add(get(a), i32.constant(16))),
        set(b, i32.add(get(b), i32.constant(16))),
      ),
    ),
  };
})();

/** How many entries a cut may leave. */
export function mostOf(depth: number): Code {
  return i32.add(get(depth), i32.shiftRight(get(depth), i32.constant(4)));
}

function lanes(vector: Code): Code {
  const lane = (at: number): Code => v128.laneI32(vector, at);
  return i32.add(i32.add(lane(0), lane(1)), i32.add(lane(2), lane(3)));
}

export function fold(join: (a: Code, b: Code) => Code, vector: Code): Code {
  const lane = (at: number): Code => v128.laneF32(vector, at);
  return join(join(lane(0), lane(1)), join(lane(2), lane(3)));
}

/** The address in the ids that corresponds to one in the scores. */
function parallel(address: Code, scores: Code, ids: Code): Code {
  return i32.add(i32.subtract(address, scores), ids);
}
