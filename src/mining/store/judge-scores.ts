import { join } from "node:path";
import { readManifestJson } from "../../artefacts/index.ts";
import { formatNumber, type Progress } from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { type Mined, minedExtras, minedFolder, type Pool } from "../../pool/index.ts";
import { makeExtra } from "./extras.ts";

/** Scores of pairs, in any order, as they come: 12 bytes a pair. */
export class PairScores {
  #size = 0;
  #expressions = new Int32Array(1024);
  #images = new Int32Array(1024);
  #scores = new Float32Array(1024);

  get size(): number {
    return this.#size;
  }

  add(expression: number, image: number, score: number): void {
    if (this.#size === this.#images.length) {
      const more = this.#size * 2;
      const [expressions, images, scores] = [new Int32Array(more), new Int32Array(more), new Float32Array(more)];
      expressions.set(this.#expressions);
      images.set(this.#images);
      scores.set(this.#scores);
      [this.#expressions, this.#images, this.#scores] = [expressions, images, scores];
    }
    this.#expressions[this.#size] = expression;
    this.#images[this.#size] = image;
    this.#scores[this.#size++] = score;
  }

  /** The scores of each expression of `count`: pairs order[starts[e]] up to order[starts[e + 1]], as they came. */
  byExpression(count: number): (expression: number) => Map<number, number[]> {
    const starts = new Int32Array(count + 1);
    for (let at = 0; at < this.#size; at++) {
      const next = this.#expressions[at]! + 1;
      starts[next] = starts[next]! + 1;
    }
    for (let row = 0; row < count; row++) starts[row + 1] = starts[row + 1]! + starts[row]!;
    const next = starts.slice();
    const order = new Int32Array(this.#size);
    for (let at = 0; at < this.#size; at++) {
      const row = this.#expressions[at]!;
      order[next[row]!] = at;
      next[row] = next[row]! + 1;
    }
    return (expression) => {
      const scores = new Map<number, number[]>();
      for (let at = starts[expression]!; at < starts[expression + 1]!; at++) {
        const pair = order[at]!;
        const image = this.#images[pair]!;
        const known = scores.get(image);
        if (known === undefined) scores.set(image, [this.#scores[pair]!]);
        else known.push(this.#scores[pair]!);
      }
      return scores;
    };
  }
}

export interface JudgeScoreOptions {
  /** The mined set. */
  readonly name: string;
  /** Hash of where the scores come from. */
  readonly source: string;
  /** Replace scores of another source. */
  readonly force: boolean;
  readonly progress: Progress;
}

export interface JudgeScoreReport {
  /** True where the same scores were there already. */
  readonly reused: boolean;
  /** Candidates that have a score, and all that are listed. */
  readonly scored: number;
  readonly listed: number;
  /** Pairs given whose image is not among the expression's candidates. */
  readonly unlisted: number;
}

/**
 * Adds column `judge` to mined/<name>: another judge's score of each listed pair, NaN where it gave none. Errors: "bad-input"
 * for a pair that has two scores; "exists" where scores of another source are there and `force` is off.
 */
export async function mineJudgeScores(
  pool: Pool,
  mined: Mined,
  pairs: PairScores,
  { name, source, force, progress }: JudgeScoreOptions,
): Promise<JudgeScoreReport> {
  const { depth, expressions, hash } = mined.manifest;
  const folder = minedFolder(pool.folder, name);
  const scoresOf = pairs.byExpression(expressions);
  const [scored, listed] = count(pool, mined, scoresOf);
  const told = { scored, listed, unlisted: pairs.size - scored };
  const known = await knownSource(folder, hash);
  if (known === source && !force) return { reused: true, ...told };
  if (known !== undefined && known !== source && !force)
    fail("exists", `"${folder}" has scores of another file: use --force to replace them`);
  const extra = {
    mined: mined.manifest,
    shape: [expressions, depth],
    facts: { depth, expressions, source, scored },
    stepRows: Math.max(1, Math.floor(2 ** 23 / depth)),
    force: true,
    progress,
    label: "scores",
    unit: "expressions",
  } as const;
  await makeExtra(folder, "judge", extra, async (start, rows) => {
    const block = new Float32Array(rows * depth).fill(Number.NaN);
    for (let row = 0; row < rows; row++) {
      const scores = scoresOf(start + row);
      if (scores.size === 0) continue;
      mined.row(start + row).ids.forEach((image, at) => {
        const score = scores.get(image);
        if (score !== undefined) block[row * depth + at] = score[0]!;
      });
    }
    return [block];
  });
  return { reused: false, ...told };
}

function count(
  pool: Pool,
  mined: Mined,
  scoresOf: (expression: number) => Map<number, number[]>,
): [scored: number, listed: number] {
  let [scored, listed] = [0, 0];
  for (let row = 0; row < mined.manifest.expressions; row++) {
    const scores = scoresOf(row);
    for (const [image, given] of scores)
      if (given.length > 1)
        fail(
          "bad-input",
          `expected one score for a pair, got ${formatNumber(given.length)} for ${quoteValue(pool.expressionKey(row))} with ${quoteValue(pool.imageName(image))}`,
        );
    const { ids } = mined.row(row);
    listed += ids.length;
    if (scores.size > 0) for (const image of ids) if (scores.has(image)) scored++;
  }
  return [scored, listed];
}

async function knownSource(folder: string, mined: string): Promise<string | undefined> {
  const { format, version, manifest } = minedExtras.judge;
  const remake = 'run "nemosaic judge --scores" again with --force';
  const value = Object(
    await readManifestJson(join(folder, manifest), { format, version, remake }).catch(() => undefined),
  );
  const { mined: of, source } = value as { mined?: unknown; source?: unknown };
  return of === mined && typeof source === "string" ? source : undefined;
}
