/** The grids that `mosaic.grid` may draw, each with equal chance: [columns, rows]. */
export function gridShapes(grid: string): readonly (readonly [columns: number, rows: number])[] {
  if (grid === "mixed") return mixed;
  const [columns = "2", rows = "2"] = grid.split("x");
  return [[Number(columns), Number(rows)]];
}

const mixed = [
  [2, 2],
  [3, 3],
] as const;
