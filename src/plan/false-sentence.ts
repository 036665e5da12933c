/**
 * Draws a sentence that is true of nothing in an expression's image: the expression's own with one thing changed, one that
 * scores the image well and is not true of it, or any other image's. docs/negatives.md has the rules.
 */
import { bandOf } from "../band/index.ts";
import type { CounterRandom } from "../kernels/index.ts";
import { type FalseSentence, fail } from "../model/index.ts";
import { drawsNegatives, type ResolvedSettings } from "../settings/index.ts";
import { drawFromBand } from "./draw-band.ts";
import type { PlanFacts } from "./plan-facts.ts";

/** A drawn sentence. */
export interface DrawnSentence {
  readonly text: string;
  /** The row of the pool's expression whose sentence it is; absent for an edited one. */
  readonly expression?: number;
  /** The category that it is about, where that is known. */
  readonly category?: string;
  readonly reasons: FalseSentence;
}

type Source = FalseSentence["source"];

/** A sentence for an expression's image by the settings' source; undefined where none is known to be false of it. */
export function drawFalseSentence(
  facts: PlanFacts,
  settings: ResolvedSettings,
  expression: number,
  random: CounterRandom,
): DrawnSentence | undefined {
  const sources = (["edited", "mined", "random"] as const).filter((source) => drawsNegatives(settings, source));
  for (const source of random.shuffle([...sources])) {
    const drawn = draw[source](facts, settings, expression, random);
    if (drawn !== undefined) return drawn;
  }
  if (settings.tooFew === "error")
    fail(
      "incomplete",
      `no sentence is known to be false of the image of ${facts.expression(expression).key}; take another gres.negativeSource, or set tooFew`,
    );
  return undefined;
}

type Draw = (
  facts: PlanFacts,
  settings: ResolvedSettings,
  expression: number,
  random: CounterRandom,
) => DrawnSentence | undefined;

const draw: Readonly<Record<Source, Draw>> = { edited: drawEdited, mined: drawMined, random: drawAny };

/**
 * First what is changed, each kind with equal chance, then how. Nouns offer most changes, and would be nearly all: with another thing
 * named the picture shows nothing of the kind any more, so that they come seldom where there is a choice.
 */
function drawEdited(facts: PlanFacts, _: ResolvedSettings, expression: number, random: CounterRandom) {
  const edits = facts.sentences?.edited(expression) ?? [];
  const kinds = [...new Set(edits.map(({ kind }) => kind))];
  if (kinds.length === 0) return undefined;
  const others = kinds.filter((each) => each !== "noun");
  const takesNoun = others.length === 0 || (others.length < kinds.length && random.float() < nounShare);
  const kind = takesNoun ? "noun" : random.pick(others);
  const { text, from, to, category } = random.pick(edits.filter((edit) => edit.kind === kind));
  const { key } = facts.expression(expression);
  return { text, category, reasons: { source: "edited", expression: key, change: { kind, from, to } } } as const;
}

function drawMined(facts: PlanFacts, settings: ResolvedSettings, expression: number, random: CounterRandom) {
  const found = facts.sentences?.mined(expression);
  if (found === undefined) return undefined;
  const { row, context } = found;
  const band = bandOf(row, context, settings);
  if (band.size === 0) return undefined;
  // One is drawn: there is nothing for it to be unlike.
  const method = settings.draw.method === "mmr" ? "uniform" : settings.draw.method;
  const [place = 0] = drawFromBand(facts, { ...settings.draw, method }, row, band, 1, random);
  const rank = band.survivors[place] ?? 0;
  const sentence = row.ids[rank] ?? 0;
  const { key, text } = facts.expression(sentence);
  const risk = row.risk?.[rank];
  return {
    text,
    expression: sentence,
    category: facts.sentences?.categoryOf(sentence) ?? "",
    reasons: {
      source: "mined",
      expression: key,
      rank,
      t2i: row.t2i[rank] ?? 0,
      ...(risk === undefined || Number.isNaN(risk) ? {} : { risk }),
      ...(row.showsKind === undefined ? {} : { showsKind: row.showsKind[rank] === 1 }),
    },
  } as const;
}

/**
 * Any sentence of any other image that is unlike this one in its letters: as DeRIS (arXiv 2507.01738) turns samples into negative ones.
 * Their least length of six words is left out, for most of RefCOCO's sentences are shorter.
 */
function drawAny(facts: PlanFacts, _: ResolvedSettings, expression: number, random: CounterRandom) {
  const own = facts.ref(facts.refOfExpression(expression)).image;
  const said = facts.expression(expression).text;
  const images = facts.candidateImages;
  for (let attempt = 0; attempt < mostAttempts && images.length > 0; attempt++) {
    const image = images[random.below(images.length)] ?? own;
    const refs = facts.refsOfImage(image);
    if (image === own || refs.length === 0) continue;
    const [start, end] = facts.expressionsOfRef(refs[random.below(refs.length)] ?? 0);
    const sentence = start + random.below(end - start);
    const { key, text } = facts.expression(sentence);
    if (letterLikeness(text, said) >= mostLike) continue;
    return { text, expression: sentence, reasons: { source: "random", expression: key } } as const;
  }
  return undefined;
}

const nounShare = 0.25;
const mostAttempts = 50;
const mostLike = 0.5;

/** The mean of Jaccard's and the cosine likeness of two texts as bags of characters, 0 to 1. */
export function letterLikeness(a: string, b: string): number {
  const counts = new Map<string, number>();
  for (const letter of a) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let [lengthB, shared] = [0, 0];
  for (const letter of b) {
    lengthB++;
    const left = counts.get(letter) ?? 0;
    if (left === 0) continue;
    shared++;
    counts.set(letter, left - 1);
  }
  const lengthA = [...a].length;
  if (lengthA === 0 || lengthB === 0) return lengthA === lengthB ? 1 : 0;
  return (shared / (lengthA + lengthB - shared) + shared / Math.sqrt(lengthA * lengthB)) / 2;
}
