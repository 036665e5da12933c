import type { CounterRandom } from "../kernels/index.ts";
import { fail, type Plan, type PlanReasons, resampleVersions } from "../model/index.ts";
import { type ResolvedSettings, settingsAt } from "../settings/index.ts";
import { type Mosaic, noBand, noMosaic, styleOf, styles, targetLayer, targetShare } from "../styles/index.ts";
import { drawNegatives } from "./negatives.ts";
import type { PlanFacts } from "./plan-facts.ts";
import { type Request, randomOf } from "./request.ts";

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
  const now = settingsAt(settings, epoch);
  const random: Request["random"] = (stream) => randomOf(seed, epoch, index, stream);
  const expression = expressionOfUnit(facts, index, () => random("sentence"));
  const ref = facts.refOfExpression(expression);
  const { gamma, randomShare, style, largeTarget } = now.mosaic;
  const u = random("kind").float();
  const isSingle = u >= gamma;
  const request: Request = {
    facts,
    settings: now,
    expression,
    ref,
    kind: u < gamma * randomShare ? "random" : "mined",
    leavesOut: !isSingle && now.gres.makeNoTarget > 0 && random("leaveOut").float() < now.gres.makeNoTarget,
    random,
    negatives: (need, accepts) => drawNegatives(request, need, accepts),
  };
  const isLarge = !isSingle && !request.leavesOut && largeTarget !== null && targetShare(request) > largeTarget;
  const mosaic: Mosaic = isSingle
    ? { kind: "single", why: noBand }
    : isLarge
      ? noMosaic(request, "large-target")
      : styleOf(style).make(request);
  return planOf(request, seed, epoch, index, mosaic);
}

/** The plan of a single image at full size: what validation and test splits give. Errors: "usage" as `planSample`. */
export function planSingle(
  facts: PlanFacts,
  settings: ResolvedSettings,
  seed: number,
  epoch: number,
  index: number,
): Plan {
  const random: Request["random"] = (stream) => randomOf(seed, epoch, index, stream);
  const expression = expressionOfUnit(facts, index, () => random("sentence"));
  const ref = facts.refOfExpression(expression);
  const negatives = (): never => fail("internal", "a single image draws no negatives");
  const request: Request = { facts, settings, expression, ref, kind: "mined", leavesOut: false, random, negatives };
  return planOf(request, seed, epoch, index, { kind: "single", why: noBand });
}

function expressionOfUnit(facts: PlanFacts, index: number, random: () => CounterRandom): number {
  const unit = facts.units[index];
  if (unit === undefined || index < 0)
    fail("usage", `expected a sample index from 0 to ${facts.units.length - 1}, got ${index}`);
  if (facts.unit === "expression") return unit;
  const [start, end] = facts.expressionsOfRef(unit);
  return start + random().below(end - start);
}

/** A single image is stretched whatever the settings fit cells with: trainers and validation expect it so. */
function planOf(request: Request, seed: number, epoch: number, index: number, mosaic: Mosaic): Plan {
  const { facts, settings, expression } = request;
  const { key, text } = facts.expression(expression);
  const { size, resample } = settings;
  const isMosaic = mosaic.layers !== undefined;
  const why: PlanReasons = isMosaic ? mosaic.why : { ...mosaic.why, negatives: [] };
  const layers = isMosaic ? mosaic.layers : [targetLayer(request, [0, 0, size, size], "stretch")];
  return {
    version: layers.some(({ clip }) => clip !== undefined) ? 2 : 1,
    pool: facts.pool,
    settings: facts.settings,
    seed,
    epoch,
    index,
    kind: mosaic.kind,
    ...(isMosaic && settings.mosaic.style !== styles[0].name ? { style: settings.mosaic.style } : {}),
    expression: key,
    text: isMosaic ? (mosaic.text ?? text) : text,
    size,
    ...(isMosaic && mosaic.canvas !== undefined ? { canvas: mosaic.canvas } : {}),
    resample: { name: resample, version: resampleVersions[resample] },
    layers,
    why,
  };
}
