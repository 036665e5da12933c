import { pixelsOf, type Rle } from "./rle.ts";

/**
 * The pixels that at least one mask covers; the empty mask for none. The result is canonical (no runs of length 0 but
 * a leading one). Throws a RangeError for a mask of another size.
 */
export function rleUnion(rles: readonly Rle[], height: number, width: number): Rle {
  return coveredBy(rles, 1, height, width);
}

/** The number of pixels set. */
export function rleArea(rle: Rle): number {
  let area = 0;
  for (let i = 1; i < rle.counts.length; i += 2) area += rle.counts[i]!;
  return area;
}

/**
 * The tight bounding box [x, y, width, height] in pixels, as pycocotools' toBbox; zeros for an empty mask. Runs of
 * length 0 are passed over (pycocotools lets them widen the box).
 */
export function rleBox(rle: Rle): [x: number, y: number, width: number, height: number] {
  const { height, width, counts } = rle;
  let left = width;
  let right = -1;
  let top = height;
  let bottom = -1;
  let position = 0;
  for (let i = 1; i < counts.length; i += 2) {
    position += counts[i - 1]!;
    const length = counts[i]!;
    if (length === 0) continue;
    const end = position + length - 1;
    const firstX = Math.floor(position / height);
    const lastX = Math.floor(end / height);
    if (firstX < lastX) {
      top = 0;
      bottom = height - 1;
    } else {
      top = Math.min(top, position - firstX * height);
      bottom = Math.max(bottom, end - lastX * height);
    }
    left = Math.min(left, firstX);
    right = Math.max(right, lastX);
    position = end + 1;
  }
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1];
}

/** The number of pixels that both masks cover. Throws a RangeError where their sizes differ. */
export function rleIntersectionArea(a: Rle, b: Rle): number {
  checkSize(b, a.height, a.width);
  const aCounts = a.counts;
  const bCounts = b.counts;
  let shared = 0;
  let aEnd = 0;
  let bEnd = 0;
  let position = 0;
  // An index is odd inside a run of ones.
  let i = -1;
  let j = -1;
  for (;;) {
    while (aEnd <= position && ++i < aCounts.length) aEnd += aCounts[i]!;
    while (bEnd <= position && ++j < bCounts.length) bEnd += bCounts[j]!;
    if (i >= aCounts.length || j >= bCounts.length) return shared;
    const end = Math.min(aEnd, bEnd);
    if (i & j & 1) shared += end - position;
    position = end;
  }
}

/**
 * The number of pixels that two masks or more cover: where a loader that sums polygons instead of uniting them makes
 * holes. Throws a RangeError where sizes differ.
 */
export function rleOverlapArea(rles: readonly Rle[]): number {
  const [first] = rles;
  return first === undefined ? 0 : rleArea(coveredBy(rles, 2, first.height, first.width));
}

/** The pixels that `depth` masks or more cover: a sweep over the sorted starts and ends of all runs of ones. */
function coveredBy(rles: readonly Rle[], depth: number, height: number, width: number): Rle {
  const pixels = pixelsOf(height, width);
  let runs = 0;
  for (const rle of rles) {
    checkSize(rle, height, width);
    runs += rle.counts.length >> 1;
  }
  const starts = new Uint32Array(runs);
  const ends = new Uint32Array(runs);
  let used = 0;
  for (const { counts } of rles) {
    let position = 0;
    for (let i = 1; i < counts.length; i += 2) {
      starts[used] = position += counts[i - 1]!;
      ends[used++] = position += counts[i]!;
    }
  }
  if (rles.length > 1) {
    starts.sort();
    ends.sort();
  }
  const counts = new Uint32Array(2 * runs + 1);
  let length = 0;
  let written = 0;
  let level = 0;
  let next = 0;
  for (let end = 0; end < runs; ) {
    // Starts before ends at one position, so that runs that touch stay one run.
    const opens = next < runs && starts[next]! <= ends[end]!;
    const position = opens ? starts[next++]! : ends[end++]!;
    level += opens ? 1 : -1;
    const begins = opens && level === depth;
    if (!begins && (opens || level !== depth - 1)) continue;
    if (!begins && length > 0 && position === written) {
      // The run just begun is empty: take it back.
      length--;
      written = position - counts[length]!;
    } else {
      counts[length++] = position - written;
      written = position;
    }
  }
  if (written < pixels || length === 0) counts[length++] = pixels - written;
  return { height, width, counts: counts.slice(0, length) };
}

function checkSize(rle: Rle, height: number, width: number): void {
  if (rle.height !== height || rle.width !== width) {
    throw new RangeError(
      `masks to combine must have one size: expected ${height} × ${width}, got ${rle.height} × ${rle.width}`,
    );
  }
}
