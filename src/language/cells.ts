import { fail, quoteValue } from "../model/index.ts";
import type { HorizontalPlace, Place, PositionFinding, VerticalPlace } from "./finding.ts";
import { positionsOf } from "./positions.ts";

/**
 * The cells of a mosaic in which an expression stays true when its own image fills the cell: row-major indices,
 * ascending. Empty where no cell is known to keep it true: draw no mosaic then. A grid of one cell keeps everything, and
 * an axis with one cell keeps what is said about it.
 *
 * @param columns cells side by side, at least 1
 * @param rows cells above each other, at least 1
 * @throws NemosaicError "usage" for a count that is not a whole number of at least 1
 */
export function allowedCells(expression: string | PositionFinding, columns: number, rows: number): readonly number[] {
  checkCount("columns", columns);
  checkCount("rows", rows);
  const finding = typeof expression === "string" ? positionsOf(expression) : expression;
  const unknown = finding.reasons.some((reason) => reason !== "conflict");
  if (unknown && columns * rows > 1) return [];
  const cells: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const kept =
        isAt(finding, column, row, columns, rows) &&
        (!finding.corner || (isOuter(column, columns) && isOuter(row, rows))) &&
        !finding.denied.some((place) => isDenied(place, column, row, columns, rows));
      if (kept) cells.push(row * columns + column);
    }
  }
  return cells;
}

/**
 * True where the target is told by its number from a side, or from a start not told ("second cup from the left") and the grid has cells beside that
 * count: above or below it, or left or right of it for a count from the top or bottom. Like things in there are counted too,
 * and hard negatives show like things. The first and the last of a side are places, not counts.
 */
export function countIsOpen({ mentions }: PositionFinding, columns: number, rows: number): boolean {
  return mentions.some(
    ({ scope, negated, ordinal, axis }) =>
      scope === "absolute" &&
      !negated &&
      ordinal !== undefined &&
      Math.abs(ordinal) > 1 &&
      (axis === "vertical" ? columns > 1 : rows > 1),
  );
}

function checkCount(name: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    fail("usage", `expected ${name} of a mosaic as a whole number of at least 1, got ${quoteValue(count)}`);
  }
}

function isAt(place: Place, column: number, row: number, columns: number, rows: number): boolean {
  return isOnAxis(place.horizontal, column, columns) && isOnAxis(place.vertical, row, rows);
}

/** On an axis with one cell nothing moves, so a denied place stays denied by the image itself. */
function isDenied(place: Place, column: number, row: number, columns: number, rows: number): boolean {
  const moved = (place.horizontal !== undefined && columns > 1) || (place.vertical !== undefined && rows > 1);
  return moved && isAt(place, column, row, columns, rows);
}

function isOnAxis(place: HorizontalPlace | VerticalPlace | undefined, index: number, count: number): boolean {
  if (place === undefined || count === 1) return true;
  if (place === "left" || place === "top") return index === 0;
  if (place === "right" || place === "bottom") return index === count - 1;
  return place === "center" && count % 2 === 1 && index === (count - 1) / 2;
}

function isOuter(index: number, count: number): boolean {
  return index === 0 || index === count - 1;
}
