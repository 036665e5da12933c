import { type Layer, NemosaicError, type Plan } from "../model/index.ts";
import type { PlanFacts } from "../plan/index.ts";
import type { Pool } from "../pool/index.ts";
import type { TileDemand } from "../tiles/index.ts";

/** What is asked of a loader here. */
interface Planner {
  readonly pool: Pool;
  readonly facts: PlanFacts;
  readonly length: number;
  /** Undefined for a sample that cannot be planned. */
  plan(epoch: number, index: number): Plan | undefined;
}

/** What the samples of a loader ask of tiles. */
export interface LoaderDemand {
  readonly demands: readonly TileDemand[];
  /** The share of cells that no tile can serve: parts of images, and sizes too rare to keep. */
  readonly cold: number;
}

/** Plans looked at: enough to see every size and which images are drawn most. */
const plansSeen = 20_000;
/** A size that serves a smaller share of the cells is left to the cold path, as with movable cross points. */
const leastShare = 1 / 64;

/**
 * The tiles that a loader's samples would use: sizes and images by looking at plans of its first epochs, so that whatever
 * the settings draw is seen. A size is wanted of every image that may come to it: candidates where negatives have it,
 * the split's own images where targets do. Images drawn more often come with more uses an epoch.
 */
export function tileDemand(loader: Planner): LoaderDemand {
  const counting = countDemand(loader);
  for (;;) {
    const { done, value } = counting.next();
    if (done === true) return value;
  }
}

/** As `tileDemand`, a plan a step, for those who have other things to do in between. */
export function* countDemand(loader: Planner, most = plansSeen): Generator<void, LoaderDemand> {
  const seen = new Map<string, Seen>();
  const plans = Math.min(most, loader.length * 4);
  const images = loader.pool.images.count;
  let cells = 0;
  for (let at = 0; at < plans; at++) {
    // Evenly over the epoch; another epoch where it is short.
    const index = Math.floor((at * loader.length) / plans + (at % 7)) % loader.length;
    for (const layer of loader.plan(Math.floor((at * 4) / plans), index)?.layers ?? []) {
      cells++;
      const row = loader.pool.imageRow(layer.image);
      if (isWhole(loader, row, layer)) count(seen, layer, row, images);
    }
    yield;
  }
  const wanted = [...seen.values()].filter(({ cells: served }) => served >= cells * leastShare);
  const served = wanted.reduce((sum, size) => sum + size.cells, 0);
  wanted.sort((a, b) => b.cells - a.cells || b.width - a.width || b.height - a.height);
  return {
    demands: wanted.map((size) => demandOf(loader, size, loader.length / Math.max(1, plans))),
    cold: cells === 0 ? 0 : 1 - served / cells,
  };
}

/** Plans that tell which sizes recur. */
const plansForSizes = 256;

/** Whether tiles of a size are worth keeping: with lines that move, each cell has a size of its own. Plans when first asked. */
export function sizesThatRecur(loader: Planner): (width: number, height: number) => boolean {
  let sizes: Set<string> | undefined;
  const find = (): Set<string> => {
    const counting = countDemand(withoutErrors(loader), plansForSizes);
    for (;;) {
      const { done, value } = counting.next();
      if (done === true) return new Set(value.demands.map(({ width, height }) => `${width}x${height}`));
    }
  };
  return (width, height) => {
    sizes ??= find();
    return sizes.has(`${width}x${height}`);
  };
}

/** What cannot be planned is told where it is drawn. */
function withoutErrors(loader: Planner): Planner {
  const { pool, facts, length } = loader;
  const plan: Planner["plan"] = (epoch, index) => {
    try {
      return loader.plan(epoch, index);
    } catch (error) {
      if (error instanceof NemosaicError) return undefined;
      throw error;
    }
  };
  return { pool, facts, length, plan };
}

interface Seen {
  readonly width: number;
  readonly height: number;
  readonly uses: Float64Array;
  cells: number;
  targets: boolean;
  negatives: boolean;
}

function count(seen: Map<string, Seen>, layer: Layer, row: number, images: number): void {
  const { destination, window } = layer;
  const [width, height] = window?.of ?? [destination[2], destination[3]];
  const key = `${width}x${height}`;
  const size = seen.get(key) ?? {
    width,
    height,
    uses: new Float64Array(images),
    cells: 0,
    targets: false,
    negatives: false,
  };
  seen.set(key, size);
  size.cells++;
  size.uses[row] = size.uses[row]! + 1;
  if (layer.role === "target") size.targets = true;
  else size.negatives = true;
}

function demandOf(loader: Planner, { width, height, uses, targets, negatives }: Seen, scale: number): TileDemand {
  const may = new Uint8Array(loader.pool.images.count);
  const { facts } = loader;
  if (negatives) for (const row of facts.candidateImages) may[row] = 1;
  if (targets) {
    for (const unit of facts.units) {
      may[facts.ref(facts.unit === "ref" ? unit : facts.refOfExpression(unit)).image] = 1;
    }
  }
  // An image that the plans looked at happened to leave out still comes, if rarely.
  const use = (row: number): number => (uses[row]! + 0.5) * scale;
  const rows = Int32Array.from(may.keys()).filter((row) => may[row] === 1 || uses[row]! > 0);
  rows.sort((a, b) => use(b) - use(a) || a - b);
  return { width, height, rows, uses: Float64Array.from(rows, use) };
}

function isWhole({ pool }: Planner, row: number, { source: [x, y, width, height], window }: Layer): boolean {
  if (window !== undefined) return true;
  return x === 0 && y === 0 && width === pool.images.width[row] && height === pool.images.height[row];
}
