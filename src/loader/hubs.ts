import { type BandContext, bandOf, HubCounter, type HubCuts } from "../band/index.ts";
import type { Mined } from "../pool/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";

/**
 * The hub cap of `settings` over expressions: each image is kept by the `band.hubCap` expressions that score it best,
 * of those whose other rules all let it pass (K apart; a scheduled τ counts with its highest value). Looks at every
 * expression's candidates once. Undefined where there is no cap.
 */
export function hubCutsOf(
  mined: Mined,
  images: number,
  expressions: Iterable<number>,
  contextOf: (expression: number) => BandContext,
  settings: ResolvedSettings,
): HubCuts | undefined {
  const { hubCap } = settings.band;
  if (hubCap === null) return undefined;
  const counter = new HubCounter(images, hubCap);
  const ramp = settings.schedule.tau;
  const tau = ramp === null ? settings.band.tau : Math.max(...ramp.map(([, value]) => value));
  const widest = { ...settings, band: { ...settings.band, tau } };
  for (const expression of expressions) {
    const row = mined.row(expression);
    for (const at of bandOf(row, contextOf(expression), widest).survivors)
      counter.want(row.ids[at]!, expression, row.t2i[at]!);
  }
  return counter.cuts();
}
