import { join } from "node:path";
import {
  exists,
  hashJson,
  partHash,
  partList,
  partNumber,
  partRows,
  partShard,
  partText,
  partTree,
  readPartFile,
  type Shard,
} from "../io/index.ts";
import { fail, shown } from "../model/index.ts";
import { type MinedManifest, minedFormat, minedVersion } from "../pool/index.ts";
import { type ScoreCounts, scoreBins } from "./score-histogram.ts";

/** The columns of a mined set and their numbers. */
export const columnTypes = { ids: "int32", t2i: "float32", i2i: "float32" } as const;

/** What a shard leaves: columns of its share of the expressions and the facts of the whole. */
export const minedPartFormat = "nemosaic-mined-part";
/** The file that says that a part is finished. */
export const partFile = "part.json";

/** Everything that a mined set's manifest says but for the scores, which are known when all are mined. */
export type MinedFacts = Omit<MinedManifest, "scores">;

/** The content of a part's part.json, beside `format`. */
export interface MinedPart {
  readonly shard: Shard;
  /** Of the expressions in the order of their images. */
  readonly rows: readonly [start: number, end: number];
  /** `facts.hash`: parts of one hash belong together. */
  readonly hash: string;
  readonly facts: MinedFacts;
  readonly scores: Readonly<Record<"own" | "t2i" | "i2i", ScoreCounts>>;
  /** SHA-256 of each file: the columns, and own. */
  readonly files: Readonly<Record<keyof typeof columnTypes | "own", string>>;
}

/** Hash of all that decides a mined set. */
export function minedHash(facts: Pick<MinedFacts, "pool" | "relevance" | "rank" | "depth" | "candidates">): string {
  const { pool, relevance, rank, depth, candidates } = facts;
  return hashJson({ version: minedVersion, pool, relevance, rank, depth, candidates });
}

/** Reads a finished part; undefined where it is not finished. Errors: "bad-input" where the file is damaged. */
export async function readMinedPart(folder: string): Promise<MinedPart | undefined> {
  const path = join(folder, partFile);
  if (!(await exists(path))) return undefined;
  return readPartFile(path, (tree) => {
    if (tree.format !== minedPartFormat) wrong(`format ${minedPartFormat}`, tree.format);
    const facts = factsIn(tree.facts);
    if (tree.hash !== facts.hash || facts.hash !== minedHash(facts)) wrong("the hash of its facts", tree.hash);
    const scores = partTree(tree.scores, "scores");
    const files = partTree(tree.files, "files");
    return {
      shard: partShard(tree.shard),
      rows: partRows(tree.rows),
      hash: facts.hash,
      facts,
      scores: { own: countsIn(scores.own), t2i: countsIn(scores.t2i), i2i: countsIn(scores.i2i) },
      files: {
        ids: partHash(files.ids, "files.ids"),
        t2i: partHash(files.t2i, "files.t2i"),
        i2i: partHash(files.i2i, "files.i2i"),
        own: partHash(files.own, "files.own"),
      },
    };
  });
}

function factsIn(value: unknown): MinedFacts {
  const facts = partTree(value, "facts");
  const relevance = partTree(facts.relevance, "facts.relevance");
  const candidates = partTree(facts.candidates, "facts.candidates");
  if (facts.format !== minedFormat) wrong(`format ${minedFormat}`, facts.format);
  if (facts.version !== minedVersion) wrong(`version ${minedVersion}`, facts.version);
  const { rank, truncated } = facts;
  if (rank !== "t2i" && rank !== "i2i" && rank !== "mean") return wrong("t2i, i2i or mean for rank", rank);
  if (truncated !== undefined && typeof truncated !== "boolean") wrong("true or false for truncated", truncated);
  // In the order in which a single run writes them: the merged manifest is to be the same bytes.
  return {
    format: minedFormat,
    version: minedVersion,
    producer: partText(facts.producer, "facts.producer"),
    pool: partText(facts.pool, "facts.pool"),
    relevance: {
      kind: partText(relevance.kind, "relevance.kind"),
      model: partText(relevance.model, "relevance.model"),
      hash: partText(relevance.hash, "relevance.hash"),
    },
    rank,
    depth: partNumber(facts.depth, "facts.depth", 1),
    expressions: partNumber(facts.expressions, "facts.expressions", 0),
    ...(typeof truncated === "boolean" ? { truncated } : {}),
    candidates: {
      splits: partList(candidates.splits, "candidates.splits").map((split) => partText(split, "a split")),
      count: partNumber(candidates.count, "candidates.count", 0),
      hash: partText(candidates.hash, "candidates.hash"),
    },
    hash: partHash(facts.hash, "facts.hash"),
  };
}

function countsIn(value: unknown): ScoreCounts {
  return partList(value, "scores").map((item) => {
    const [bin, count] = partList(item, "a bin");
    return [partNumber(bin, "a bin", 0, scoreBins), partNumber(count, "a bin's count", 0)];
  });
}

function wrong(expected: string, value: unknown): never {
  return fail("bad-input", `expected ${expected}, got ${shown(value)}`);
}
