import { type Band, type BandContext, bandOf, type CandidateRow, survives } from "../band/index.ts";
import { CounterRandom } from "../kernels/index.ts";
import { fail, type Layer, type Plan, type PlanKind, type PlanReasons, resampleVersions } from "../model/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import { gridCells } from "./grid.ts";

/** What planning needs to know of a pool: random access by dense rows, no pixels. */
export interface PlanFacts {
  /** The pool's hash, and the hash of the resolved settings. */
  readonly pool: string;
  readonly settings: string;
  /** The samples of an epoch: rows of refs (unit "ref") or of expressions, of one split. */
  readonly units: Int32Array;
  readonly unit: "ref" | "expression";
  /** Image rows that negatives may come from. */
  readonly candidateImages: Int32Array;
  /** The half-open range of expression rows of a ref. */
  expressionsOfRef(ref: number): readonly [start: number, end: number];
  refOfExpression(expression: number): number;
  expression(row: number): { readonly key: string; readonly text: string };
  ref(row: number): { readonly image: number; readonly masks: readonly string[] };
  image(row: number): { readonly key: string; readonly width: number; readonly height: number };
  /** The mined candidates of an expression; undefined where the pool has none. */
  candidates(expression: number): CandidateRow | undefined;
  /** Image rows that a person judged to be false negatives of an expression. */
  judged(expression: number): ReadonlySet<number> | undefined;
}

/** Independent random streams of one sample: changing one option never disturbs the draws of another. */
const streams = { kind: 1, sentence: 2, grid: 3, negatives: 4, placement: 5 } as const;

/**
 * The plan of training sample `index` (0 ≤ index < facts.units.length) of `epoch` under `seed`: a pure function, the
 * same from any order of asking. Errors: "usage" for an index outside the epoch; "incomplete" where mined candidates
 * are needed and missing, or the policy is "error" and the band is too small.
 */
export function planSample(
  facts: PlanFacts,
  settings: ResolvedSettings,
  seed: number,
  epoch: number,
  index: number,
): Plan {
  const random = (stream: number): CounterRandom => new CounterRandom(seed, epoch, index, stream);
  const expression = expressionOfUnit(facts, index, () => random(streams.sentence));
  const kind = drawKind(settings, random(streams.kind));
  if (kind === "single") return single(facts, settings, seed, epoch, index, expression, noBand);

  const side = drawSide(settings, random(streams.grid));
  const need = side * side - 1;
  const chosen = drawNegatives(facts, settings, expression, kind, need, random(streams.negatives));
  if (chosen.images.length < need) return single(facts, settings, seed, epoch, index, expression, chosen.why);

  const own = facts.ref(facts.refOfExpression(expression));
  const cells = gridCells(settings.size, side, side);
  const targetCell = random(streams.placement).below(cells.length);
  let next = 0;
  const layers = cells.map((destination, cell): Layer => {
    const isTarget = cell === targetCell;
    const row = isTarget ? own.image : (chosen.images[next++] ?? fail("internal", "fewer negatives than cells"));
    return layerOf(facts, row, destination, isTarget ? own.masks : undefined);
  });
  return { ...header(facts, settings, seed, epoch, index, expression), kind: chosen.kind, layers, why: chosen.why };
}

/** The plan of a single image at full size for expression row `expression`: what validation and test splits give. */
export function planSingle(
  facts: PlanFacts,
  settings: ResolvedSettings,
  seed: number,
  epoch: number,
  index: number,
): Plan {
  const expression = expressionOfUnit(facts, index, () => new CounterRandom(seed, epoch, index, streams.sentence));
  return single(facts, settings, seed, epoch, index, expression, noBand);
}

const noBand: PlanReasons = { survivors: -1, band: -1, negatives: [] };

function expressionOfUnit(facts: PlanFacts, index: number, random: () => CounterRandom): number {
  const unit = facts.units[index];
  if (unit === undefined || index < 0)
    fail("usage", `expected a sample index from 0 to ${facts.units.length - 1}, got ${index}`);
  if (facts.unit === "expression") return unit;
  const [start, end] = facts.expressionsOfRef(unit);
  return start + random().below(end - start);
}

function drawKind(settings: ResolvedSettings, random: CounterRandom): PlanKind {
  const { gamma, randomShare } = settings.mosaic;
  const u = random.float();
  if (u >= gamma) return "single";
  return u < gamma * randomShare ? "random" : "mined";
}

function drawSide(settings: ResolvedSettings, random: CounterRandom): number {
  if (settings.mosaic.grid === "mixed") return random.below(2) === 0 ? 2 : 3;
  return settings.mosaic.grid === "3x3" ? 3 : 2;
}

interface Chosen {
  readonly kind: PlanKind;
  readonly images: readonly number[];
  readonly why: PlanReasons;
}

/** `need` distinct negatives by the kind wanted and, where the band is too small, by the policy; none = single. */
function drawNegatives(
  facts: PlanFacts,
  settings: ResolvedSettings,
  expression: number,
  wanted: "random" | "mined",
  need: number,
  random: CounterRandom,
): Chosen {
  const row = facts.candidates(expression);
  const judged = facts.judged(expression);
  const context: BandContext = {
    ownImage: facts.ref(facts.refOfExpression(expression)).image,
    ...(judged === undefined ? {} : { judged }),
  };
  if (row === undefined) {
    if (wanted === "mined")
      fail(
        "incomplete",
        `no mined candidates for expression ${facts.expression(expression).key}; run "nemosaic mine" first`,
      );
    const images = drawRandom(facts, context, undefined, undefined, need, random);
    return { kind: "random", images, why: reasons(undefined, undefined, images) };
  }
  const band = bandOf(row, context, settings);
  if (wanted === "random") {
    const images = drawRandom(facts, context, row, band, need, random);
    return { kind: "random", images, why: { ...reasons(row, band, images), ...lack(images, need, wanted) } };
  }
  if (band.size >= need) {
    const images = random.sample(band.size, need).map((at) => imageAt(row, band, at));
    return { kind: "mined", images, why: reasons(row, band, images) };
  }
  const { key } = facts.expression(expression);
  switch (settings.tooFew) {
    case "error":
      return fail(
        "incomplete",
        `the band of ${key} holds ${band.size} images, ${need} are needed; widen τ or K, or set tooFew`,
      );
    case "widen": {
      // Beyond K by as little as fills the mosaic: still under every threshold.
      const images = band.survivors.length < need ? [] : random.sample(need, need).map((at) => imageAt(row, band, at));
      const policy = images.length < need ? "single" : "widen";
      return { kind: "mined", images, why: { ...reasons(row, band, images), wanted, policy } };
    }
    case "random": {
      const images = drawRandom(facts, context, row, band, need, random);
      const policy = images.length < need ? "single" : "random";
      return { kind: "random", images, why: { ...reasons(row, band, images), wanted, policy } };
    }
    case "single":
      return { kind: "single", images: [], why: { ...reasons(row, band, []), wanted, policy: "single" } };
  }
}

function lack(images: readonly number[], need: number, wanted: PlanKind): Partial<PlanReasons> {
  return images.length < need ? { wanted, policy: "single" } : {};
}

/**
 * `need` distinct images of the candidate set, uniformly, minus the own image and whatever a rule other than K drops.
 * Where an image that mining cut off could be above τ, only listed survivors are drawn. Empty where too few remain.
 */
function drawRandom(
  facts: PlanFacts,
  context: BandContext,
  row: CandidateRow | undefined,
  band: Band | undefined,
  need: number,
  random: CounterRandom,
): number[] {
  if (row !== undefined && band?.unlistedUnsafe) {
    if (band.survivors.length < need) return [];
    return random.sample(band.survivors.length, need).map((at) => imageAt(row, band, at));
  }
  const barred = (image: number): boolean => {
    if (image === context.ownImage || context.judged?.has(image) === true) return true;
    const rank = row === undefined || band === undefined ? -1 : row.ids.indexOf(image);
    return rank >= 0 && !survives(band?.verdicts[rank] ?? 0);
  };
  const all = facts.candidateImages;
  const images: number[] = [];
  const taken = new Set<number>();
  for (let attempt = 0; images.length < need && attempt < 64 * need && all.length > 0; attempt++) {
    const image = all[random.below(all.length)] as number;
    if (taken.has(image) || barred(image)) continue;
    taken.add(image);
    images.push(image);
  }
  if (images.length === need) return images;
  const rest = Array.from(all).filter((image) => !taken.has(image) && !barred(image));
  const missing = need - images.length;
  if (rest.length < missing) return [];
  return [...images, ...random.sample(rest.length, missing).map((at) => rest[at] as number)];
}

function imageAt(row: CandidateRow, band: Band, survivor: number): number {
  return row.ids[band.survivors[survivor] as number] as number;
}

function reasons(row: CandidateRow | undefined, band: Band | undefined, images: readonly number[]): PlanReasons {
  return {
    survivors: band?.survivors.length ?? -1,
    band: band?.size ?? -1,
    negatives: images.map((image) => {
      const rank = row === undefined ? -1 : row.ids.indexOf(image);
      if (row === undefined || rank < 0) return { rank: -1, t2i: null, i2i: null };
      return { rank, t2i: row.t2i[rank] as number, i2i: row.i2i[rank] as number };
    }),
  };
}

function single(
  facts: PlanFacts,
  settings: ResolvedSettings,
  seed: number,
  epoch: number,
  index: number,
  expression: number,
  why: PlanReasons,
): Plan {
  const own = facts.ref(facts.refOfExpression(expression));
  const layers = [layerOf(facts, own.image, [0, 0, settings.size, settings.size], own.masks)];
  return {
    ...header(facts, settings, seed, epoch, index, expression),
    kind: "single",
    layers,
    why: { ...why, negatives: [] },
  };
}

function layerOf(
  facts: PlanFacts,
  row: number,
  destination: Layer["destination"],
  masks: readonly string[] | undefined,
): Layer {
  const { key, width, height } = facts.image(row);
  return {
    role: masks === undefined ? "negative" : "target",
    image: key,
    source: [0, 0, width, height],
    destination,
    fit: "stretch",
    alpha: 1,
    blur: 0,
    masks: masks ?? [],
  };
}

function header(
  facts: PlanFacts,
  settings: ResolvedSettings,
  seed: number,
  epoch: number,
  index: number,
  expression: number,
) {
  const { key, text } = facts.expression(expression);
  const { size, resample } = settings;
  return {
    version: 1,
    pool: facts.pool,
    settings: facts.settings,
    seed,
    epoch,
    index,
    expression: key,
    text,
    size,
    resample: { name: resample, version: resampleVersions[resample] },
  } as const;
}
