import { rowBits, weightBits } from "./assembly/shrink-bits.ts";
import { openShrink, type ShrinkKernel } from "./compiled/shrink.ts";
import type { FilterTaps } from "./filter-kernel.ts";
import { triangleTaps } from "./resample.ts";
import type { WasmKernel } from "./wasm-kernel.ts";

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
  let kernel: WasmKernel<ShrinkKernel> | undefined;
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
      if (kernel === undefined || isSmall) kernel = openShrink(layout.end);
      if (isNew || isSmall) kernel.ints.set(layout.tables, layout.down >> 2);
      return kernel.bytes.subarray(layout.image, layout.image + width * height * 3);
    },
    shrink(out, added = [0, 0, 0]) {
      if (kernel === undefined || layout === undefined) throw new RangeError("expected an open frame");
      const level = 1 << (weightBits + rowBits);
      kernel.ints.set(
        added.map((value) => Math.round((value + 0.5) * level)),
        layout.starts >> 2,
      );
      const result = shrinkWith(kernel, layout);
      if (out === undefined) return result.slice();
      if (out.length !== result.length) throw new RangeError(`expected ${result.length} bytes, got ${out.length}`);
      out.set(result);
      return out;
    },
  };
}

/** A view of the result in the frame. */
function shrinkWith({ bytes, filterDown, filterAcross }: WasmKernel<ShrinkKernel>, layout: Layout): Uint8Array {
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
