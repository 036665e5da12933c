import { openLinear } from "./compiled/linear.ts";
import type { ByteRows } from "./pixels.ts";
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
 * `across` counts pixels, `down` rows, both from the part's start.
 */
export function resizeLinearRgb(
  part: ByteRows,
  across: LinearTaps,
  down: LinearTaps,
  target: { readonly data: Uint8Array; readonly stride: number; readonly offset: number },
): void {
  const width = across.first.length;
  const length = width * 3;
  const layout = layoutOf(width, part.length);
  const { bytes, ints, stretch, blend } = kernelOf(layout.end);
  for (let x = 0; x < width; x++) {
    const at = layout.taps / 4 + x * 3;
    ints[at] = layout.source + 3 * across.first[x]!;
    ints[at + 1] = layout.source + 3 * across.second[x]!;
    ints[at + 2] = across.weights[2 * x]! | (across.weights[2 * x + 1]! << 16);
  }
  const row = bytes.subarray(layout.target, layout.target + length);
  // The two source rows in use; consecutive target rows often share one or both.
  const stretched = [-1, -1];
  const placeOf = (wanted: number, spared: number): number => {
    const known = stretched.indexOf(wanted);
    if (known >= 0) return known;
    const place = stretched[0] === spared ? 1 : 0;
    const from = part.start + wanted * part.stride;
    bytes.set(part.data.subarray(from, from + part.length), layout.source);
    stretch(layout.taps, layout.taps + width * 12, layout.rows[place]!);
    stretched[place] = wanted;
    return place;
  };
  for (let y = 0; y < down.first.length; y++) {
    const [first, second] = [down.first[y]!, down.second[y]!];
    const upper = layout.rows[placeOf(first, second)]!;
    const lower = layout.rows[placeOf(second, first)]!;
    const [above, below] = [down.weights[2 * y]!, down.weights[2 * y + 1]!];
    blend(upper, lower, above, below, layout.target, layout.target + length);
    target.data.set(row, target.offset + y * target.stride);
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

const kernelOf = sharedKernel(openLinear);
