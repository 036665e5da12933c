import type { Command } from "commander";
import { grouped, type Shard, shardText } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { Pool } from "../../pool/index.ts";
import {
  type Dtype,
  defaultModel,
  dtypeNames,
  embeddingsName,
  embedPool,
  embedPoolLexical,
  hubAccess,
  type ImageTextModel,
  lexicalName,
  openRelevance,
} from "../../relevance/index.ts";
import {
  action,
  choiceOption,
  integerOption,
  print,
  progressOf,
  remark,
  type SharedOptions,
  withShared,
} from "../session.ts";
import { parseShard, shardHelp } from "../shard.ts";

export interface EmbedOptions extends Pick<SharedOptions, "force" | "quiet" | "json"> {
  readonly model: string;
  readonly device: "cpu" | "cuda";
  readonly dtype: Dtype;
  readonly offline: boolean;
  readonly cacheDir?: string;
  readonly onBad: "fail" | "skip";
  readonly name?: string;
  readonly threads?: number;
  readonly batch?: number;
  readonly shard?: Shard;
}

/** What became of the embeddings, for the report. */
export interface EmbedResult {
  readonly name: string;
  readonly model: string;
  readonly reused: boolean;
  readonly skippedImages: number;
  readonly text: string;
}

export function embedCommand(program: Command): void {
  withShared(program.command("embed <pool>"))
    .description("turn images and expressions into vectors with an image-text model (CLIP, SigLIP, …)")
    .option(
      "--model <id|folder>",
      `hub id, folder in the hub's layout, "scene-clip" (comes along, for drawn scenes), "lexical" (words, no download), or "auto" = ${defaultModel}, else lexical; without --model it has to be the former`,
      "clip",
    )
    .option("--device <name>", "cpu or cuda", choiceOption("--device", ["cpu", "cuda"]), "cpu")
    .option("--dtype <name>", `which weights: ${dtypeNames.join(", ")}`, choiceOption("--dtype", dtypeNames), "fp32")
    .option("--offline", "never touch the network", false)
    .option("--cache-dir <folder>", "where models are kept (default: the Hugging Face cache)")
    .option(
      "--on-bad <policy>",
      "fail or skip: what to do with an image that cannot be decoded",
      choiceOption("--on-bad", ["fail", "skip"]),
      "fail",
    )
    .option("--name <name>", "the name under embeddings/ (default: the model's)")
    .option("--threads <n>", "threads of the model (default: all cores)", integerOption("--threads", 1))
    .option("--batch <n>", "images that are decoded and written together; default 16", integerOption("--batch", 1))
    .option("--shard <i/n>", shardHelp, (text) => parseShard(text, process.env))
    .addHelpText(
      "after",
      "\nExamples:\n  nemosaic embed pool --model Xenova/clip-vit-base-patch32\n  nemosaic embed pool --model lexical",
    )
    .action(
      action(async (folder: string, options: EmbedOptions & SharedOptions) => {
        const pool = await Pool.open(folder);
        try {
          const { text, ...result } = await runEmbed(pool, options);
          print(options, result, text);
        } finally {
          await pool.close();
        }
      }),
    );
}

/** Embeds an open pool with the model that the options name. */
export async function runEmbed(pool: Pool, options: EmbedOptions): Promise<EmbedResult> {
  const hub = hubAccess(process.env, {
    ...(options.offline ? { offline: true } : {}),
    ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
  });
  const opened = await openRelevance(options.model, {
    hub,
    device: options.device,
    dtype: options.dtype,
    progress: progressOf(options),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  for (const note of opened.notes) remark(options, note);
  if (opened.kind === "lexical") {
    if (options.name !== undefined && options.name !== lexicalName) {
      fail("usage", `the lexical relevance is always kept as embeddings/${lexicalName}; leave --name out`);
    }
    if ((options.shard?.index ?? 0) > 0) {
      const text = `embeddings/${lexicalName}: nothing to do for shard ${shardText(options.shard ?? { index: 0, count: 1 })}, the first one makes it`;
      return { name: lexicalName, model: "lexical", reused: true, skippedImages: 0, text };
    }
    const { reused, words } = await embedPoolLexical(pool, options);
    const text = `embeddings/${lexicalName}: ${grouped(words)} words${reused ? " (there already, nothing to do)" : ""}; this is not CLIP`;
    return { name: lexicalName, model: "lexical", reused, skippedImages: 0, text };
  }
  try {
    return await embedWith(pool, opened.model, options);
  } finally {
    await opened.model.close();
  }
}

async function embedWith(pool: Pool, model: ImageTextModel, options: EmbedOptions): Promise<EmbedResult> {
  const name = options.name ?? embeddingsName(model.id);
  const report = await embedPool(pool, model, {
    name,
    onBad: options.onBad,
    force: options.force,
    progress: progressOf(options),
    ...(options.batch === undefined ? {} : { imageBatch: options.batch }),
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  });
  const made = options.shard === undefined ? report.distinctTexts : report.expressions.rows;
  const reused = report.images.reused === report.images.rows && report.expressions.reused >= made;
  const skippedImages = report.images.skipped.length;
  const text =
    `embeddings/${name}${options.shard === undefined ? "" : `, shard ${shardText(options.shard)}`}: ${grouped(report.images.rows)} images, ${grouped(report.expressions.rows)} expressions (${grouped(report.distinctTexts)} distinct), ${model.dimension} numbers each` +
    `${reused ? " (there already, nothing to do)" : ""}${skippedImages > 0 ? `\n  skipped ${grouped(skippedImages)} images that could not be decoded` : ""}`;
  return { name, model: model.id, reused, skippedImages, text };
}
