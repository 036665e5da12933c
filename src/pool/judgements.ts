import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ifMissing, onDisk } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";

/** A person's word on one candidate of one expression. */
export interface Judgement {
  /** The expression's key. */
  readonly expression: string;
  /** The candidate image's content hash. */
  readonly image: string;
  /** false-negative = the expression is true of something in that image; negative = it is not (takes the former back). */
  readonly verdict: "false-negative" | "negative";
}

const fileName = "judgements.jsonl";

/**
 * False negatives by expression key → image hashes, the last word on a pair counting; empty where nobody judged.
 * Errors: "bad-input" with the line number.
 */
export async function readJudgements(folder: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const result = new Map<string, Set<string>>();
  for (const [expression, images] of await readVerdicts(folder)) {
    const isFalse = [...images].filter(([, verdict]) => verdict === "false-negative").map(([image]) => image);
    result.set(expression, new Set(isFalse));
  }
  return result;
}

/** The last verdict on each pair: by expression key, by image hash. Errors: as `readJudgements`. */
export async function readVerdicts(
  folder: string,
): Promise<ReadonlyMap<string, ReadonlyMap<string, Judgement["verdict"]>>> {
  const path = join(folder, fileName);
  const text = await readFile(path, "utf8").catch(ifMissing(""));
  const result = new Map<string, Map<string, Judgement["verdict"]>>();
  const lines = text.split("\n");
  lines.forEach((line, at) => {
    if (line.trim() === "") return;
    const isLast = at === lines.length - 1; // no line end: an append that a kill cut short
    const judgement = parseJudgement(line);
    if (judgement === undefined) {
      if (isLast) return;
      fail(
        "bad-input",
        `expected {"expression", "image", "verdict"} in line ${at + 1} of "${path}", got ${quoteValue(line)}`,
      );
    }
    const images = result.get(judgement.expression) ?? new Map<string, Judgement["verdict"]>();
    images.set(judgement.image, judgement.verdict);
    result.set(judgement.expression, images);
  });
  return result;
}

/** Appends one judgement as a line of judgements.jsonl; nothing is ever rewritten. */
export function appendJudgement(folder: string, judgement: Judgement): Promise<void> {
  return appendJudgements(folder, [judgement]);
}

/** As `appendJudgement`, for many in one go: a run that is killed in between leaves whole lines, which count. */
export async function appendJudgements(folder: string, judgements: readonly Judgement[]): Promise<void> {
  if (judgements.length === 0) return;
  const path = join(folder, fileName);
  const lines = judgements.map(({ expression, image, verdict }) => JSON.stringify({ expression, image, verdict }));
  await onDisk(path, async () => {
    const text = await readFile(path, "utf8").catch(ifMissing(""));
    const separator = text === "" || text.endsWith("\n") ? "" : "\n";
    await appendFile(path, `${separator}${lines.join("\n")}\n`);
  });
}

function parseJudgement(line: string): Judgement | undefined {
  try {
    const { expression, image, verdict } = JSON.parse(line) as Record<string, unknown>;
    if (typeof expression !== "string" || typeof image !== "string") return undefined;
    return verdict === "false-negative" || verdict === "negative" ? { expression, image, verdict } : undefined;
  } catch {
    return undefined;
  }
}
