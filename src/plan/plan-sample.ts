import type { CounterRandom } from "../kernels/index.ts";
import { fail, type Layer, type Plan, type PlanReasons, resampleVersions } from "../model/index.ts";
import { type ResolvedSettings, settingsAt } from "../settings/index.ts";
import { type Mosaic, noBand, noMosaic, styleOf, styles, targetLayer, targetShare } from "../styles/index.ts";
import { type DrawnSentence, drawFalseSentence } from "./false-sentence.ts";
import { drawNegatives } from "./negatives.ts";
import type { PlanFacts } from "./plan-facts.ts";
import { drawLacking } from "./random-images.ts";
import { type Request, randomOf } from "./request.ts";

/** Which sample is planned. */
interface SampleId {
  readonly seed: number;
  readonly epoch: number;
  readonly index: number;
  /** The expression that the sample is drawn for. */
  readonly expression: number;
}

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
  const { text } = facts.expression(expression);
  const kind = u < gamma * randomShare ? "random" : "mined";
  const sample: SampleId = { seed, epoch, index, expression };
  const plain = {
    facts,
    settings: now,
    expression,
    ref,
    text,
    kind,
    leavesOut: false,
    isFalse: false,
    random,
  } as const;

  const sentences = now.gres.negativeSentence > 0 ? random("falseSentence") : undefined;
  if (sentences !== undefined && sentences.float() < now.gres.negativeSentence) {
    const sentence = drawFalseSentence(facts, now, expression, sentences);
    if (sentence !== undefined) return planFalse(plain, sample, sentence, isSingle);
    const request: Request = { ...plain, isFalse: true, negatives: noNegatives };
    return planOf({ ...request, isFalse: false }, sample, noMosaic(request, "no-sentence"));
  }
  const request: Request = {
    ...plain,
    leavesOut: !isSingle && now.gres.makeNoTarget > 0 && random("leaveOut").float() < now.gres.makeNoTarget,
    negatives: (need, options) => drawNegatives(request, need, options),
  };
  const isLarge = !isSingle && !request.leavesOut && largeTarget !== null && targetShare(request) > largeTarget;
  const mosaic: Mosaic = isSingle
    ? { kind: "single", why: noBand }
    : isLarge
      ? noMosaic(request, "large-target")
      : styleOf(style).make(request);
  return planOf(request, sample, mosaic);
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
  const { text } = facts.expression(expression);
  const kind = "mined";
  const plain = { facts, settings, expression, ref, text, kind, leavesOut: false, isFalse: false, random } as const;
  const request: Request = { ...plain, negatives: noNegatives };
  return planOf(request, { seed, epoch, index, expression }, { kind: "single", why: noBand });
}

/**
 * The expression's image with a sentence that is true of nothing in it, single or in a grid of images of which it is not true
 * either. Where no grid can be had, and in styles without one, the single image.
 */
function planFalse(
  plain: Omit<Request, "negatives">,
  sample: SampleId,
  sentence: DrawnSentence,
  isSingle: boolean,
): Plan {
  const { facts, settings, ref } = plain;
  const own = facts.ref(ref).image;
  const request: Request = {
    ...plain,
    expression: sentence.expression ?? plain.expression,
    text: sentence.text,
    isFalse: true,
    negatives: (need) => {
      const { category } = sentence;
      if (category !== undefined) return drawLacking(request, need, category, own);
      return drawNegatives(request, need, { accepts: (image) => image !== own });
    },
  };
  const style = styleOf(settings.mosaic.style);
  const mosaic: Mosaic = isSingle || !style.isGrid ? { kind: "single", why: noBand } : style.make(request);
  return planOf(request, sample, mosaic, sentence);
}

function noNegatives(): never {
  return fail("internal", "a single image draws no negatives");
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
function planOf(request: Request, sample: SampleId, mosaic: Mosaic, sentence?: DrawnSentence): Plan {
  const { facts, settings } = request;
  const { seed, epoch, index, expression } = sample;
  const { size, resample } = settings;
  const isMosaic = mosaic.layers !== undefined;
  const drawn: PlanReasons = isMosaic ? mosaic.why : { ...mosaic.why, negatives: [] };
  const layers = isMosaic ? mosaic.layers : [targetLayer(request, [0, 0, size, size], "stretch")];
  return {
    version: versionOf(layers),
    pool: facts.pool,
    settings: facts.settings,
    seed,
    epoch,
    index,
    kind: sentence === undefined ? mosaic.kind : "no-target",
    ...(isMosaic && settings.mosaic.style !== styles[0].name ? { style: settings.mosaic.style } : {}),
    expression: facts.expression(expression).key,
    text: isMosaic ? (mosaic.text ?? request.text) : request.text,
    size,
    ...(isMosaic && mosaic.canvas !== undefined ? { canvas: mosaic.canvas } : {}),
    resample: { name: resample, version: resampleVersions[resample] },
    layers,
    why: sentence === undefined ? drawn : { sentence: sentence.reasons, ...drawn },
  };
}

/** The least that a renderer has to know. */
function versionOf(layers: readonly Layer[]): Plan["version"] {
  if (layers.some(({ window }) => window !== undefined)) return 3;
  return layers.some(({ clip }) => clip !== undefined) ? 2 : 1;
}
