import { formatCount, hashFile } from "../io/index.ts";
import { type JudgeScoreReport, mineJudgeScores, PairScores } from "../mining/index.ts";
import { fail, quoteValue } from "../model/index.ts";
import { appendJudgements, chooseMined, type Judgement, Mined, type Pool, readVerdicts } from "../pool/index.ts";
import { readPairs } from "../relevance/index.ts";
import { fullListener, type Listener, withPool } from "./listener.ts";

export interface VerdictReport {
  /** Verdicts that were appended, and those that stood already. */
  readonly added: number;
  readonly known: number;
  /** Lines about expressions or images that are not of this pool. */
  readonly unknown: number;
}

/**
 * Appends verdicts from a JSON Lines file, {"expression": key, "image": SHA-256 or name, "verdict": …} a line, to the pool's
 * judgements; the last one on a pair counts, and what stands already is not repeated. Nothing is written unless every line is
 * sound. Errors: "not-found"; "bad-input" with the line, and where no line is about this pool.
 */
export function judge(pool: string | Pool, from: string, listener: Listener = {}): Promise<VerdictReport> {
  return withPool(pool, async (opened) => {
    const wanted = new Map<string, Judgement>();
    const { unknown, first } = await readPairs(opened, from, (line, expression, image, where) => {
      const verdict = verdictOf(line.verdict, where);
      const judgement = {
        expression: opened.expressionKey(expression),
        image: opened.images.hash[image] ?? "",
        verdict,
      };
      wanted.set(`${expression} ${image}`, judgement);
    });
    const standing = await readVerdicts(opened.folder);
    const added = [...wanted.values()].filter(
      ({ expression, image, verdict }) => standing.get(expression)?.get(image) !== verdict,
    );
    await appendJudgements(opened.folder, added);
    if (unknown > 0) fullListener(listener).onRemark(describeIgnored(unknown, first));
    return { added: added.length, known: wanted.size - added.length, unknown };
  });
}

export interface JudgeScoresOptions {
  /** The mined set; default: "default", or the only one. */
  readonly mined?: string | undefined;
  /** Replace scores of another file. */
  readonly force?: boolean | undefined;
}

/**
 * Adds scores from a JSON Lines file, {"expression", "image", "score"} a line, as the column `judge` of a mined set, which
 * `band.judge` rules by. Errors: "not-found"; "incomplete" without a mined set; "bad-input" with the line or the pair; "exists".
 */
export function judgeScores(
  pool: string | Pool,
  from: string,
  { mined: asked = "default", force = false }: JudgeScoresOptions = {},
  listener: Listener = {},
): Promise<JudgeScoreReport & { readonly mined: string; readonly unknown: number }> {
  return withPool(pool, async (opened) => {
    const { progress, onRemark } = fullListener(listener);
    const name = await chooseMined(opened.folder, asked);
    const mined = await Mined.open(opened.folder, name, opened.manifest.hash);
    if (mined === undefined) fail("incomplete", `"${opened.folder}" has no mined/${name}; run "nemosaic mine" first`);
    try {
      const pairs = new PairScores();
      const { unknown, first } = await readPairs(opened, from, (line, expression, image, where) => {
        if (typeof line.score !== "number" || !Number.isFinite(line.score))
          fail("bad-input", `expected a number for score in ${where}, got ${quoteValue(line.score)}`);
        pairs.add(expression, image, line.score);
      });
      const report = await mineJudgeScores(opened, mined, pairs, {
        name,
        source: await hashFile(from),
        force,
        progress,
      });
      if (unknown > 0) onRemark(describeIgnored(unknown, first));
      if (report.unlisted > 0)
        onRemark(
          `left out ${formatCount(report.unlisted, "score")} of images that are not among the expression's candidates`,
        );
      return { ...report, mined: name, unknown };
    } finally {
      await mined.close();
    }
  });
}

function verdictOf(value: unknown, where: string): Judgement["verdict"] {
  if (value === true || value === "false-negative") return "false-negative";
  if (value === false || value === "negative") return "negative";
  return fail(
    "bad-input",
    `expected "false-negative" (or true: the expression is true of the image) or "negative" (or false) for verdict in ${where}, got ${quoteValue(value)}`,
  );
}

function describeIgnored(unknown: number, first: string | undefined): string {
  return `passed over ${formatCount(unknown, "line")} about expressions or images that are not of this pool, such as ${quoteValue(first)}`;
}
