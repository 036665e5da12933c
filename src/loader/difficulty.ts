/**
 * How hard and how safe the negatives of an epoch are, beside what chance would draw, and what to do where they are not:
 * looks at some plans of the epoch, and at the bands of their expressions.
 */
import { bandOf } from "../band/index.ts";
import { CounterRandom } from "../kernels/index.ts";
import type { AnnotationCoverage } from "../pool/index.ts";
import { mostNegatives, type ResolvedSettings, usesMined } from "../settings/index.ts";
import { countPlans } from "./count-plans.ts";
import type { Loader } from "./loader.ts";

/** Means over expressions of what a negative is, drawn in one way. NaN where it is not known. */
export interface NegativeMeans {
  /** Text-to-image score. */
  readonly score: number;
  /** Estimated chance that the expression is true of it. */
  readonly risk: number;
  /** Estimated share that shows an object of the target's kind and of which the expression is not true: hard negatives. */
  readonly hard: number;
}

export interface Difficulty {
  readonly epoch: number;
  readonly samples: number;
  /** Samples that γ makes mosaics, and those that are. */
  readonly asked: number;
  readonly mosaics: number;
  /** Mosaics asked for that became single images because the expression's position words hold in no cell. */
  readonly unplaced: number;
  /** Expressions of these samples, and those whose band can fill a mosaic. */
  readonly expressions: number;
  readonly full: number;
  readonly band: NegativeMeans;
  /** Of all candidate images. Where mining cut lists, `score` is the most that it can be. */
  readonly random: NegativeMeans;
  /** Mean score of the expressions with their own images. */
  readonly own: number;
  readonly coverage: AnnotationCoverage | undefined;
  /** The rule that keeps false negatives out, and why, in a sentence. */
  readonly rule: string;
}

/** Looks at `most` samples of an epoch, spread evenly by the seed. Undefined where nothing is drawn from a band. */
export function measureDifficulty(
  loader: Loader,
  { epoch = 0, most = 500 }: { readonly epoch?: number; readonly most?: number } = {},
): Difficulty | undefined {
  const { mined, facts, settings } = loader;
  if (!loader.augmented || mined === undefined || !usesMined(settings)) return undefined;
  const indices = new CounterRandom(loader.seed, 0, 0, 104).sample(loader.length, Math.min(loader.length, most));
  const counts = countPlans(loader, epoch, indices);
  const need = mostNegatives(settings);
  const [band, random] = [new Means(), new Means()];
  let [full, own, owns] = [0, 0, 0];
  const expressions = [...new Set(indices.map((index) => loader.plan(epoch, index).expression))];
  for (const key of expressions) {
    const expression = loader.pool.expressionRow(key);
    const row = mined.row(expression);
    const context = facts.bandContext(expression);
    const { survivors, size } = bandOf(row, context, settings);
    if (size >= need) full++;
    if (context.ownScore !== undefined) {
      own += context.ownScore;
      owns++;
    }
    band.add(row, survivors.subarray(0, size));
    random.add(
      row,
      row.ids.map((_, at) => at).filter((at) => row.ids[at] !== context.ownImage),
      row.candidates,
    );
  }
  const chance = mined.randomRisk;
  return {
    epoch,
    samples: counts.plans,
    asked: counts.asked,
    mosaics: counts.mosaics,
    unplaced: counts.policies.placement ?? 0,
    expressions: expressions.length,
    full,
    band: band.means(),
    random: { ...random.means(), ...(chance === undefined ? { risk: Number.NaN, hard: Number.NaN } : chance) },
    own: owns === 0 ? Number.NaN : own / owns,
    coverage: mined.coverage,
    rule: ruleInForce(settings, mined.coverage),
  };
}

/** Means of the means of lists, each expression as much as any other. */
class Means {
  #score = 0;
  #risk = 0;
  #hard = 0;
  #lists = 0;
  #rated = 0;

  /** `of` positions in the row; `outOf` images, of which those that are not listed score as the last at most. */
  add(row: ReturnType<NonNullable<Loader["mined"]>["row"]>, of: Int32Array, outOf = of.length): void {
    if (of.length === 0) return;
    let [score, risk, hard] = [0, 0, 0];
    for (const at of of) {
      score += row.t2i[at] as number;
      const chance = row.risk?.[at] ?? Number.NaN;
      risk += chance;
      hard += row.showsKind?.[at] === 1 ? 1 - chance : 0;
    }
    const unlisted = Math.max(0, outOf - of.length);
    this.#score += (score + unlisted * (row.t2i[row.t2i.length - 1] as number)) / (of.length + unlisted);
    this.#lists++;
    if (Number.isNaN(risk)) return;
    this.#risk += risk / of.length;
    this.#hard += hard / of.length;
    this.#rated++;
  }

  means(): NegativeMeans {
    const over = (sum: number, count: number): number => (count === 0 ? Number.NaN : sum / count);
    return {
      score: over(this.#score, this.#lists),
      risk: over(this.#risk, this.#rated),
      hard: over(this.#hard, this.#rated),
    };
  }
}

function ruleInForce({ band }: ResolvedSettings, coverage: AnnotationCoverage | undefined): string {
  const named = [
    ...(band.tau === null ? [] : [`τ ${band.tau.toFixed(3)}`]),
    ...(band.tauImage === null ? [] : [`τᵢ ${band.tauImage.toFixed(3)}`]),
    ...(band.tauText === null ? [] : [`τₜ ${band.tauText}`]),
    ...(band.margin === null ? [] : [`margin ${band.margin}`]),
    ...(band.ratio === null ? [] : [`ratio ${band.ratio}`]),
  ];
  const scores = named.length === 0 ? "" : `${band.risk === null ? "" : ", and "}scores: ${named.join(", ")}`;
  if (band.risk === null) return scores === "" ? "none: the guards alone" : scores;
  if (coverage?.isComplete === false)
    return `ranks: the best twentieth of candidates is dropped, and what is known to be true, for annotations are sparse (${coverage.reason})${scores}`;
  const why = coverage === undefined ? "" : ` (${coverage.reason})`;
  return `risk: at most ${100 * band.risk} % estimated chance to be true${why}${scores}`;
}

/** The warnings of a loader; none where nothing is drawn from a band. */
export function warningsOf(loader: Loader): string[] {
  const difficulty = measureDifficulty(loader, { most: 200 });
  return difficulty === undefined ? [] : difficultyWarnings(difficulty);
}

/** What is wrong with an epoch's negatives, each with the remedy; empty where nothing is. */
export function difficultyWarnings(difficulty: Difficulty): string[] {
  const { asked, mosaics, unplaced, band, random, expressions, full, coverage } = difficulty;
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const warnings: string[] = [];
  if (asked > 0 && mosaics + unplaced < leastMosaics * asked)
    warnings.push(
      `only ${percent(mosaics / asked)} of the mosaics asked for can be made (${percent(full / Math.max(1, expressions))} of bands hold enough images); the rest are single images: raise band.risk or τ, mine deeper (nemosaic mine --depth --force), or see "nemosaic tune"`,
    );
  const isKnown = coverage?.isComplete === true && !Number.isNaN(random.hard);
  const isEasier = isKnown ? band.hard < random.hard : band.score < random.score;
  if (mosaics > 0 && isEasier)
    warnings.push(
      isKnown
        ? `negatives are easier than random ones: ${percent(band.hard)} of them show the target's kind and are not what the expression names, of random images ${percent(random.hard)}; "nemosaic tune" says which rule to take`
        : `negatives are easier than random ones: mean score ${band.score.toFixed(3)}, of random images ${random.score.toFixed(3)}; "nemosaic tune" says which rule to take`,
    );
  return warnings;
}

/** Of the mosaics that γ asks for; those that words forbid count as made. */
const leastMosaics = 0.9;
