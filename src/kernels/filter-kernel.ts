import { openFilter } from "./compiled/filter.ts";
import type { ByteRows } from "./pixels.ts";
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
 * `across` counts pixels, `down` rows, both from the part's start.
 */
export function resampleRgb(
  part: ByteRows,
  across: FilterTaps,
  down: FilterTaps,
  target: { readonly data: Uint8Array; readonly stride: number; readonly offset: number },
): void {
  const width = across.first.length;
  const length = width * 3;
  const layout = layoutOf(width, mostTaps(across), mostTaps(down), part.length);
  const { bytes, ints, filterAcross, filterDown } = kernelOf(layout.end);
  const span = layout.pairs * 8;
  for (let x = 0; x < width; x++) {
    const at = (layout.across + x * (4 + span)) >> 2;
    ints[at] = layout.source + 3 * across.first[x]!;
    for (let pair = 0; pair < layout.pairs; pair++) writePair(across, x, 2 * pair, ints, at + 1 + 2 * pair);
  }
  const row = bytes.subarray(layout.target, layout.target + length);
  const placeOf = (y: number): number => layout.ring + (y % layout.ringRows) * layout.ringStride;
  let filtered = 0; // rows below this one have been filtered across, or are not needed
  for (let y = 0; y < down.first.length; y++) {
    const [first, count] = [down.first[y]!, down.count[y]!];
    for (filtered = Math.max(filtered, first); filtered < first + count; filtered++) {
      const from = part.start + filtered * part.stride;
      bytes.set(part.data.subarray(from, from + part.length), layout.source);
      filterAcross(layout.across, layout.across + width * (4 + span), span, placeOf(filtered));
    }
    let at = layout.down >> 2;
    for (let k = 0; k < count; k += 2, at += 4) {
      ints[at] = placeOf(first + k);
      ints[at + 1] = placeOf(first + Math.min(k + 1, count - 1));
      writePair(down, y, k, ints, at + 2);
    }
    filterDown(layout.down, at << 2, layout.target, layout.target + length);
    target.data.set(row, target.offset + y * target.stride);
  }
}

/** Bits of the lower part of a coefficient. */
const lowerBits = 15;

/** Two taps of a position from tap `k` on, lower parts and upper parts; a tap that it does not have is zero. */
function writePair(
  { coefficients, count, stride }: FilterTaps,
  position: number,
  k: number,
  ints: Int32Array,
  at: number,
) {
  const taps = count[position]!;
  const a = k < taps ? coefficients[position * stride + k]! : 0;
  const b = k + 1 < taps ? coefficients[position * stride + k + 1]! : 0;
  const mask = (1 << lowerBits) - 1;
  ints[at] = (a & mask) | ((b & mask) << 16);
  ints[at + 1] = ((a >> lowerBits) & 0xffff) | ((b >> lowerBits) << 16);
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

const kernelOf = sharedKernel(openFilter);
