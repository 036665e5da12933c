import type { Command } from "commander";
import { formatCount, formatNumber, type Shard, shardText } from "../../io/index.ts";
import { type Dtype, defaultModel, dtypeNames, hubAccess } from "../../relevance/index.ts";
import { type EmbedStepReport, embed } from "../../steps/index.ts";
import { action, choiceOption, integerOption, listenerOf, print, type SharedOptions, withShared } from "../session.ts";
import { parseShard, shardHelp } from "../shard.ts";

interface Options extends SharedOptions {
  readonly model: string;
  readonly device: "cpu" | "cuda";
  readonly dtype: Dtype;
  readonly offline: boolean;
  readonly cacheDir?: string;
  readonly onBad: "fail" | "skip";
  readonly name?: string;
  readonly threads?: number;
  readonly batch?: number;
  readonly crops?: string;
  readonly shard?: Shard;
}

export function embedCommand(program: Command): void {
  withShared(program.command("embed <pool>"), { sampling: false, seed: false })
    .description("turn images and expressions into vectors with an image-text model (CLIP, SigLIP, …)")
    .option(
      "--model <id|folder>",
      `hub id; folder in the hub's layout; "clip" (${defaultModel}); "scene-clip" (included, for scenes); "lexical" (words, no download); or "auto" (clip, or lexical if clip cannot be had)`,
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
    .option(
      "--crops <kinds>",
      'also embed crops of each image, the best of which counts: "objects" (about each annotated one), "objects:N" (the N largest), "grid:N" (N × N tiles), "objects,grid:N"',
    )
    .option("--shard <i/n>", shardHelp, (text) => parseShard(text, process.env))
    .addHelpText(
      "after",
      "\nFinished vectors are kept. --force makes them again, and replaces them when the new ones are complete.\n\nExamples:\n  nemosaic embed pool --model Xenova/clip-vit-base-patch32\n  nemosaic embed pool --model lexical\n  nemosaic embed pool --crops objects",
    )
    .action(
      action(async (folder: string, options: Options) => {
        const { model, device, dtype, onBad, name, threads, batch, crops, shard, force } = options;
        const given = { model, device, dtype, onBad, name, threads, batch, crops, shard, force, hub: hubOf(options) };
        const report = await embed(folder, given, listenerOf(options));
        const result = {
          name: report.name,
          model: report.model,
          reused: report.reused,
          skippedImages: report.skipped.length,
        };
        print(options, result, embedText(report, shard));
      }),
    );
}

/** The hub as the environment and the options say. */
export function hubOf({ offline, cacheDir }: { readonly offline: boolean; readonly cacheDir?: string }) {
  return hubAccess(process.env, {
    ...(offline ? { offline: true } : {}),
    ...(cacheDir === undefined ? {} : { cacheDir }),
  });
}

/** The report of embedding for people. */
function embedText({ name, reused, skipped, made }: EmbedStepReport, shard: Shard | undefined): string {
  const place = `embeddings/${name}`;
  const nothing = reused ? " (there already, nothing to do)" : "";
  switch (made.kind) {
    case "none":
      return `${place}: nothing to do for shard ${shardText(shard ?? { index: 0, count: 1 })}, the first one makes it`;
    case "words":
      return `${place}: ${formatCount(made.words, "word")}${nothing}; this is not CLIP`;
    case "vectors": {
      const part = shard === undefined ? "" : `, shard ${shardText(shard)}`;
      const { images, crops, expressions, distinctTexts, dimension } = made;
      const vectors = crops === undefined ? "" : ` (${formatCount(crops, "vector")} with crops)`;
      const counts = `${formatCount(images, "image")}${vectors}, ${formatCount(expressions, "expression")} (${formatNumber(distinctTexts)} distinct)`;
      const lost =
        skipped.length === 0 ? "" : `\n  skipped ${formatCount(skipped.length, "image")} that could not be decoded`;
      return `${place}${part}: ${counts}, ${dimension} dimensions${nothing}${lost}`;
    }
  }
}
