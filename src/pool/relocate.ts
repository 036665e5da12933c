import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import pMap from "p-map";
import {
  formatCount,
  formatNumber,
  hashFile,
  type Progress,
  pathBelow,
  withLock,
  writeFileAtomic,
} from "../io/index.ts";
import { fail, isInputError } from "../model/index.ts";
import { rootText } from "./import-pool.ts";
import { readManifest } from "./manifest.ts";
import { Pool } from "./pool.ts";

export interface RelocateOptions {
  /** The folder that holds the images now. */
  readonly images: string;
  /** Which of the pool's folders moved: its place in pool.json's roots. Needed where several hold images. */
  readonly root?: number | undefined;
  readonly progress: Progress;
}

/** What moved, for the report. */
export interface Relocation {
  readonly from: string;
  readonly to: string;
  readonly images: number;
}

/**
 * Tells a pool where a folder of its images lies now. Every image is looked at before: it has to be there with the
 * content that the pool was made of. Only `roots` of pool.json changes, so that embeddings, mined sets and tiles stay
 * valid. Errors: "not-found" and "checksum" with the number of images that are missing or others, and nothing is
 * changed; "usage" where several folders hold images and none was chosen; "locked".
 */
export async function relocatePool(folder: string, options: RelocateOptions): Promise<Relocation> {
  const { images, progress } = options;
  if (!(await stat(images).catch(() => undefined))?.isDirectory())
    fail("not-found", `expected the images' folder at "${images}", found no folder there`);
  return withLock(folder, "relocate", async () => {
    const manifest = await readManifest(folder);
    const pool = await Pool.open(folder);
    try {
      const root = chooseRoot(pool, manifest.roots, options.root);
      const rows = Array.from(pool.images.root, (own, row) => (own === root ? row : -1)).filter((row) => row >= 0);
      const isLinked = manifest.linkedRoots?.includes(root) === true;
      await checkImages(pool, rows, resolve(images), isLinked, progress);
      const to = await rootText(folder, images);
      const roots = manifest.roots.map((path, at) => (at === root ? to : path));
      await writeFileAtomic(join(folder, "pool.json"), `${JSON.stringify({ ...manifest, roots }, undefined, 2)}\n`);
      return { from: manifest.roots[root] ?? "", to, images: rows.length };
    } finally {
      await pool.close();
    }
  });
}

function chooseRoot(pool: Pool, roots: readonly string[], given: number | undefined): number {
  const used = [...new Set(pool.images.root)].filter((root) => root >= 0).sort((a, b) => a - b);
  const listed = used.map((root) => `${root}: ${roots[root]}`).join(", ");
  const [only] = used;
  if (only === undefined) fail("usage", `every image is packed into "${pool.folder}"; there is no folder to relocate`);
  if (given === undefined && used.length > 1)
    fail("usage", `the pool's images are in several folders (${listed}); choose one with --root`);
  if (given !== undefined && !used.includes(given))
    fail("usage", `expected --root to be one of ${listed}, got ${given}`);
  return given ?? only;
}

async function checkImages(
  pool: Pool,
  rows: readonly number[],
  images: string,
  isLinked: boolean,
  progress: Progress,
): Promise<void> {
  const task = progress.begin("check images", rows.length, "images");
  const [missing, others]: [string[], string[]] = [[], []];
  try {
    await pMap(
      rows,
      async (row) => {
        task.advance();
        const name = pool.imageName(row);
        try {
          const path = await pathBelow(images, name, isLinked);
          if ((await hashFile(path)) !== pool.images.hash[row]) others.push(name);
        } catch (error) {
          if (!isInputError(error)) throw error;
          missing.push(name);
        }
      },
      { concurrency: 8 },
    );
  } finally {
    task.end();
  }
  const count = (names: readonly string[]): string =>
    `${formatNumber(names.length)} of ${formatCount(rows.length, "image")}`;
  const nothing = "nothing was changed";
  if (missing.length > 0)
    fail("not-found", `expected "${missing.sort()[0]}" in "${images}"; ${count(missing)} are not there, ${nothing}`);
  if (others.length > 0)
    fail(
      "checksum",
      `"${others.sort()[0]}" in "${images}" has other content than the pool's; so have ${count(others)}, ${nothing}`,
    );
}
