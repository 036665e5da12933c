import type { PixelRect } from "../model/index.ts";

/**
 * The cells of a `columns`×`rows` grid that tile `size`×`size` exactly, row-major; a remainder is shared out over the
 * first columns and rows (416 in three: 139 + 139 + 138).
 */
export function gridCells(size: number, columns: number, rows: number): PixelRect[] {
  const xs = shares(size, columns);
  const ys = shares(size, rows);
  return ys.flatMap(([y, height]) => xs.map(([x, width]): PixelRect => [x, y, width, height]));
}

function shares(size: number, parts: number): [start: number, length: number][] {
  const base = Math.floor(size / parts);
  const remainder = size - base * parts;
  return Array.from({ length: parts }, (_, at) => [
    at * base + Math.min(at, remainder),
    base + (at < remainder ? 1 : 0),
  ]);
}
