import { join } from "node:path";
import type { Command } from "commander";
import {
  exists,
  grouped,
  removeRemains,
  type Shard,
  type StageTiming,
  shardText,
  stageTiming,
  timingText,
} from "../../io/index.ts";
import { imagesOfSplits } from "../../loader/index.ts";
import {
  createDenseScorer,
  expressionsByImage,
  type MineReport,
  mineNeighbours,
  minePool,
  mineTextScores,
  type Rank,
  type Scorer,
} from "../../mining/index.ts";
import { fail } from "../../model/index.ts";
import { Mined, minedExtras, minedFolder, Pool } from "../../pool/index.ts";
import { lexicalScorer, openEmbeddings } from "../../relevance/index.ts";
import {
  action,
  choiceOption,
  cores,
  integerOption,
  listOption,
  print,
  progressOf,
  remark,
  type SharedOptions,
  warn,
  withShared,
} from "../session.ts";
import { parseShard, shardHelp } from "../shard.ts";

export interface MineOptions extends Pick<SharedOptions, "force" | "quiet" | "json"> {
  readonly rank: Rank;
  readonly depth: number;
  readonly candidates: string[];
  readonly name: string;
  readonly embeddings?: string;
  readonly threads?: number;
  readonly shard?: Shard;
  readonly timing?: boolean;
  /** Also compare with the candidate images' own expressions. */
  readonly t2t?: boolean;
}

/** Neighbours kept per image: by them τᵢ is known for images that a list lacks. */
const neighbourDepth = 256;

const timingAdvice = {
  mining: "product and selection together keep the threads busy: more --threads",
  product: "the matrix product is the limit: more --threads",
  selection: "a smaller --depth keeps shorter lists; with more than one thread selection is shared out too",
  scoring: "exact scores of what is near are the limit: more --threads, or a smaller --depth",
  reading: "vectors beyond 1 GiB are read again for every step: keep the pool on a fast disk",
  disk: "the disk under the pool is the limit; a smaller --depth writes less",
};

export function mineCommand(program: Command): void {
  withShared(program.command("mine <pool>"))
    .description("rank the candidate images of every expression and keep the best")
    .option(
      "--rank <by>",
      "t2i (text-to-image), i2i (visually similar) or mean of both",
      choiceOption("--rank", ["t2i", "i2i", "mean"]),
      "t2i",
    )
    .option("--depth <n>", "candidates kept per expression", integerOption("--depth", 1), 1024)
    .option(
      "--candidates <splits>",
      "images of these splits may become negatives, comma-separated",
      listOption("--candidates"),
      ["train"],
    )
    .option("--name <name>", "the set's name under mined/ (setting: mined)", "default")
    .option("--embeddings <name>", "which embeddings, where the pool has several")
    .option("--threads <n>", "threads of the matrix product (default: all cores)", integerOption("--threads", 1))
    .option("--shard <i/n>", shardHelp, (text) => parseShard(text, process.env))
    .option("--t2t", "also keep each candidate's highest text-to-text score (setting: band.tauText)", false)
    .option("--timing", "tell which stage holds the work back", false)
    .addHelpText("after", "\nExample:\n  nemosaic mine pool --rank t2i --depth 1024 --candidates train")
    .action(
      action(async (folder: string, options: MineOptions & SharedOptions) => {
        if (options.t2t === true && options.shard !== undefined)
          fail(
            "usage",
            'text-to-text scores are added when shards are joined: leave --t2t out here, and run "nemosaic merge POOL --t2t"',
          );
        const pool = await Pool.open(folder);
        try {
          const report = await runMine(pool, options);
          print(
            options,
            { reused: report.reused, mined: report.manifest },
            mineText(options.name, report, options.shard),
          );
        } finally {
          await pool.close();
        }
      }),
    );
}

/** Mines an open pool from its embeddings. */
export async function runMine(pool: Pool, options: MineOptions): Promise<MineReport> {
  const all = imagesOfSplits(pool, options.candidates);
  const opened = await openEmbeddings(pool, options.embeddings);
  let scorer: Scorer;
  let candidates = all;
  if (opened.kind === "lexical") {
    scorer = lexicalScorer(opened.vectors, candidates);
    remark(options, "scores come from words that people wrote about the images, not from CLIP");
  } else {
    const skipped = new Set(opened.skipped);
    candidates = all.filter((row) => !skipped.has(row));
    if (candidates.length < all.length)
      warn(
        `${grouped(all.length - candidates.length)} images could not be decoded when embedding and are no candidates`,
      );
    const threads = options.threads ?? cores();
    const made = createDenseScorer(opened.images, opened.expressions, { candidates, threads, files: true });
    scorer = await made.catch(async (error: unknown) => {
      await Promise.all([opened.images.close(), opened.expressions.close()]);
      throw error;
    });
  }
  const timing: StageTiming | undefined = options.timing ? stageTiming(() => performance.now()) : undefined;
  try {
    const report = await minePool(pool, scorer, {
      name: options.name,
      rank: options.rank,
      depth: options.depth,
      candidates,
      candidateSplits: options.candidates,
      relevance: { kind: opened.kind, model: opened.model, hash: opened.hash },
      force: options.force,
      progress: progressOf(options),
      ...(options.shard === undefined ? {} : { shard: options.shard }),
      ...(timing === undefined ? {} : { timing }),
    });
    if (options.shard === undefined) {
      const { name, force } = options;
      const progress = progressOf(options);
      const mined = report.manifest;
      await mineNeighbours(pool, scorer, { name, mined, candidates, depth: neighbourDepth, force, progress });
      if (options.t2t) await addTextScores(pool, options);
      await removeMinedRemains(minedFolder(pool.folder, name));
    }
    if (timing !== undefined) process.stderr.write(`${timingText(timing, timingAdvice)}\n`);
    return report;
  } finally {
    await scorer.close();
  }
}

/** Removes what is left of a set's extras that are finished: a run that was killed while it tidied leaves that. */
export async function removeMinedRemains(folder: string): Promise<void> {
  const finished: string[] = [];
  for (const [name, { manifest }] of Object.entries(minedExtras))
    if (await exists(join(folder, manifest))) finished.push(`.partial-${name}`);
  await removeRemains(folder, finished);
}

/** Text-to-text scores of a mined set, from the same embeddings. */
async function addTextScores(pool: Pool, options: MineOptions): Promise<void> {
  const { name, force } = options;
  const opened = await openEmbeddings(pool, options.embeddings);
  const rows = expressionsByImage(pool);
  let scorer: Scorer;
  if (opened.kind === "lexical") {
    const { index, expressions } = opened.vectors;
    scorer = lexicalScorer({ index: { ...index, images: expressions }, expressions }, rows);
  } else {
    await opened.images.close();
    const threads = options.threads ?? cores();
    const made = createDenseScorer(opened.expressions, opened.expressions, { candidates: rows, threads });
    scorer = await made.catch(async (error: unknown) => {
      await opened.expressions.close();
      throw error;
    });
  }
  let mined: Mined | undefined;
  try {
    mined = await Mined.open(pool.folder, name, pool.manifest.hash);
    if (mined !== undefined) await mineTextScores(pool, mined, scorer, { name, force, progress: progressOf(options) });
  } finally {
    await mined?.close();
    await scorer.close();
  }
}

/** The report of mining for people. */
export function mineText(name: string, { reused, manifest }: MineReport, shard?: Shard): string {
  const { own, t2i } = manifest.scores;
  return (
    `mined/${name}${shard === undefined ? "" : `, shard ${shardText(shard)} of`}: ${grouped(manifest.expressions)} expressions × ${grouped(manifest.depth)} of ${grouped(manifest.candidates.count)} candidates by ${manifest.rank}` +
    `${reused ? " (mined already, nothing to do)" : ""}\n` +
    `  median score: own image ${own["0.5"]?.toFixed(3) ?? "–"}, mined candidates ${t2i["0.5"]?.toFixed(3) ?? "–"}`
  );
}
