import type { Rle } from "../kernels/index.ts";

/**
 * The pixels that exactly one mask covers: what `getMask(ref)["mask"] == 1` leaves of a truth whose polygons overlap.
 * Masks are of height × width; a run of the result may be empty, which no reader of run lengths minds.
 */
export function pixelsCoveredOnce(rles: readonly Rle[], height: number, width: number): Rle {
  const [only] = rles;
  if (only !== undefined && rles.length === 1) return only;
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { counts } of rles) {
    let position = 0;
    for (let i = 0; i + 1 < counts.length; i += 2) {
      position += counts[i] ?? 0;
      const end = position + (counts[i + 1] ?? 0);
      if (end > position) {
        starts.push(position);
        ends.push(end);
      }
      position = end;
    }
  }
  const opening = Uint32Array.from(starts).sort();
  const closing = Uint32Array.from(ends).sort();
  const counts: number[] = [];
  let written = 0;
  let level = 0;
  let isSet = false;
  for (let i = 0, j = 0; j < closing.length; ) {
    const position = Math.min(opening[i] ?? Number.POSITIVE_INFINITY, closing[j] ?? 0);
    while (opening[i] === position) {
      level++;
      i++;
    }
    while (closing[j] === position) {
      level--;
      j++;
    }
    if ((level === 1) === isSet) continue;
    counts.push(position - written);
    written = position;
    isSet = !isSet;
  }
  counts.push(height * width - written);
  return { height, width, counts: Uint32Array.from(counts) };
}
