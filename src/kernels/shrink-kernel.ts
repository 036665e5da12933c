import type { FilterTaps } from "./filter-kernel.ts";
import { triangleTaps } from "./resample.ts";
import { get, i32, repeat, sequence, set, v128, type WasmFunction } from "./wasm-code.ts";
import { kernelMaker, type WasmKernel } from "./wasm-kernel.ts";

/** The sizes of an RGB image and of what it is shrunk to, in pixels; neither side of the target is larger. */
export interface ShrinkSizes {
  readonly width: number;
  readonly height: number;
  readonly targetWidth: number;
  readonly targetHeight: number;
}

/**
 * Memory to decode an image into, and the triangle filter that shrinks it from there: what `resizeTriangle` computes, but
 * down first, so that only the target's rows are filtered across, and rounded to a byte once. Within a level of
 * `resizeTriangle`, in two thirds of its time, and nothing is copied but the result.
 */
export interface ShrinkFrame {
  /** Memory for width × height × 3 bytes, good until the next call. Throws a RangeError for sizes that enlarge. */
  open(sizes: ShrinkSizes): Uint8Array;
  /**
   * The image that was put there, shrunk: into `out` (of just its length), or new memory. `added`: what is added to R, G
   * and B before they are rounded, up to a few levels.
   */
  shrink(out?: Uint8Array, added?: readonly [number, number, number]): Uint8Array;
}

/** A frame of its own memory, which grows to the largest image it has held; made when first opened. */
export function openShrinkFrame(): ShrinkFrame {
  let kernel: WasmKernel<Functions> | undefined;
  let layout: Layout | undefined;
  return {
    open(sizes) {
      const { width, height, targetWidth, targetHeight } = sizes;
      const sides = [width, height, targetWidth, targetHeight];
      if (!sides.every((side) => Number.isInteger(side) && side >= 1) || targetWidth > width || targetHeight > height)
        throw new RangeError(`cannot shrink ${width} × ${height} to ${targetWidth} × ${targetHeight}`);
      const isNew = layout === undefined || !isSame(layout.sizes, sizes);
      if (layout === undefined || isNew) layout = layoutOf(sizes);
      const isSmall = kernel === undefined || kernel.bytes.length < layout.end;
      if (kernel === undefined || isSmall) kernel = kernelOf(layout.end);
      if (isNew || isSmall) kernel.words.set(layout.tables, layout.down >> 2);
      return kernel.bytes.subarray(layout.image, layout.image + width * height * 3);
    },
    shrink(out, added = [0, 0, 0]) {
      if (kernel === undefined || layout === undefined) throw new RangeError("expected an open frame");
      const level = 1 << (weightBits + rowBits);
      kernel.words.set(
        added.map((value) => Math.round((value + 0.5) * level)),
        layout.starts >> 2,
      );
      const result = shrunk(kernel, layout);
      if (out === undefined) return result.slice();
      if (out.length !== result.length) throw new RangeError(`expected ${result.length} bytes, got ${out.length}`);
      out.set(result);
      return out;
    },
  };
}

/** A view of the result in the frame. */
function shrunk({ bytes, filterDown, filterAcross }: WasmKernel<Functions>, layout: Layout): Uint8Array {
  const { sizes, starts, down, downSpan, downEnds, across, acrossSpan, row, target } = layout;
  const length = sizes.targetWidth * 3;
  const acrossEnd = across + sizes.targetWidth * (4 + acrossSpan);
  for (let y = 0; y < sizes.targetHeight; y++) {
    const taps = down + y * downSpan;
    filterDown(taps, taps + downEnds[y]!, row, row + sizes.width * 6);
    filterAcross(across, acrossEnd, acrossSpan, starts, target + y * length);
  }
  return bytes.subarray(target, target + length * sizes.targetHeight);
}

/** Addresses in bytes: the image, both tables of taps, a row filtered down (16 bits a number), the target. */
interface Layout {
  readonly sizes: ShrinkSizes;
  readonly image: number;
  /** What the sums of R, G and B across begin with: a half, and what is added. */
  readonly starts: number;
  /** For each target row `downSpan` bytes: pairs of source rows (two addresses, two weights), `downEnds` bytes of them. */
  readonly down: number;
  readonly downSpan: number;
  readonly downEnds: Int32Array;
  /** For each target column an address in the row and `acrossSpan` bytes of pairs of weights. */
  readonly across: number;
  readonly acrossSpan: number;
  readonly row: number;
  readonly target: number;
  readonly end: number;
  /** Both tables, one behind the other. */
  readonly tables: Int32Array;
}

function layoutOf(sizes: ShrinkSizes): Layout {
  // Vectors read and write up to 64 bytes beyond the last number.
  const room = (length: number): number => Math.ceil((length + 64) / 64) * 64;
  const { width, height, targetWidth, targetHeight } = sizes;
  const [vertical, horizontal] = [triangleTaps(height, targetHeight), triangleTaps(width, targetWidth)];
  const image = 0;
  const starts = image + room(width * height * 3);
  const down = starts + 64;
  const downSpan = Math.ceil(mostOf(vertical) / 2) * 12;
  const across = down + targetHeight * downSpan;
  const acrossSpan = Math.ceil(mostOf(horizontal) / 2) * 4;
  const row = down + room(targetHeight * downSpan + targetWidth * (4 + acrossSpan));
  // Columns at the right edge read as many pairs as the others; what lies behind the row has no weight.
  const target = row + room(width * 6 + acrossSpan * 3);
  const end = target + room(targetWidth * targetHeight * 3);
  const downEnds = vertical.count.map((count) => Math.ceil(count / 2) * 12);
  const tables = new Int32Array((row - down) >> 2);
  for (let y = 0; y < targetHeight; y++) {
    const [first, count] = [vertical.first[y]!, vertical.count[y]!];
    for (let k = 0, at = (y * downSpan) >> 2; k < count; k += 2, at += 3) {
      tables[at] = image + (first + k) * width * 3;
      tables[at + 1] = image + (first + Math.min(k + 1, count - 1)) * width * 3;
      tables[at + 2] = pairOf(vertical, y, k);
    }
  }
  for (let x = 0, at = (across - down) >> 2; x < targetWidth; x++) {
    tables[at++] = row + horizontal.first[x]! * 6;
    for (let pair = 0; pair < acrossSpan >> 2; pair++) tables[at++] = pairOf(horizontal, x, 2 * pair);
  }
  return { sizes, image, starts, down, downSpan, downEnds, across, acrossSpan, row, target, end, tables };
}

/** Bits of a weight here, of 22; of a number of a filtered row beyond its byte; both fit 16 signed bits. */
const [weightBits, rowBits] = [14, 7];

/** The weights of two taps from tap `k` on, 16 bits each; a tap that is not there has none. */
function pairOf({ coefficients, count, stride }: FilterTaps, position: number, k: number): number {
  const weight = (tap: number): number =>
    tap < count[position]! ? (coefficients[position * stride + tap]! + (1 << 7)) >> (22 - weightBits) : 0;
  return weight(k) | (weight(k + 1) << 16);
}

function mostOf({ count }: FilterTaps): number {
  return count.reduce((most, each) => Math.max(most, each), 1);
}

function isSame(a: ShrinkSizes, b: ShrinkSizes): boolean {
  return (
    a.width === b.width && a.height === b.height && a.targetWidth === b.targetWidth && a.targetHeight === b.targetHeight
  );
}

interface Functions {
  filterDown(taps: number, end: number, out: number, outEnd: number): void;
  filterAcross(taps: number, end: number, span: number, starts: number, out: number): void;
}

const kernelOf = kernelMaker<Functions>(() => [filterDown, filterAcross]);

const advance = (local: number, by: number) => set(local, i32.add(get(local), i32.constant(by)));
const splat = (value: number) => v128.splatI32(i32.constant(value));
const cut = (sum: ReturnType<typeof get>, bits: number) => v128.shiftRightI32(sum, i32.constant(bits));

/** filterDown(taps, end, out, outEnd): the weighted sum of rows of bytes as numbers of 16 bits, 16 a step. */
const filterDown: WasmFunction = (() => {
  const [taps, end, out, outEnd, tap, offset, upper, lower, above, below, weights] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  const sums = [11, 12, 13, 14];
  const bits = weightBits - rowBits;
  // Pairs of one number of each row; 16 and more are the lower row's bytes.
  const firstFour = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23];
  const lastFour = firstFour.map((lane) => lane + 8);
  const add = (sum: number, pairs: readonly number[]) =>
    set(sum, v128.addI32(get(sum), v128.dotI16(v128.shuffle(get(above), get(below), pairs), get(weights))));
  const eight = (bytes: number, first: number) =>
    sequence(
      set(above, v128.loadEightWide(get(upper), bytes)),
      set(below, v128.loadEightWide(get(lower), bytes)),
      add(sums[first] as number, firstFour),
      add(sums[first + 1] as number, lastFour),
    );
  const narrowed = (first: number) =>
    v128.narrowI32(cut(get(sums[first] as number), bits), cut(get(sums[first + 1] as number), bits));
  return {
    name: "filterDown",
    parameters: ["i32", "i32", "i32", "i32"],
    results: [],
    locals: ["i32", "i32", "i32", "i32", ...new Array<"v128">(7).fill("v128")],
    body: sequence(
      repeat(
        i32.less(get(out), get(outEnd)),
        ...sums.map((sum) => set(sum, splat(1 << (bits - 1)))),
        set(tap, get(taps)),
        repeat(
          i32.less(get(tap), get(end)),
          set(upper, i32.add(i32.load(get(tap)), get(offset))),
          set(lower, i32.add(i32.load(get(tap), 4), get(offset))),
          set(weights, v128.loadFourSplat(get(tap), 8)),
          eight(0, 0),
          eight(8, 2),
          advance(tap, 12),
        ),
        v128.store(get(out), narrowed(0)),
        v128.store(i32.add(get(out), i32.constant(16)), narrowed(2)),
        advance(out, 32),
        advance(offset, 16),
      ),
    ),
  };
})();

/** filterAcross(taps, end, span, starts, out): each target pixel's sum over its taps, `span` bytes of pairs, as three bytes. */
const filterAcross: WasmFunction = (() => {
  const [tap, end, span, starts, out, at, stop, sum, pixels, start] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  // Two pixels, R G B R G B, as pairs R R, G G, B B; what comes behind meets no store.
  const channels = [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, 12, 13, 14, 15];
  const bits = weightBits + rowBits;
  const bytes = (value: ReturnType<typeof get>) => v128.narrowI16Unsigned(v128.narrowI32(value, v128.zero), v128.zero);
  return {
    name: "filterAcross",
    parameters: ["i32", "i32", "i32", "i32", "i32"],
    results: [],
    locals: ["i32", "i32", "v128", "v128", "v128"],
    body: sequence(
      set(start, v128.load(get(starts))),
      repeat(
        i32.less(get(tap), get(end)),
        set(at, i32.load(get(tap))),
        advance(tap, 4),
        set(stop, i32.add(get(tap), get(span))),
        set(sum, get(start)),
        repeat(
          i32.less(get(tap), get(stop)),
          set(pixels, v128.load(get(at))),
          set(pixels, v128.shuffle(get(pixels), get(pixels), channels)),
          set(sum, v128.addI32(get(sum), v128.dotI16(get(pixels), v128.loadFourSplat(get(tap))))),
          advance(tap, 4),
          advance(at, 12),
        ),
        i32.store(get(out), v128.laneI32(bytes(cut(get(sum), bits)), 0)),
        advance(out, 3),
      ),
    ),
  };
})();
