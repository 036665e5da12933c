import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { formatCount, formatNumber } from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { importVectors } from "../../steps/index.ts";
import { action, choiceOption, listenerOf, print, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly images: string;
  readonly imageKeys: string;
  readonly expressions: string;
  readonly expressionKeys: string;
  readonly many: boolean;
  readonly name: string;
  readonly about?: string;
  readonly onBad: "fail" | "skip";
}

export function importVectorsCommand(program: Command): void {
  withShared(program.command("import-vectors <pool>"), { sampling: false, seed: false })
    .description("import vectors that you made yourself as embeddings, to mine with")
    .requiredOption("--images <file>", "image vectors: .npy, float16 or float32 [rows, width]")
    .requiredOption(
      "--image-keys <file>",
      "text, a line a row: the image's path or file name in the pool, or its SHA-256",
    )
    .requiredOption("--expressions <file>", "expression vectors, of the same width")
    .requiredOption("--expression-keys <file>", "text, a line a row: source/ref/sentence")
    .option("--many", "an image may have several vectors, the whole picture's first; the best of them counts", false)
    .option("--name <name>", "the name under embeddings/", "vectors")
    .option("--about <file>", "JSON with the model {id, hash} and settings that made them, for the manifests")
    .option(
      "--on-bad <policy>",
      "fail or skip: what to do with an image without a usable vector",
      choiceOption("--on-bad", ["fail", "skip"]),
      "fail",
    )
    .addHelpText(
      "after",
      '\n"nemosaic keys pool" lists images and expressions with their keys.\n\nExample:\n  nemosaic import-vectors pool --images images.npy --image-keys images.txt \\\n    --expressions texts.npy --expression-keys texts.txt --name ours\n  nemosaic mine pool --embeddings ours',
    )
    .action(
      action(async (folder: string, options: Options) => {
        const { name, many, onBad, force } = options;
        const report = await importVectors(
          folder,
          {
            images: { vectors: options.images, keys: options.imageKeys },
            expressions: { vectors: options.expressions, keys: options.expressionKeys },
            name,
            many,
            about: options.about === undefined ? undefined : await readAbout(options.about),
            onBad,
            force,
          },
          listenerOf(options),
        );
        const { images, expressions, dimension, reused } = report;
        const told = `embeddings/${name}: ${formatCount(images.rows, "image")}, ${formatCount(expressions.rows, "expression")}, ${formatNumber(dimension)} dimensions${reused ? " (there already, nothing to do)" : ""}`;
        print(options, { name, ...report }, told);
      }),
    );
}

async function readAbout(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(path, "utf8").catch((error: Error) =>
    fail("not-found", `cannot read ${quoteValue(path)}: ${error.message}`, error),
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return fail("bad-input", `expected JSON in ${quoteValue(path)}: ${(error as Error).message}`, error);
  }
  const model = Object(Object(value).model) as { id?: unknown; hash?: unknown };
  if (typeof model.id === "string" && typeof model.hash === "string") return value as Record<string, unknown>;
  return fail("bad-input", `expected {"model": {"id", "hash"}, …} in ${quoteValue(path)}, got ${quoteValue(value)}`);
}
