import type { Plan, PlanPolicy } from "../model/index.ts";

const reasons: Readonly<Record<PlanPolicy, string>> = {
  widen: "too few images fit beside it",
  random: "too few images fit beside it",
  single: "too few images fit beside it",
  placement: "words hold only here",
  "large-target": "its target would be too large",
  visibility: "its target would be hidden",
  partner: "no partner",
  "no-object": "no object of its kind to paste",
  "no-sentence": "no sentence is known to be false of it",
};

/** What stands below a single image where a mosaic could have been: the reason, where it was not drawn by γ. */
export function singleCaption(policy: PlanPolicy | undefined): string {
  return policy === undefined ? "single image" : `single: ${reasons[policy]}`;
}

/** What a sample is, for people; of a sentence that is true of nothing where it comes from. */
export function kindCaption({ kind, why }: Pick<Plan, "kind" | "why">): string {
  const { sentence } = why;
  if (sentence === undefined) return kind;
  const { source, change, risk } = sentence;
  if (change !== undefined) return `${kind}: “${change.from}” is now “${change.to}”`;
  return risk === undefined
    ? `${kind}: ${source} sentence`
    : `${kind}: ${source}, true by ${(100 * risk).toFixed(1)} %`;
}

const explanations: Readonly<Record<PlanPolicy, string>> = {
  widen: "τ and K leave too few other images for a mosaic",
  random: "τ and K leave too few other images for a mosaic",
  single: "τ and K leave too few other images for a mosaic",
  placement: "the words say where in the picture it is, and in any cell of a mosaic they would be wrong",
  "large-target": "its target is so large that little would be left of the others",
  visibility: "beside other images its target would be hidden",
  partner: "there is no image to draw it with",
  "no-object": "there is no object of its kind to paste",
  "no-sentence": "no sentence is known to be false of it",
};

/** A sentence for people on an expression of which every draw is a single image; undefined where one is a mosaic. */
export function explainSingles(plans: readonly Pick<Plan, "kind" | "why">[]): string | undefined {
  const [first] = plans;
  if (first === undefined || plans.some(({ kind }) => kind !== "single")) return undefined;
  const { policy } = first.why;
  const because = policy === undefined ? "" : `: ${explanations[policy]}`;
  return `Training sees this one as it is, never in a mosaic${because}.`;
}
