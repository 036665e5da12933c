import { type Band, type BandContext, type CandidateRow, isBarred, thresholdsOf } from "../band/index.ts";
import type { CounterRandom } from "../kernels/index.ts";
import type { PlanReasons } from "../model/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import { type Negatives, noBand } from "../styles/index.ts";
import type { PlanFacts } from "./plan-facts.ts";
import type { Request } from "./request.ts";

/** What bars images from a random draw: what is known of the expression's candidates, and what the style takes. */
export interface RandomRules {
  readonly context: BandContext;
  readonly row: CandidateRow | undefined;
  readonly band: Band | undefined;
  readonly accepts: ((image: number) => boolean) | undefined;
}

/**
 * `need` distinct images of the candidate set, uniformly, minus the own image and whatever could be true of the
 * expression or too like the target image: by the mined list where the image is in it, by the neighbours of the own
 * image else. Where an image outside both could still be above a threshold, only listed ones are drawn. Rules about
 * hardness (K, ranks, least score, hub cap) do not hold for random draws. Empty where too few remain.
 */
export function drawRandom(
  facts: Pick<PlanFacts, "candidateImages" | "neighbours">,
  settings: ResolvedSettings,
  { context, row, band, accepts = acceptsAll }: RandomRules,
  need: number,
  random: CounterRandom,
): number[] {
  const { nearDuplicate, tauImage } = thresholdsOf(context, settings);
  const neighbours = facts.neighbours(context.ownImage);
  const isTooLike = (score: number): boolean => score >= nearDuplicate || score > tauImage;
  const farthest = neighbours?.scores[neighbours.scores.length - 1];
  const unlistedTooLike = neighbours?.truncated === true && farthest !== undefined && isTooLike(farthest);
  if (row !== undefined && band !== undefined && (band.unlistedUnsafe || unlistedTooLike)) {
    const listed = Array.from(row.ids.keys()).filter((at) => !isBarred(band.verdicts[at]!) && accepts(row.ids[at]!));
    if (listed.length < need) return [];
    return random.sample(listed.length, need).map((place) => row.ids[listed[place]!]!);
  }
  const barred = (image: number): boolean => {
    if (image === context.ownImage || context.judged?.has(image) === true) return true;
    if (context.sameSentence?.has(image) === true) return true;
    const rank = row === undefined ? -1 : row.ids.indexOf(image);
    if (rank >= 0 && isBarred(band?.verdicts[rank] ?? 0)) return true;
    if (neighbours === undefined) return false;
    const place = neighbours.ids.indexOf(image);
    return place >= 0 && isTooLike(neighbours.scores[place]!);
  };
  const all = facts.candidateImages;
  const images: number[] = [];
  const taken = new Set<number>();
  for (let attempt = 0; images.length < need && attempt < 64 * need && all.length > 0; attempt++) {
    const image = all[random.below(all.length)]!;
    if (taken.has(image) || barred(image) || !accepts(image)) continue;
    taken.add(image);
    images.push(image);
  }
  if (images.length === need) return images;
  const rest = Array.from(all).filter((image) => !taken.has(image) && !barred(image) && accepts(image));
  const missing = need - images.length;
  if (rest.length < missing) return [];
  return [...images, ...random.sample(rest.length, missing).map((at) => rest[at]!)];
}

function acceptsAll(): boolean {
  return true;
}

/**
 * `need` distinct images of the candidate set, uniformly, that show nothing of a category: what a sentence about it is not true
 * of, whatever else it says. Never `own`, the image that the sample shows, nor what is too like the expression's.
 */
export function drawLacking(
  request: Pick<Request, "facts" | "settings" | "expression" | "random">,
  need: number,
  category: string,
  own: number,
): Negatives {
  const { facts, settings, expression } = request;
  const context = facts.bandContext(expression);
  const accepts = (image: number): boolean => image !== own && facts.sentences?.shows(image, category) === false;
  const rules = { context, row: undefined, band: undefined, accepts };
  const images = drawRandom(facts, settings, rules, need, request.random("negatives"));
  const negatives = images.map(() => ({ rank: -1, t2i: null, i2i: null }));
  const why: PlanReasons = { ...noBand, negatives };
  const lacking = images.length < need ? ({ wanted: "no-target", policy: "single" } as const) : {};
  return { kind: "no-target", images, why: { ...why, ...lacking } };
}
