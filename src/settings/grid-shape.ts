import type { Settings } from "./schema.ts";

/** The grids that `mosaic.grid` may draw, each with equal chance: [columns, rows]. */
export function gridShapes(grid: string): readonly (readonly [columns: number, rows: number])[] {
  if (grid === "mixed") return mixed;
  const [columns = "2", rows = "2"] = grid.split("x");
  return [[Number(columns), Number(rows)]];
}

/** The most negatives that one mosaic of these settings asks for. */
export function mostNegatives({ mosaic, gres }: Pick<Settings, "mosaic"> & { gres: { makeNoTarget: number } }): number {
  if (mosaic.style === "yolov4") return 3;
  if (mosaic.style !== "nemo") return 1;
  const cells = Math.max(...gridShapes(mosaic.grid).map(([columns, rows]) => columns * rows));
  return gres.makeNoTarget > 0 ? cells : cells - 1;
}

const mixed = [
  [2, 2],
  [3, 3],
] as const;
