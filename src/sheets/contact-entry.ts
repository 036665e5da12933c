import { type Band, bandOf, countDrops, type DropRule, isBarred, limitsText, ruleOf } from "../band/index.ts";
import { CounterRandom, rleArea, rleToMask } from "../kernels/index.ts";
import type { Loader } from "../loader/index.ts";
import type { Plan } from "../model/index.ts";
import { planSample } from "../plan/index.ts";
import type { MinedRow } from "../pool/index.ts";
import { decodePoolImage } from "../tiles/index.ts";
import type { Picture } from "./picture.ts";

/** One candidate as the sheet shows it. */
export interface CandidateView {
  /** 0 = best. */
  readonly rank: number;
  readonly t2i: number;
  readonly i2i: number;
  /** Estimated chance that the expression is true of it; NaN where it is not known, or where the rank decided. */
  readonly risk: number;
  /** Why it was dropped; absent for the band. */
  readonly rule?: DropRule;
  /** A sentence about something in that image, for people to judge by; empty where there is none. */
  readonly said: string;
  readonly picture: Picture;
}

/** All that a contact sheet says of one expression. */
export interface ContactEntry {
  readonly key: string;
  readonly text: string;
  /** The expression's score with its own image. */
  readonly ownScore: number;
  readonly tau: number | null;
  /** What keeps false negatives out of the band, in short. */
  readonly limits: string;
  readonly bandSize: number;
  readonly survivors: number;
  readonly drops: Readonly<Record<DropRule, number>>;
  /** Text-to-image scores of all mined candidates in rank order, and their verdicts (see `bandOf`). */
  readonly curve: Float32Array;
  readonly verdicts: Uint8Array;
  readonly target: Picture;
  /** The best candidates that a rule dropped, in rank order, and the first of the band, in its order. */
  readonly dropped: readonly CandidateView[];
  readonly band: readonly CandidateView[];
  readonly mosaics: readonly { readonly picture: Picture; readonly plan: Plan }[];
}

/** How much a sheet shows of each expression. */
export interface ContactOptions {
  readonly expressions: number;
  readonly candidates: number;
  readonly mosaics: number;
}

/**
 * Gathers expressions for a contact sheet from a training loader with mined candidates: spread over the split by the
 * loader's seed, those first whose band can fill a mosaic and of which a rule dropped something.
 */
export async function contactEntries(loader: Loader, options: ContactOptions): Promise<ContactEntry[]> {
  const entries: ContactEntry[] = [];
  for (const expression of chooseExpressions(loader, options.expressions))
    entries.push(await contactEntry(loader, expression, options));
  return entries;
}

function chooseExpressions(loader: Loader, count: number): number[] {
  const { facts, pool } = loader;
  const tries = Math.min(facts.units.length, Math.max(200, count * 20));
  const units = new CounterRandom(loader.seed, 0, 0, 100).sample(facts.units.length, tries);
  const rated = units.map((unit, order) => {
    const row = facts.units[unit]!;
    const expression = facts.unit === "ref" ? facts.expressionsOfRef(row)[0] : row;
    const ref = facts.refOfExpression(expression);
    const band = bandFor(loader, expression)?.band;
    const image = pool.refs.image[ref]!;
    const share =
      rleArea(pool.mask(image, pool.targetsOfRef(ref))) / (pool.images.width[image]! * pool.images.height[image]!);
    const drops = band === undefined ? undefined : countDrops(band.verdicts);
    const isPlaced = canBePlaced(loader, expression);
    const points =
      (band !== undefined && band.size >= 3 ? 4 : 0) +
      (drops !== undefined && drops.risk + drops.tau + drops["tau-image"] > 0 ? 2 : 0) +
      (isPlaced ? 8 : 0) +
      (share >= 0.01 && share <= 0.5 ? 1 : 0);
    return { expression, image, points, order, isPlaced };
  });
  rated.sort((a, b) => b.points - a.points || a.order - b.order);
  const seen = new Set<number>();
  const apart = rated.filter(({ image }) => !seen.has(image) && seen.add(image));
  // The last row shows one that stays whole, and says why; all others show mosaics.
  const whole = count < 2 ? undefined : apart.find(({ isPlaced }) => !isPlaced);
  const shown = apart.filter((one) => one !== whole).slice(0, whole === undefined ? count : count - 1);
  return [...shown, ...(whole === undefined ? [] : [whole])].map(({ expression }) => expression);
}

/** False for expressions that get the single image whatever the draw: their position words hold in no cell. */
function canBePlaced(loader: Loader, expression: number): boolean {
  return oneMosaic(loader, expression, 0).why.policy !== "placement";
}

/** The plan of a mosaic of one expression; `draw` numbers those of all expressions. */
function oneMosaic({ facts, settings, seed }: Loader, expression: number, draw: number): Plan {
  const one = { ...facts, unit: "expression" as const, units: Int32Array.of(expression) };
  const always = { ...settings, mosaic: { ...settings.mosaic, gamma: 1 } };
  return planSample(one, always, seed, draw, 0);
}

interface FoundBand {
  readonly row: MinedRow;
  readonly band: Band;
}

function bandFor(loader: Loader, expression: number): FoundBand | undefined {
  const row = loader.mined?.row(expression);
  if (row === undefined) return undefined;
  return { row, band: bandOf(row, loader.facts.bandContext(expression), loader.settings) };
}

async function candidateView(loader: Loader, { row, band }: FoundBand, at: number): Promise<CandidateView> {
  const id = row.ids[at]!;
  const risk = row.risk?.[at] ?? Number.NaN;
  const isByRank = !row.isRiskKnown && risk <= (loader.settings.band.risk ?? 1);
  const rule = ruleOf(band.verdicts[at]!);
  return {
    rank: at,
    t2i: row.t2i[at]!,
    i2i: row.i2i[at]!,
    risk: isByRank ? Number.NaN : risk,
    ...(rule === undefined ? {} : { rule }),
    said: saidOf(loader, id),
    picture: await decodePoolImage(loader.pool, id),
  };
}

async function contactEntry(loader: Loader, expression: number, options: ContactOptions): Promise<ContactEntry> {
  const { facts, pool, settings } = loader;
  const ref = facts.refOfExpression(expression);
  const { key, text } = facts.expression(expression);
  const image = pool.refs.image[ref]!;
  const found = bandFor(loader, expression);
  const views = async (places: readonly number[]): Promise<CandidateView[]> =>
    found === undefined ? [] : Promise.all(places.map((at) => candidateView(loader, found, at)));
  const positions = Array.from(found?.band.verdicts.keys() ?? []);
  const isDropped = (at: number): boolean =>
    isBarred(found?.band.verdicts[at] ?? 0) && ruleOf(found?.band.verdicts[at] ?? 0) !== "own-image";
  const dropped = positions.filter(isDropped).slice(0, options.candidates);
  const { survivors = new Int32Array(0), size = 0 } = found?.band ?? {};
  const kept = Array.from(survivors.subarray(0, Math.min(size, options.candidates)));
  const mosaics = await Promise.all(
    Array.from({ length: options.mosaics }, async (_, draw) => {
      // An epoch of its own for each expression: draws that do not repeat from one to the next.
      const plan = oneMosaic(loader, expression, expression * options.mosaics + draw);
      const { image: data, mask } = await loader.draw(plan);
      return { plan, picture: { width: plan.size, height: plan.size, data, mask } };
    }),
  );
  const target = await decodePoolImage(pool, image);
  return {
    key,
    text,
    ownScore: loader.mined?.own[expression] ?? Number.NaN,
    tau: settings.band.tau,
    limits: limitsText(settings, found?.row.isRiskKnown !== false),
    bandSize: found?.band.size ?? 0,
    survivors: found?.band.survivors.length ?? 0,
    drops: countDrops(found?.band.verdicts ?? new Uint8Array(0)),
    curve: found?.row.t2i ?? new Float32Array(0),
    verdicts: found?.band.verdicts ?? new Uint8Array(0),
    target: { ...target, mask: rleToMask(pool.mask(image, pool.targetsOfRef(ref))) },
    dropped: await views(dropped),
    band: await views(kept),
    mosaics,
  };
}

/** The first sentence about an image, or its first category. */
function saidOf(loader: Loader, image: number): string {
  const { pool } = loader;
  const ref = pool.refs.image.indexOf(image);
  if (ref >= 0) return pool.expressions.sent[pool.expressionsOfRef(ref)[0]] ?? "";
  const annotation = pool.annotationsOfImage(image)[0];
  return annotation === undefined ? "" : (pool.annotations.category[annotation] ?? "");
}

/** What a candidate is shown with: the number that its rule looked at. */
export function measureOf({ rule, risk, t2i, i2i }: CandidateView): string {
  if (rule === "tau-image" || rule === "near-duplicate") return `i2i ${i2i.toFixed(3)}`;
  return rule === "risk" && !Number.isNaN(risk) ? `risk ${Math.round(100 * risk)} %` : t2i.toFixed(3);
}
