/*
 * What is added to a mined set beside its columns: files of its own, made step by step, and a manifest that names the mined set
 * that they belong to. A killed run goes on where it was and ends with the same bytes; an earlier one stays until the new one
 * is whole.
 *
 * To add a column, a number for each candidate of each expression:
 *
 *   1. declare it in `minedExtras` (pool/mined.ts): its format, file, type, and `of: "candidates"`. `Mined.row(expression)` then
 *      has it under its name, as float32, cut as the ids are;
 *   2. make it: `makeExtra(folder, "risk", { mined, shape: [expressions, depth], … }, async (start, count) => [block])`, where
 *      block holds the numbers of `count` expressions from row `start` on;
 *   3. call that in `steps/mine.ts`, beside the neighbours, and describe the file in docs/formats/pool.md.
 */
import { join } from "node:path";
import { finishSwap, openColumns, openStaging, removeStaging } from "../../artefacts/index.ts";
import type { NpyArray } from "../../codecs/index.ts";
import { exists, hashJson, type Progress, producer, withLock, writeFileAtomic } from "../../io/index.ts";
import { type MinedExtra, type MinedManifest, minedExtras, readExtraManifest } from "../../pool/index.ts";

export interface ExtraOptions {
  /** The mined set that the extra belongs to. */
  readonly mined: MinedManifest;
  /** Of each of its columns. */
  readonly shape: readonly [rows: number, width: number];
  /** What its manifest says beside the mined set's hash; under other facts the work starts over. */
  readonly facts: object;
  /** Rows per step: what is lost when a run is killed. Never changes a byte. */
  readonly stepRows: number;
  /** Make it again where it is there already. */
  readonly force: boolean;
  readonly progress: Progress;
  /** What it is called there, and what its rows are. */
  readonly label: string;
  readonly unit: string;
}

/**
 * Adds an extra to the mined set in `folder`, from what `make` gives for `count` rows from row `start` on: a block [count,
 * width] for each of its columns, in the order of `minedExtras`. Does nothing where it is there, made for that very mined set,
 * and `force` is off. Errors: "locked"; those of `make`.
 */
export async function makeExtra(
  folder: string,
  name: MinedExtra,
  options: ExtraOptions,
  make: (start: number, count: number) => Promise<readonly NpyArray[]>,
): Promise<void> {
  await withLock(folder, "mine", async () => {
    await finishSwap(folder, name);
    if (options.force || !(await hasExtra(folder, name, options.mined.hash)))
      await writeExtra(folder, name, options, make);
    else await removeStaging(folder, name); // of a run that was killed when it was done
  });
}

async function hasExtra(folder: string, name: MinedExtra, mined: string): Promise<boolean> {
  const known = await readExtraManifest(folder, name).catch(() => undefined);
  if (known?.mined !== mined) return false;
  const files = Object.values(minedExtras[name].columns).map(({ file }) => file);
  return (await Promise.all(files.map((file) => exists(join(folder, file))))).every(Boolean);
}

async function writeExtra(
  folder: string,
  name: MinedExtra,
  { mined, shape, facts, stepRows, progress, label, unit }: ExtraOptions,
  make: (start: number, count: number) => Promise<readonly NpyArray[]>,
): Promise<void> {
  const { format, version, manifest, columns: declared } = minedExtras[name];
  const columns = Object.values(declared).map((column) => ({ ...column, shape }));
  const key = hashJson({ format, version, mined: mined.hash, facts, shapes: columns.map(() => shape) });
  const staging = await openStaging(folder, name);
  const [rows] = shape;
  const writer = await openColumns(staging, { name, key, rows, columns });
  const task = progress.begin(label, rows, unit);
  try {
    task.advance(writer.done);
    while (writer.done < rows) {
      const count = Math.min(stepRows, rows - writer.done);
      await writer.write(await make(writer.done, count));
      task.advance(count);
    }
  } finally {
    await writer.close();
    task.end();
  }
  const content = { format, version, producer, mined: mined.hash, ...facts };
  await writeFileAtomic(staging.path(manifest), `${JSON.stringify(content, undefined, 2)}\n`);
  await staging.commit([manifest]);
}
