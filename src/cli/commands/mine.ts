import type { Command } from "commander";
import {
  formatCount,
  formatNumber,
  type Shard,
  type StageTiming,
  shardText,
  stageTiming,
  timingText,
} from "../../io/index.ts";
import { type Difficulty, difficultyWarnings, Loader, measureDifficulty, splitsOf } from "../../loader/index.ts";
import type { MineReport, Rank } from "../../mining/index.ts";
import { Pool } from "../../pool/index.ts";
import { mine } from "../../steps/index.ts";
import { difficultyLines } from "../difficulty-text.ts";
import {
  action,
  choiceOption,
  integerOption,
  listenerOf,
  listOption,
  print,
  readSettings,
  type SharedOptions,
  warn,
  withShared,
} from "../session.ts";
import { parseShard, shardHelp } from "../shard.ts";

interface Options extends SharedOptions {
  readonly rank: Rank;
  readonly depth: number;
  readonly candidates: string[];
  readonly name: string;
  readonly embeddings?: string;
  readonly threads?: number;
  readonly shard?: Shard;
  readonly t2t: boolean;
  readonly sentences: boolean;
  readonly timing: boolean;
}

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
    .option("--embeddings <name>", "which embeddings, if the pool has several")
    .option(
      "--threads <n>",
      "threads of the matrix product and the estimates (default: all cores)",
      integerOption("--threads", 1),
    )
    .option("--shard <i/n>", shardHelp, (text) => parseShard(text, process.env))
    .option("--t2t", "also keep each candidate's highest text-to-text score (setting: band.tauText)", false)
    .option(
      "--sentences",
      "also rank for each image the sentences that score it best (setting: gres.negativeSource)",
      false,
    )
    .option("--timing", "say which stage is slowest, and what to set", false)
    .addHelpText("after", "\nExample:\n  nemosaic mine pool --rank t2i --depth 1024 --candidates train")
    .action(
      action(async (folder: string, options: Options) => {
        const timing: StageTiming | undefined = options.timing ? stageTiming(() => performance.now()) : undefined;
        const { rank, depth, candidates, name, embeddings, threads, shard, t2t, sentences, force } = options;
        const given = { rank, depth, candidates, name, embeddings, threads, shard, t2t, sentences, force, timing };
        const report = await mine(folder, given, listenerOf(options));
        if (timing !== undefined) process.stderr.write(`${timingText(timing, timingAdvice)}\n`);
        const difficulty = shard === undefined ? await difficultyOf(folder, options) : undefined;
        print(
          options,
          { reused: report.reused, mined: report.manifest, difficulty: difficulty ?? null },
          [mineText(name, report, shard), ...(difficulty === undefined ? [] : difficultyLines(difficulty))].join(
            "\n  ",
          ),
        );
        for (const warning of difficulty === undefined ? [] : difficultyWarnings(difficulty)) warn(warning);
      }),
    );
}

/** How hard and safe the negatives are that the settings here would draw; undefined where no split is trained on. */
async function difficultyOf(folder: string, options: Options): Promise<Difficulty | undefined> {
  const settings = await readSettings({ ...options, quiet: true });
  const pool = await Pool.open(folder);
  try {
    if (!splitsOf(pool).includes("train")) return undefined;
    const loader = await Loader.open(pool, { ...settings, mined: options.name }, { seed: options.seed });
    try {
      return measureDifficulty(loader);
    } finally {
      await loader.close();
    }
  } finally {
    await pool.close();
  }
}

/** The report of mining for people. */
function mineText(name: string, { reused, manifest }: MineReport, shard?: Shard): string {
  const { own, t2i } = manifest.scores;
  return (
    `mined/${name}${shard === undefined ? "" : `, shard ${shardText(shard)}`}: ${formatCount(manifest.expressions, "expression")} × ${formatNumber(manifest.depth)} of ${formatCount(manifest.candidates.count, "candidate")} by ${manifest.rank}` +
    `${reused ? " (mined already, nothing to do)" : ""}\n` +
    `  median score: own image ${own["0.5"]?.toFixed(3) ?? "–"}, mined candidates ${t2i["0.5"]?.toFixed(3) ?? "–"}`
  );
}
