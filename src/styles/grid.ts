import type { CounterRandom } from "../kernels/index.ts";
import type { PixelRect } from "../model/index.ts";

/**
 * The cells of a `columns`×`rows` grid that tile `size`×`size` exactly, row-major; a remainder is shared out over the
 * first columns and rows (416 in three: 139 + 139 + 138).
 */
export function gridCells(size: number, columns: number, rows: number): PixelRect[] {
  return cellsBetween(evenLines(size, columns), evenLines(size, rows));
}

/**
 * As `gridCells`, with the inner lines moved: `crossPoint` "free" = any tiling in whole pixels whose cells are at
 * least `minCell` of an even cell wide and high, all equally likely; a number r = likewise, of the tilings whose
 * lines are each within ±r of a cell around their even place.
 */
export function movedCells(
  size: number,
  columns: number,
  rows: number,
  crossPoint: number | "free",
  minCell: number,
  random: CounterRandom,
): PixelRect[] {
  const lines = (parts: number): number[] =>
    crossPoint === "free"
      ? freeLines(size, parts, minCell, random)
      : shiftedLines(size, parts, crossPoint, minCell, random);
  const xs = lines(columns);
  return cellsBetween(xs, lines(rows));
}

/** All lines from 0 to `size`. */
function evenLines(size: number, parts: number): number[] {
  const base = Math.floor(size / parts);
  const remainder = size - base * parts;
  return Array.from({ length: parts + 1 }, (_, at) => at * base + Math.min(at, remainder));
}

/** Stars and bars: every way to share the pixels beyond the least cells out is equally likely. */
function freeLines(size: number, parts: number, minCell: number, random: CounterRandom): number[] {
  const least = leastCell(size, parts, minCell);
  const spare = size - least * parts;
  const bars = random
    .sample(spare + parts - 1, parts - 1)
    .sort((a, b) => a - b)
    .map((bar, at) => bar - at);
  return [0, ...bars.map((bar, at) => bar + (at + 1) * least), size];
}

/**
 * Each inner line at most `r` of a cell from its even place, no cell below the least; of all such lines each is equally
 * likely, by counting from the last line back how many ways of placing the later ones are left.
 */
function shiftedLines(size: number, parts: number, r: number, minCell: number, random: CounterRandom): number[] {
  const even = evenLines(size, parts);
  const reach = Math.floor((r * size) / parts);
  const least = leastCell(size, parts, minCell);
  const span = 2 * reach + 1;
  /** ways[line][at]: how many ways to place the lines after `line`, which is at even[line] - reach + at. */
  const ways: Float64Array[] = [];
  for (let line = parts - 1; line > 0; line--) {
    const next = ways[line + 1];
    const known = new Float64Array(span);
    let sum = 0;
    for (let at = span - 1, nextAt = span - 1; at >= 0; at--) {
      const place = even[line]! - reach + at;
      if (next === undefined) {
        known[at] = size - place >= least ? 1 : 0;
        continue;
      }
      for (; nextAt >= 0 && even[line + 1]! - reach + nextAt >= place + least; nextAt--) sum += next[nextAt]!;
      known[at] = sum;
    }
    ways[line] = known;
  }
  const lines = [0];
  for (let line = 1; line < parts; line++) {
    const from = even[line]! - reach;
    const first = Math.max(0, lines[line - 1]! + least - from);
    // The even lines see to it that some way is left.
    lines.push(from + first + random.weighted(ways[line]!.subarray(first)));
  }
  return [...lines, size];
}

/** Whole pixels, at least 1, never above an even cell. */
function leastCell(size: number, parts: number, minCell: number): number {
  return Math.max(1, Math.min(Math.floor(size / parts), Math.ceil((minCell * size) / parts)));
}

function cellsBetween(xs: readonly number[], ys: readonly number[]): PixelRect[] {
  const spans = (lines: readonly number[]): [start: number, length: number][] =>
    lines.slice(1).map((end, at) => [lines[at]!, end - lines[at]!]);
  const across = spans(xs);
  return spans(ys).flatMap(([y, height]) => across.map(([x, width]): PixelRect => [x, y, width, height]));
}
