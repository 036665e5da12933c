import { get, i32, repeat, sequence, set, v128, type WasmFunction } from "./wasm-code.ts";
import { sharedKernel } from "./wasm-kernel.ts";

/** Where each target position reads: two source positions and their weights, which add up to 2048. */
export interface LinearTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly weights: Int32Array;
}

/**
 * The bilinear resize of RGB images in WebAssembly, four numbers a step, equal to `resizeLinear`'s own loops: rows are
 * stretched across when first needed, and two of them blended for each target row. One row of the source is in its
 * memory at a time:
 *
 *   taps across (12 bytes a target pixel: two byte offsets, two weights of 16 bits) · two stretched rows (int32) ·
 *   target row · source row
 *
 * `part` is a rectangle of the source in bytes: where it starts, bytes from row to row, bytes a row. `across` counts
 * pixels, `down` rows, both from the part's start. Writes rows `outStride` bytes apart.
 */
export function resizeLinearRgb(
  src: Uint8Array,
  part: { readonly start: number; readonly stride: number; readonly length: number },
  across: LinearTaps,
  down: LinearTaps,
  out: Uint8Array,
  outStride: number,
  outOffset: number,
): void {
  const width = across.first.length;
  const length = width * 3;
  const layout = layoutOf(width, part.length);
  const { bytes, words, stretch, blend } = kernelOf(layout.end);
  for (let x = 0; x < width; x++) {
    const at = layout.taps / 4 + x * 3;
    words[at] = layout.source + 3 * (across.first[x] as number);
    words[at + 1] = layout.source + 3 * (across.second[x] as number);
    words[at + 2] = (across.weights[2 * x] as number) | ((across.weights[2 * x + 1] as number) << 16);
  }
  const row = bytes.subarray(layout.target, layout.target + length);
  // The two source rows in use; consecutive target rows often share one or both.
  const stretched = [-1, -1];
  const placeOf = (wanted: number, spared: number): number => {
    const known = stretched.indexOf(wanted);
    if (known >= 0) return known;
    const place = stretched[0] === spared ? 1 : 0;
    const from = part.start + wanted * part.stride;
    bytes.set(src.subarray(from, from + part.length), layout.source);
    stretch(layout.taps, layout.taps + width * 12, layout.rows[place] as number);
    stretched[place] = wanted;
    return place;
  };
  for (let y = 0; y < down.first.length; y++) {
    const [first, second] = [down.first[y] as number, down.second[y] as number];
    const upper = layout.rows[placeOf(first, second)] as number;
    const lower = layout.rows[placeOf(second, first)] as number;
    const [above, below] = [down.weights[2 * y] as number, down.weights[2 * y + 1] as number];
    blend(upper, lower, above, below, layout.target, layout.target + length);
    out.set(row, outOffset + y * outStride);
  }
}

/** Vectors read and write up to 64 bytes beyond the last number: every part ends with as many to spare. */
function layoutOf(width: number, sourceLength: number) {
  const room = (length: number): number => Math.ceil((length + 64) / 64) * 64;
  const taps = 0;
  const first = taps + room(width * 12);
  const second = first + room(width * 12);
  const target = second + room(width * 12);
  const source = target + room(width * 3);
  return { taps, rows: [first, second], target, source, end: source + room(sourceLength) };
}

interface Functions {
  stretch(taps: number, end: number, out: number): void;
  blend(upper: number, lower: number, above: number, below: number, out: number, end: number): void;
}

const kernelOf = sharedKernel<Functions>(() => [stretch, blend]);

/** stretch(taps, end, out): for each tap both pixels, weighted and added, cut by 4 bits as OpenCV does before it blends rows. */
const stretch: WasmFunction = (() => {
  const [tap, end, out] = [0, 1, 2];
  const zero = 4; // a byte behind the four that are loaded
  const pairs = [0, zero, 16, zero, 1, zero, 17, zero, 2, zero, 18, zero, zero, zero, zero, zero];
  const pixels = v128.shuffle(v128.loadFour(i32.load(get(tap))), v128.loadFour(i32.load(get(tap), 4)), pairs);
  const weights = v128.loadFourSplat(i32.add(get(tap), i32.constant(8)));
  return {
    name: "stretch",
    parameters: ["i32", "i32", "i32"],
    results: [],
    locals: [],
    body: sequence(
      repeat(
        i32.less(get(tap), get(end)),
        v128.store(get(out), v128.shiftRightI32(v128.dotI16(pixels, weights), i32.constant(4))),
        set(tap, i32.add(get(tap), i32.constant(12))),
        set(out, i32.add(get(out), i32.constant(12))),
      ),
    ),
  };
})();

/**
 * blend(upper, lower, above, below, out, end): (above · upper >> 16) + (below · lower >> 16), rounded by 2 bits, to bytes,
 * 16 a step.
 */
const blend: WasmFunction = (() => {
  const [upper, lower, above, below, out, end, weightAbove, weightBelow, two] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const half = (row: number, weight: number, offset: number) =>
    v128.shiftRightI32(v128.multiplyI32(v128.load(get(row), offset), get(weight)), i32.constant(16));
  const four = (offset: number) =>
    v128.shiftRightI32(
      v128.addI32(v128.addI32(half(upper, weightAbove, offset), half(lower, weightBelow, offset)), get(two)),
      i32.constant(2),
    );
  const advance = (local: number, by: number) => set(local, i32.add(get(local), i32.constant(by)));
  return {
    name: "blend",
    parameters: ["i32", "i32", "i32", "i32", "i32", "i32"],
    results: [],
    locals: ["v128", "v128", "v128"],
    body: sequence(
      set(weightAbove, v128.splatI32(get(above))),
      set(weightBelow, v128.splatI32(get(below))),
      set(two, v128.splatI32(i32.constant(2))),
      repeat(
        i32.less(get(out), get(end)),
        v128.store(
          get(out),
          v128.narrowI16Unsigned(v128.narrowI32(four(0), four(16)), v128.narrowI32(four(32), four(48))),
        ),
        advance(upper, 64),
        advance(lower, 64),
        advance(out, 16),
      ),
    ),
  };
})();
