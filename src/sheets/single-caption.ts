import type { PlanPolicy } from "../model/index.ts";

const reasons: Readonly<Record<PlanPolicy, string>> = {
  widen: "the band is too small",
  random: "the band is too small",
  single: "the band is too small",
  placement: "no cell keeps it true",
  "large-target": "its target is large",
  visibility: "its target is hidden",
  partner: "no partner",
  "no-object": "no object of its kind to paste",
};

/** What stands below a single image where a mosaic could have been: the reason, where it was not drawn by γ. */
export function singleCaption(policy: PlanPolicy | undefined): string {
  return policy === undefined ? "single image" : `single image: ${reasons[policy]}`;
}
