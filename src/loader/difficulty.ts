/**
 * How hard and how safe the negatives of an epoch are, beside what chance would draw, and what to do where they are not:
 * looks at some plans of the epoch, and at the bands of their expressions.
 */
import { bandOf, type NegativeMeans, NegativeTally, ruleInForce } from "../band/index.ts";
import { formatCount } from "../io/index.ts";
import { CounterRandom } from "../kernels/index.ts";
import type { AnnotationCoverage } from "../pool/index.ts";
import { mostNegatives, usesMined } from "../settings/index.ts";
import { countPlans } from "./count-plans.ts";
import type { Loader } from "./loader.ts";

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
  /** Images that could become candidates, and how many negatives the largest mosaic of these settings asks for. */
  readonly candidates: number;
  readonly need: number;
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
  const [band, random] = [new NegativeTally(), new NegativeTally()];
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
    candidates: mined.manifest.candidates.count,
    need,
    band: band.means(),
    random: { ...random.means(), ...(chance === undefined ? { risk: Number.NaN, hard: Number.NaN } : chance) },
    own: owns === 0 ? Number.NaN : own / owns,
    coverage: mined.coverage,
    rule: ruleInForce(settings, mined.coverage),
  };
}

/** The warnings of a loader; none where nothing is drawn from a band. */
export function warningsOf(loader: Loader): string[] {
  const difficulty = measureDifficulty(loader, { most: 200 });
  return difficulty === undefined ? [] : difficultyWarnings(difficulty);
}

/** What is wrong with an epoch's negatives, each with the remedy; empty where nothing is. */
export function difficultyWarnings(difficulty: Difficulty): string[] {
  const { asked, mosaics, unplaced, band, random, expressions, full, coverage, candidates, need } = difficulty;
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const warnings: string[] = [];
  if (asked > 0 && mosaics + unplaced < leastMosaics * asked)
    warnings.push(
      `only ${percent(mosaics / asked)} of the mosaics asked for can be made (${percent(full / Math.max(1, expressions))} of bands hold enough images); the rest are single images: ${
        candidates - 1 < need
          ? `a mosaic takes ${need} images beside the expression's own, and the candidates are ${formatCount(candidates, "image")}; import more`
          : `raise band.risk or τ, mine deeper (nemosaic mine --depth --force), or see "nemosaic tune"`
      }`,
    );
  const isKnown = coverage?.isComplete === true && !Number.isNaN(random.hard);
  // A difference that the line does not show is none.
  const isEasier = isKnown
    ? Math.round(100 * band.hard) < Math.round(100 * random.hard)
    : Math.round(1000 * band.score) < Math.round(1000 * random.score);
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
