import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { NpyReader } from "../codecs/index.ts";
import { hashJson, ifMissing } from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { Mined, Pool } from "../pool/index.ts";

/** Image vectors read by row; close it when done. */
export interface ImageVectors {
  /** A fresh unit vector. */
  read(image: number): Float32Array;
  close(): Promise<void>;
}

/**
 * Opens the image embeddings that a mined set was ranked with. Errors: "incomplete" where the pool does not hold them,
 * as for lexical relevance, which has no vectors.
 */
export async function openImageVectors(pool: Pool, mined: Mined): Promise<ImageVectors> {
  const root = join(pool.folder, "embeddings");
  for (const name of await readdir(root).catch(ifMissing([]))) {
    const keys = await Promise.all(["images", "expressions"].map((part) => keyOf(join(root, name, `${part}.json`))));
    if (hashJson(keys) !== mined.manifest.relevance.hash) continue;
    const reader = await NpyReader.open(join(root, name, "images.npy"));
    if (reader.shape.length !== 2 || reader.shape[0] !== pool.images.count) {
      await reader.close();
      fail(
        "bad-input",
        `expected a row for each of ${pool.images.count} images in "${reader.path}"; embed again with --force`,
      );
    }
    return { read: (image) => reader.rowsAsFloat32Sync(image, 1), close: () => reader.close() };
  }
  return fail(
    "incomplete",
    `draw.method "mmr" needs the image vectors that mined/${mined.manifest.relevance.kind} scores come from, and "${root}" has none of them; run "nemosaic embed" with an image-text model and mine again, or set another draw.method`,
  );
}

async function keyOf(path: string): Promise<unknown> {
  try {
    return (JSON.parse(await readFile(path, "utf8")) as { key?: unknown }).key;
  } catch {
    return undefined; // not an embeddings folder, or an unfinished one: the caller goes on to the next
  }
}
