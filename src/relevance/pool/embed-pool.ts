import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { finishSwap, makeAside } from "../../artefacts/index.ts";
import { artefactName, hashJson, ifMissing, makeFolder, type Progress, type Shard, withLock } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { Pool } from "../../pool/index.ts";
import type { ImageTextModel } from "../clip/index.ts";
import { type CropTable, cropTable, parseCrops } from "../crops/index.ts";
import { type EmbedReport, embedSources, mergeEmbeddings } from "../embed/index.ts";
import {
  buildLexicalIndex,
  type ImageWords,
  lexicalHash,
  lexicalManifest,
  lexicalQueries,
  readLexical,
  writeLexical,
} from "../lexical/index.ts";

/** The name of the lexical relevance among a pool's embeddings. */
export const lexicalName = "lexical";

export interface EmbedPoolOptions {
  /** The folder under embeddings/. */
  readonly name: string;
  /** A corrupt image ends the run, or leaves a row of zeros that never becomes a candidate. */
  readonly onBad: "fail" | "skip";
  readonly force: boolean;
  readonly imageBatch?: number;
  readonly progress: Progress;
  /** Makes one share, as a part for `mergePoolEmbeddings`. */
  readonly shard?: Shard;
  /** What is embedded of each image beside the whole. */
  readonly crops?: CropTable | undefined;
}

/** The folder of a model's vectors: embeddings/<name>. */
export function embeddingsFolder(poolFolder: string, name: string): string {
  return join(poolFolder, "embeddings", artefactName(name, "the name of embeddings"));
}

/** The folder name for a model: its hub id with "/" as "--", or its folder's name. */
export function embeddingsName(modelId: string): string {
  const name = /^[\w.-]+\/[\w.-]+$/.test(modelId) ? modelId.replace("/", "--") : basename(modelId);
  return name.replace(/[^\w.-]+/g, "-") || "model";
}

/** Names of a pool's embeddings, finished or not, sorted. */
export async function listEmbeddings(poolFolder: string): Promise<string[]> {
  const entries = await readdir(join(poolFolder, "embeddings"), { withFileTypes: true }).catch(ifMissing([]));
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Embeds every image and expression of a pool with an image-text model. Errors and resuming as `embedSources`. */
export function embedPool(pool: Pool, model: ImageTextModel, options: EmbedPoolOptions): Promise<EmbedReport> {
  return embedSources({
    folder: embeddingsFolder(pool.folder, options.name),
    model,
    images: {
      count: pool.images.count,
      load: (row) => pool.imageBytes(row),
      name: (row) => pool.imageName(row),
      hash: hashJson(pool.images.hash),
      crops: options.crops,
    },
    texts: pool.expressions.sent,
    onBad: options.onBad,
    force: options.force,
    progress: options.progress,
    ...(options.imageBatch === undefined ? {} : { imageBatch: options.imageBatch }),
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  });
}

/** Joins the parts that shards left of the embeddings `name`; false where there are none. Errors as `mergeEmbeddings`. */
export function mergePoolEmbeddings(pool: Pool, name: string, options: { readonly force: boolean }): Promise<boolean> {
  return mergeEmbeddings(embeddingsFolder(pool.folder, name), pool.expressions.sent, {
    ...options,
    cropsOf: ({ of }) => cropTable(pool, parseCrops(of)),
  });
}

/** Writes the lexical relevance of a pool: words instead of pictures, **not CLIP**. Reused where the words are the same. */
export async function embedPoolLexical(
  pool: Pool,
  options: Pick<EmbedPoolOptions, "force">,
): Promise<{ readonly reused: boolean; readonly words: number }> {
  const folder = embeddingsFolder(pool.folder, lexicalName);
  await makeFolder(folder);
  return withLock(folder, "embed", async () => {
    await finishSwap(folder, lexicalName);
    const index = buildLexicalIndex(wordsOfImages(pool));
    if (index.vocabulary.length === 0)
      fail("bad-input", "the pool's expressions and categories hold no words to score by");
    const vectors = { index, expressions: lexicalQueries(index, pool.expressions.sent) };
    const known = options.force ? undefined : await readLexical(folder).catch(() => undefined);
    if (known !== undefined && lexicalHash(known) === lexicalHash(vectors))
      return { reused: true, words: index.vocabulary.length };
    await makeAside(folder, lexicalName, async (staging) => {
      await writeLexical(staging.path(""), vectors);
      return [lexicalManifest];
    });
    return { reused: false, words: index.vocabulary.length };
  });
}

function wordsOfImages(pool: Pool): ImageWords[] {
  const words = Array.from({ length: pool.images.count }, (): { texts: string[]; categories: string[] } => ({
    texts: [],
    categories: [],
  }));
  pool.expressions.sent.forEach((sent, row) => {
    words[pool.refs.image[pool.expressions.ref[row]!]!]?.texts.push(sent);
  });
  pool.annotations.category.forEach((category, row) => {
    words[pool.annotations.image[row]!]?.categories.push(category);
  });
  return words;
}
