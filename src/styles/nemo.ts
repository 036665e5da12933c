import { allowedCells, comparesWithOthers, countIsOpen, expressionFeatures, positionsOf } from "../language/index.ts";
import { fail, type PixelRect } from "../model/index.ts";
import { gridCells, movedCells } from "./grid.ts";
import { gridShapes } from "./grid-shape.ts";
import { negativeLayer, targetLayer } from "./layers.ts";
import { type Mosaic, type Negatives, noMosaic, type Style, type StyleRequest } from "./style.ts";

/** NeMo's mosaic: a grid, each image whole in its cell, the expression's in one of them, or in none. */
export const nemo: Style = {
  name: "nemo",
  about: "each image is shrunk whole into a cell",
  mostNegatives: ({ grid }, makesNoTarget) => {
    const cells = Math.max(...gridShapes(grid).map(([columns, rows]) => columns * rows));
    return makesNoTarget ? cells : cells - 1;
  },
  isGrid: true,
  presets: {},
  make: nemoMosaic,
};

function nemoMosaic(request: StyleRequest): Mosaic {
  const { settings, leavesOut } = request;
  const shapes = gridShapes(settings.mosaic.grid);
  const [columns, rows] = shapes.length === 1 ? (shapes[0] ?? square) : request.random("grid").pick(shapes);
  const place = leavesOut ? undefined : targetPlace(request, columns, rows);
  if (place !== undefined && place.cell < 0) return noMosaic(request, "placement", { cells: [] });

  const count = columns * rows;
  const need = leavesOut ? count : count - 1;
  const negatives = negativesOfCells(request, columns, rows, place);
  if (negatives.images.length < need) return { kind: "single", why: negatives.why };

  const side = settings.legacy.canvas ? legacyCanvas(settings.size, columns, rows) : settings.size;
  let next = 0;
  const layers = cellsOf(request, side, columns, rows).map((cell, at) => {
    if (at === place?.cell) return targetLayer(request, cell);
    return negativeLayer(request, negatives.images[next++] ?? fail("internal", "fewer negatives than cells"), cell);
  });
  return {
    kind: negatives.kind,
    layers,
    why: place?.cells === undefined ? negatives.why : { ...negatives.why, cells: place.cells },
    ...(side === settings.size ? {} : { canvas: side }),
  };
}

/**
 * The images of the cells that the target leaves, in their order. Where words bind the target to some cells ("left mug"), whatever
 * comes to one of these is at the left, too, wherever it was in its own image: those cells get images without the kind. The others get
 * images that show it: there it is not what the words name.
 */
export function negativesOfCells(
  request: StyleRequest,
  columns: number,
  rows: number,
  place: TargetPlace | undefined,
): Negatives {
  const count = columns * rows;
  const others = Array.from({ length: count }, (_, cell) => cell).filter((cell) => cell !== place?.cell);
  const bound = place?.cells;
  // A target that is left out has no cell: its sentence must hold in none.
  const isBound =
    request.leavesOut &&
    request.settings.mosaic.placement !== "uniform" &&
    allowedCells(positionsOf(request.text), columns, rows).length < count;
  if (bound === undefined) return request.negatives(others.length, isBound ? { showsKind: false } : {});
  const apart = others.filter((cell) => !bound.includes(cell));
  const near = request.negatives(others.length - apart.length, { showsKind: false });
  if (near.images.length < others.length - apart.length || apart.length === 0) return near;
  const far = request.negatives(apart.length, {
    showsKind: true,
    accepts: (image) => !near.images.includes(image),
  });
  if (far.images.length < apart.length || near.images.length === 0) return far;
  const [nearImages, farImages] = [[...near.images], [...far.images]];
  const [nearReasons, farReasons] = [[...near.why.negatives], [...far.why.negatives]];
  const next = <T>(cell: number, nearOnes: T[], farOnes: T[]): T =>
    (apart.includes(cell) ? farOnes : nearOnes).shift() ?? fail("internal", "fewer negatives than cells");
  // Where a policy had to help with either, the plan says so.
  const { kind, why } = near.why.policy === undefined && far.why.policy !== undefined ? far : near;
  return {
    kind,
    images: others.map((cell) => next(cell, nearImages, farImages)),
    why: { ...why, negatives: others.map((cell) => next(cell, nearReasons, farReasons)) },
  };
}

/** The target's cell, -1 where none keeps the expression true; `cells` where placement leaves not all of them. */
export interface TargetPlace {
  readonly cell: number;
  readonly cells?: readonly number[];
}

/**
 * Draws the target's cell. Where positions are minded, a no-target expression that binds cells gets none: moved into
 * those cells, its image could make it true. Nor does one that counts from a side, where the negatives' things would be counted
 * too. "position-free" gives none to any expression that binds cells.
 */
export function targetPlace(request: StyleRequest, columns: number, rows: number): TargetPlace {
  const { facts, settings, ref } = request;
  const count = columns * rows;
  const random = request.random("placement");
  if (request.isFalse && needsMore(request.text)) return { cell: -1, cells: [] };
  if (settings.mosaic.placement === "uniform") return { cell: random.below(count) };
  const finding = positionsOf(request.text);
  const cells = allowedCells(finding, columns, rows);
  if (cells.length === count) return { cell: random.below(count) };
  const isNoTarget = request.isFalse || facts.ref(ref).masks.length === 0;
  const keepsNone = isNoTarget || settings.mosaic.placement === "position-free" || countIsOpen(finding, columns, rows);
  if (cells.length === 0 || keepsNone) return { cell: -1, cells: [] };
  return { cell: random.pick(cells), cells };
}

/**
 * True for what the things of other cells could make true: "bigger dog" where there is one dog, "dog left of the car" where there is no
 * car.
 */
function needsMore(text: string): boolean {
  return comparesWithOthers(text) || expressionFeatures(text).hasRelation;
}

const square = [2, 2] as const;

function cellsOf(request: StyleRequest, side: number, columns: number, rows: number): PixelRect[] {
  const { crossPoint, minCell } = request.settings.mosaic;
  if (crossPoint === 0) return gridCells(side, columns, rows);
  return movedCells(side, columns, rows, crossPoint, minCell, request.random("lines"));
}

/** The largest side up to S that columns and rows divide: what the released loader paints before it scales up. */
function legacyCanvas(size: number, columns: number, rows: number): number {
  const divides = (side: number): boolean => side % columns === 0 && side % rows === 0;
  let side = size;
  while (!divides(side)) side--;
  return side;
}
