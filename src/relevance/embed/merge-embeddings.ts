import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Column,
  finishSwap,
  gatherRows,
  joinColumn,
  makeAside,
  type Part,
  partsFolder,
  requireAllRows,
  requireSameRun,
  type ShardFolder,
  type Staging,
  withParts,
} from "../../artefacts/index.ts";
import { encodeNpy } from "../../codecs/index.ts";
import { exists, hashFile, producer, writeFileAtomic } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { distinctTexts, oncePerRow, wholeImages } from "./embed.ts";
import type { ImageCrops } from "./embed-options.ts";
import {
  type CropFacts,
  cropFacts,
  embeddingsStaging,
  type MatrixName,
  type MatrixPart,
  type MatrixSettings,
  partFiles,
  readMatrixManifest,
  readMatrixPart,
} from "./manifest.ts";

type Parts = Readonly<Record<MatrixName, MatrixPart>>;

/**
 * Joins the parts that shards of `embedSources` left in `folder` to the bytes that one run would give, and removes
 * them. `texts` are the rows of `expressions.npy`; `cropsOf` gives the crops that a manifest names. False where there are
 * no parts. Run again, it does nothing, or goes on where it was killed. Errors: "incomplete" for missing shards, by name,
 * and for other crops than the parts'; "bad-input" for parts of different settings, for a shard that is there twice, and
 * for texts that are not those of the parts; "exists" for finished vectors of other
 * inputs or settings without `force`; "checksum"; "locked". Whatever the error, finished vectors stay as they were.
 */
export async function mergeEmbeddings(
  folder: string,
  texts: readonly string[],
  {
    force,
    cropsOf,
  }: { readonly force: boolean; readonly cropsOf?: ((facts: CropFacts) => Promise<ImageCrops>) | undefined },
): Promise<boolean> {
  const files = ["images.json", "images.npy", "expressions.json", "expressions.npy"];
  const read = async ({ folder: place }: ShardFolder): Promise<Parts> => ({
    images: await readMatrixPart(place, "images"),
    expressions: await readMatrixPart(place, "expressions"),
  });
  return withParts(folder, { files, read }, async (parts) => {
    for (const name of ["images", "expressions"] as const)
      requireSameRun(
        parts.map(({ part, [name]: { shard, key, settings } }) => ({ part, said: shard, key, facts: settings })),
      );
    await finishSwap(folder, embeddingsStaging);
    const facts = cropFacts(parts[0].images.settings);
    const crops = facts === undefined ? undefined : await cropsOf?.(facts);
    if (crops?.hash !== facts?.boxes)
      fail(
        "incomplete",
        `the parts in "${partsFolder(folder)}" are of crops from before the pool changed; run the shards again`,
      );
    if (!force)
      for (const name of ["images", "expressions"] as const) await refuseOther(folder, name, parts[0][name].key);
    await makeAside(folder, embeddingsStaging, async (staging) => {
      await mergeMatrix(staging, parts, "images", crops && { order: wholeImages(crops.starts), starts: crops.starts });
      await mergeMatrix(staging, parts, "expressions", distinctTexts(texts));
      return ["images.json", "expressions.json"];
    });
    if (crops === undefined) for (const file of Object.values(partFiles)) await rm(join(folder, file), { force: true });
  });
}

async function refuseOther(folder: string, name: MatrixName, key: string): Promise<void> {
  const path = join(folder, `${name}.npy`);
  if (!(await exists(path)) || !(await exists(join(folder, `${name}.json`)))) return;
  const finished = await readMatrixManifest(folder, name).catch(() => undefined);
  if (finished?.key !== key)
    fail("exists", `"${path}" holds vectors of other inputs or settings beside the parts. Use --force to replace them`);
}

async function mergeMatrix(
  staging: Staging,
  parts: readonly [Part<Parts>, ...Part<Parts>[]],
  name: MatrixName,
  given: { readonly order?: Int32Array; readonly distinct?: readonly string[]; readonly starts?: Int32Array } = {},
): Promise<void> {
  const { settings, key } = parts[0][name];
  const { dimension, count } = settings;
  const { order, distinct, starts } = given;
  const rows = distinct?.length ?? starts?.at(-1) ?? count;
  const shares = parts.map(({ part, [name]: { rows: range, hash } }) => ({ part, rows: range, hash }));
  requireAllRows(shares, rows, `rows of this pool's ${name}`);
  if (order !== undefined && order.length !== count)
    fail(
      "bad-input",
      `expected the parts in "${partsFolder(staging.place)}" to be of this pool's ${name}; embed again`,
    );
  const file = `${name}.npy`;
  const column: Column = { file, dtype: "float32", shape: [rows, dimension] };
  await joinColumn(staging, column, shares);
  if (order !== undefined) {
    await gatherRows(staging.path(file), staging.path(`ordered-${file}`), order);
    if (starts !== undefined) {
      await rename(staging.path(file), staging.path(partFiles.vectors));
      await writeFileAtomic(staging.path(partFiles.starts), encodeNpy(starts, [starts.length]));
    }
    await rename(staging.path(`ordered-${file}`), staging.path(file));
  }
  const skipped = oncePerRow(parts.flatMap((part) => part[name].skipped));
  const manifest: MatrixSettings = { ...settings, producer, key, hash: await hashFile(staging.path(file)), skipped };
  await writeFileAtomic(staging.path(`${name}.json`), `${JSON.stringify(manifest, undefined, 1)}\n`);
}
