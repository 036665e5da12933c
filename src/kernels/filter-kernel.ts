import { get, i32, repeat, sequence, set, v128, type WasmFunction } from "./wasm-code.ts";
import { sharedKernel } from "./wasm-kernel.ts";

/** For each target position: the first source position read, how many, and their coefficients (22 bits), `stride` apart. */
export interface FilterTaps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly coefficients: Int32Array;
  readonly stride: number;
}

/**
 * The two passes of Pillow's resize of RGB images in WebAssembly, equal to the plain loops of `resample`: a row is
 * filtered across when a target row first needs it and kept as long as one does. Coefficients are split into their lower 15
 * bits and the rest, so that two products of 16 bits are added in one instruction; sums are exact modulo 2^32 either way.
 * The memory:
 *
 *   taps across: for each target pixel the address it reads from, then for every two taps a pair of lower and of upper parts
 *   taps down: for every two rows both addresses, a pair of lower and of upper parts
 *   target row · source row · a ring of rows filtered across
 *
 * `part` is a rectangle of the source in bytes: where it starts, bytes from row to row, bytes a row. `across` counts
 * pixels, `down` rows, both from the part's start. Writes rows `outStride` bytes apart.
 */
export function resampleRgb(
  src: Uint8Array,
  part: { readonly start: number; readonly stride: number; readonly length: number },
  across: FilterTaps,
  down: FilterTaps,
  out: Uint8Array,
  outStride: number,
  outOffset: number,
): void {
  const width = across.first.length;
  const length = width * 3;
  const layout = layoutOf(width, mostTaps(across), mostTaps(down), part.length);
  const { bytes, words, filterAcross, filterDown } = kernelOf(layout.end);
  const span = layout.pairs * 8;
  for (let x = 0; x < width; x++) {
    const at = (layout.across + x * (4 + span)) >> 2;
    words[at] = layout.source + 3 * (across.first[x] as number);
    for (let pair = 0; pair < layout.pairs; pair++) writePair(across, x, 2 * pair, words, at + 1 + 2 * pair);
  }
  const row = bytes.subarray(layout.target, layout.target + length);
  const placeOf = (y: number): number => layout.ring + (y % layout.ringRows) * layout.ringStride;
  let filtered = 0; // rows below this one have been filtered across, or are not needed
  for (let y = 0; y < down.first.length; y++) {
    const [first, count] = [down.first[y] as number, down.count[y] as number];
    for (filtered = Math.max(filtered, first); filtered < first + count; filtered++) {
      const from = part.start + filtered * part.stride;
      bytes.set(src.subarray(from, from + part.length), layout.source);
      filterAcross(layout.across, layout.across + width * (4 + span), span, placeOf(filtered));
    }
    let at = layout.down >> 2;
    for (let k = 0; k < count; k += 2, at += 4) {
      words[at] = placeOf(first + k);
      words[at + 1] = placeOf(first + Math.min(k + 1, count - 1));
      writePair(down, y, k, words, at + 2);
    }
    filterDown(layout.down, at << 2, layout.target, layout.target + length);
    out.set(row, outOffset + y * outStride);
  }
}

/** Bits of the lower part of a coefficient. */
const lowerBits = 15;

/** Two taps of a position from tap `k` on, lower parts and upper parts; a tap that it does not have is zero. */
function writePair(
  { coefficients, count, stride }: FilterTaps,
  position: number,
  k: number,
  words: Int32Array,
  at: number,
) {
  const taps = count[position] as number;
  const a = k < taps ? (coefficients[position * stride + k] as number) : 0;
  const b = k + 1 < taps ? (coefficients[position * stride + k + 1] as number) : 0;
  const mask = (1 << lowerBits) - 1;
  words[at] = (a & mask) | ((b & mask) << 16);
  words[at + 1] = ((a >> lowerBits) & 0xffff) | ((b >> lowerBits) << 16);
}

function mostTaps({ count }: FilterTaps): number {
  return count.reduce((most, each) => Math.max(most, each), 1);
}

/** Vectors read and write up to 64 bytes beyond the last number, and taps across that are zero read beyond the row. */
function layoutOf(width: number, tapsAcross: number, tapsDown: number, sourceLength: number) {
  const room = (length: number): number => Math.ceil((length + 64) / 64) * 64;
  const pairs = Math.ceil(tapsAcross / 2);
  const across = 0;
  const down = across + room(width * (4 + pairs * 8));
  const target = down + room(Math.ceil(tapsDown / 2) * 16);
  const source = target + room(width * 3);
  const ring = source + room(sourceLength + pairs * 6);
  const ringStride = room(width * 3);
  return {
    pairs,
    across,
    down,
    target,
    source,
    ring,
    ringRows: tapsDown,
    ringStride,
    end: ring + tapsDown * ringStride,
  };
}

interface Functions {
  filterAcross(taps: number, end: number, span: number, out: number): void;
  filterDown(taps: number, end: number, out: number, outEnd: number): void;
}

const kernelOf = sharedKernel<Functions>(() => [filterAcross, filterDown]);

const half = v128.splatI32(i32.constant(1 << 21));
const advance = (local: number, by: number) => set(local, i32.add(get(local), i32.constant(by)));
/** The sum of a lower and an upper part (the lower one began with a half), cut to whole numbers. */
const whole = (lower: number, upper: number) =>
  v128.shiftRightI32(v128.addI32(get(lower), v128.shiftLeftI32(get(upper), i32.constant(lowerBits))), i32.constant(22));

/** filterAcross(taps, end, span, out): for each target pixel the sum over its taps, `span` bytes of pairs, as three bytes. */
const filterAcross: WasmFunction = (() => {
  const [tap, end, span, out, at, stop, lower, upper, pixels] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const zero = 8; // a byte behind the eight that are loaded
  const channels = [0, zero, 3, zero, 1, zero, 4, zero, 2, zero, 5, zero, zero, zero, zero, zero];
  const narrowed = (value: ReturnType<typeof get>) => v128.narrowI16Unsigned(v128.narrowI32(value, value), v128.zero);
  return {
    name: "filterAcross",
    parameters: ["i32", "i32", "i32", "i32"],
    results: [],
    locals: ["i32", "i32", "v128", "v128", "v128"],
    body: sequence(
      repeat(
        i32.less(get(tap), get(end)),
        set(at, i32.load(get(tap))),
        advance(tap, 4),
        set(stop, i32.add(get(tap), get(span))),
        set(lower, half),
        set(upper, v128.zero),
        repeat(
          i32.less(get(tap), get(stop)),
          set(pixels, v128.loadEight(get(at))),
          set(pixels, v128.shuffle(get(pixels), get(pixels), channels)),
          set(lower, v128.addI32(get(lower), v128.dotI16(get(pixels), v128.loadFourSplat(get(tap))))),
          set(upper, v128.addI32(get(upper), v128.dotI16(get(pixels), v128.loadFourSplat(get(tap), 4)))),
          advance(tap, 8),
          advance(at, 6),
        ),
        set(pixels, whole(lower, upper)),
        i32.store(get(out), v128.laneI32(narrowed(get(pixels)), 0)),
        advance(out, 3),
      ),
    ),
  };
})();

/** filterDown(taps, end, out, outEnd): the weighted sum of rows, to bytes, 16 a step. */
const filterDown: WasmFunction = (() => {
  const [taps, end, out, outEnd, tap, offset, above, below, lowerPair, upperPair] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const sums = [10, 12, 14, 16].map((lower) => ({ lower, upper: lower + 1 }));
  // Pairs of one number of each row; 16 and more are the lower row's bytes.
  const firstFour = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
  const lastFour = firstFour.map((lane) => lane + 8);
  const add = (sum: number, pairs: readonly number[], weights: number) =>
    set(sum, v128.addI32(get(sum), v128.dotI16(v128.shuffle(get(above), get(below), pairs), get(weights))));
  const eight = (bytes: number, first: number) => {
    const [a, b] = [sums[first], sums[first + 1]] as [(typeof sums)[0], (typeof sums)[0]];
    const row = (at: number) => v128.loadEightWide(i32.add(i32.load(get(tap), at), get(offset)), bytes);
    return sequence(
      set(above, row(0)),
      set(below, row(4)),
      add(a.lower, firstFour, lowerPair),
      add(a.upper, firstFour, upperPair),
      add(b.lower, lastFour, lowerPair),
      add(b.upper, lastFour, upperPair),
    );
  };
  const [a, b, c, d] = sums.map(({ lower, upper }) => whole(lower, upper)) as [number[], number[], number[], number[]];
  return {
    name: "filterDown",
    parameters: ["i32", "i32", "i32", "i32"],
    results: [],
    locals: ["i32", "i32", ...new Array<"v128">(12).fill("v128")],
    body: sequence(
      repeat(
        i32.less(get(out), get(outEnd)),
        ...sums.map(({ lower, upper }) => sequence(set(lower, half), set(upper, v128.zero))),
        set(tap, get(taps)),
        repeat(
          i32.less(get(tap), get(end)),
          set(lowerPair, v128.loadFourSplat(get(tap), 8)),
          set(upperPair, v128.loadFourSplat(get(tap), 12)),
          eight(0, 0),
          eight(8, 2),
          advance(tap, 16),
        ),
        v128.store(get(out), v128.narrowI16Unsigned(v128.narrowI32(a, b), v128.narrowI32(c, d))),
        advance(out, 16),
        advance(offset, 16),
      ),
    ),
  };
})();
