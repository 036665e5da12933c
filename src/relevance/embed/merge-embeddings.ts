import { rename } from "node:fs/promises";
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
import { exists, hashFile, producer, writeFileAtomic } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { distinctTexts } from "./embed.ts";
import {
  embeddingsStaging,
  type MatrixName,
  type MatrixPart,
  type MatrixSettings,
  readMatrixManifest,
  readMatrixPart,
} from "./manifest.ts";

type Parts = Readonly<Record<MatrixName, MatrixPart>>;

/**
 * Joins the parts that shards of `embedSources` left in `folder` to the bytes that one run would give, and removes
 * them. `texts` are the rows of `expressions.npy`. False where there are no parts. Run again, it does nothing, or goes
 * on where it was killed. Errors: "incomplete" for missing shards, by name; "bad-input" for parts of different settings,
 * for a shard that is there twice, and for texts that are not those of the parts; "exists" for finished vectors of other
 * inputs or settings without `force`; "checksum"; "locked". Whatever the error, finished vectors stay as they were.
 */
export async function mergeEmbeddings(
  folder: string,
  texts: readonly string[],
  { force }: { readonly force: boolean },
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
    if (!force)
      for (const name of ["images", "expressions"] as const) await refuseOther(folder, name, parts[0][name].key);
    await makeAside(folder, embeddingsStaging, async (staging) => {
      await mergeMatrix(staging, parts, "images");
      await mergeMatrix(staging, parts, "expressions", texts);
      return ["images.json", "expressions.json"];
    });
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
  texts?: readonly string[],
): Promise<void> {
  const { settings, key } = parts[0][name];
  const { dimension, count } = settings;
  const order = texts === undefined ? undefined : distinctTexts(texts);
  const rows = order?.distinct.length ?? count;
  const shares = parts.map(({ part, [name]: { rows: range, hash } }) => ({ part, rows: range, hash }));
  requireAllRows(shares, rows, `rows of this pool's ${name}`);
  if (order !== undefined && order.order.length !== count)
    fail(
      "bad-input",
      `expected the parts in "${partsFolder(staging.place)}" to be of this pool's ${name}; embed again`,
    );
  const file = `${name}.npy`;
  const column: Column = { file, dtype: "float32", shape: [rows, dimension] };
  await joinColumn(staging, column, shares);
  if (order !== undefined) {
    await gatherRows(staging.path(file), staging.path(`ordered-${file}`), order.order);
    await rename(staging.path(`ordered-${file}`), staging.path(file));
  }
  const skipped = parts.flatMap((part) => part[name].skipped);
  const manifest: MatrixSettings = { ...settings, producer, key, hash: await hashFile(staging.path(file)), skipped };
  await writeFileAtomic(staging.path(`${name}.json`), `${JSON.stringify(manifest, undefined, 1)}\n`);
}
