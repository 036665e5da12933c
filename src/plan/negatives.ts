import { type Band, type BandContext, bandOf, type CandidateRow } from "../band/index.ts";
import { fail, type PlanKind, type PlanReasons } from "../model/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import { type NegativeOptions, type Negatives, wantedKind } from "../styles/index.ts";
import { drawFromBand } from "./draw-band.ts";
import { legacyMined, legacyRandom } from "./legacy-draws.ts";
import { drawRandom } from "./random-images.ts";
import type { Request } from "./request.ts";

/**
 * `need` negatives by the kind wanted and, where the band is too small, by the policy. Distinct and barred by no rule,
 * unless legacy switches say otherwise; only such as `options` ask for. Errors: "incomplete" where mined candidates are needed and
 * missing, or where the policy is "error".
 */
export function drawNegatives(
  request: Omit<Request, "negatives">,
  need: number,
  options: NegativeOptions = {},
): Negatives {
  const { facts, settings, expression, kind } = request;
  const { accepts } = options;
  const row = facts.candidates(expression);
  const context = contextOf(request);
  const wanted = wantedKind(request);
  const named = (drawn: "random" | "mined"): PlanKind => (request.leavesOut || request.isFalse ? "no-target" : drawn);
  if (row === undefined) {
    if (kind === "mined")
      fail(
        "incomplete",
        `no mined candidates for expression ${facts.expression(expression).key}; run "nemosaic mine" first`,
      );
    const images = randomImages(request, context, undefined, undefined, need, accepts);
    return {
      kind: named("random"),
      images,
      why: recordShortage(reasons(undefined, undefined, images), images, need, wanted),
    };
  }
  const whole = bandOf(row, context, settings);
  if (kind === "random") {
    const band = acceptedBand(row, whole, accepts);
    const images = randomImages(request, context, row, band, need, accepts);
    return { kind: named("random"), images, why: recordShortage(reasons(row, band, images), images, need, wanted) };
  }
  const band = bandOfKind(row, whole, need, settings.band, options);
  const stream = options.showsKind === true ? "hardNegatives" : "negatives";
  const legacy = accepts === undefined ? legacyMined(settings, row, band, need, request.random(stream)) : undefined;
  if (legacy !== undefined) return { kind: named("mined"), images: legacy, why: reasons(row, band, legacy) };
  if (band.size >= need) {
    const places = drawFromBand(facts, settings.draw, row, band, need, request.random(stream));
    const images = places.map((place) => imageAt(row, band, place));
    return { kind: named("mined"), images, why: reasons(row, band, images) };
  }
  switch (settings.tooFew) {
    case "error":
      return fail(
        "incomplete",
        `the band of ${facts.expression(expression).key} holds ${band.size} images, ${need} are needed; widen τ or K, or set tooFew`,
      );
    case "widen": {
      // Beyond K by as little as fills the mosaic: still under every threshold.
      const enough = band.survivors.length >= need;
      const places = enough ? request.random(stream).sample(need, need) : [];
      const images = places.map((place) => imageAt(row, band, place));
      const policy = enough ? "widen" : "single";
      return { kind: named("mined"), images, why: { ...reasons(row, band, images), wanted, policy } };
    }
    case "random": {
      const images = randomImages(request, context, row, band, need, acceptsOf(row, options));
      const policy = images.length < need ? "single" : "random";
      return { kind: named("random"), images, why: { ...reasons(row, band, images), wanted, policy } };
    }
    case "single":
      return { kind: "single", images: [], why: { ...reasons(row, band, []), wanted, policy: "single" } };
  }
}

/**
 * Of a band what shows the target's kind, or what does not, up to K of either; where too little shows it, all. Mined sets that do not
 * say what an image shows give all. What shows it is asked for only where the band, too, has it first.
 */
function bandOfKind(
  row: CandidateRow,
  band: Band,
  need: number,
  { k, prefer }: ResolvedSettings["band"],
  options: NegativeOptions,
): Band {
  const { accepts, showsKind: wanted } = options;
  const { showsKind } = row;
  const isAsked = wanted === false || (wanted === true && prefer === "kind" && row.isRiskKnown !== false);
  if (showsKind === undefined || !isAsked) return acceptedBand(row, band, accepts);
  const survivors = band.survivors.filter(
    (at) => (showsKind[at] === 1) === wanted && accepts?.(row.ids[at]!) !== false,
  );
  if (wanted && survivors.length < need) return acceptedBand(row, band, accepts);
  return { ...band, survivors, size: Math.min(k, survivors.length) };
}

/** What of images drawn at random is accepted: where the kind must not show, none that is known to show it. */
function acceptsOf({ ids, showsKind }: CandidateRow, options: NegativeOptions): NegativeOptions["accepts"] {
  if (options.showsKind !== false || showsKind === undefined) return options.accepts;
  const showing = new Set(ids.filter((_, at) => showsKind[at] === 1));
  return (image) => !showing.has(image) && options.accepts?.(image) !== false;
}

/** What of a band is accepted: K counts before, so that it means the same difficulty. */
function acceptedBand(row: CandidateRow, band: Band, accepts: NegativeOptions["accepts"]): Band {
  if (accepts === undefined) return band;
  const isTaken = (at: number): boolean => accepts(row.ids[at]!);
  const size = band.survivors.subarray(0, band.size).filter(isTaken).length;
  return { ...band, survivors: band.survivors.filter(isTaken), size };
}

/** A mosaic without the target has no object named in it, whatever the expression names elsewhere: filters tighten. */
function contextOf({
  facts,
  expression,
  leavesOut,
  isFalse,
}: Pick<Request, "facts" | "expression" | "leavesOut" | "isFalse">): BandContext {
  const context = facts.bandContext(expression);
  return leavesOut || isFalse ? { ...context, targets: 0 } : context;
}

function randomImages(
  request: Omit<Request, "negatives">,
  context: BandContext,
  row: CandidateRow | undefined,
  band: Band | undefined,
  need: number,
  accepts: ((image: number) => boolean) | undefined,
): number[] {
  const random = request.random("negatives");
  const { facts, settings } = request;
  if (settings.legacy.randomOverRefs && accepts === undefined) return legacyRandom(facts, need, random);
  return drawRandom(facts, settings, { context, row, band, accepts }, need, random);
}

function imageAt(row: CandidateRow, band: Band, place: number): number {
  return row.ids[band.survivors[place]!]!;
}

function recordShortage(why: PlanReasons, images: readonly number[], need: number, wanted: PlanKind): PlanReasons {
  return images.length < need ? { ...why, wanted, policy: "single" } : why;
}

function reasons(row: CandidateRow | undefined, band: Band | undefined, images: readonly number[]): PlanReasons {
  return {
    survivors: band?.survivors.length ?? -1,
    band: band?.size ?? -1,
    negatives: images.map((image) => {
      const rank = row === undefined ? -1 : row.ids.indexOf(image);
      if (row === undefined || rank < 0) return { rank: -1, t2i: null, i2i: null };
      return { rank, t2i: row.t2i[rank]!, i2i: row.i2i[rank]! };
    }),
  };
}
