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
 *      block holds the numbers of `count` expressions from row `start` on (two columns that are made together: `makeExtras`);
 *   3. call that in `steps/mine.ts`, beside the neighbours, and describe the file in docs/formats/pool.md.
 */
import { join } from "node:path";
import {
  type ColumnsWriter,
  finishSwap,
  openColumns,
  openStaging,
  removeStaging,
  type Staging,
} from "../../artefacts/index.ts";
import type { NpyArray } from "../../codecs/index.ts";
import { exists, hashJson, type Progress, producer, withLock, writeFileAtomic } from "../../io/index.ts";
import { type MinedExtra, type MinedManifest, minedExtras, readExtraManifest } from "../../pool/index.ts";

export interface ExtraOptions {
  /** The mined set that the extra belongs to. */
  readonly mined: MinedManifest;
  /** Of each of its columns. */
  readonly shape: readonly [rows: number, width: number];
  /** Rows per step: what is lost when a run is killed. Never changes a byte. */
  readonly stepRows: number;
  /** Make it again where it is there already. */
  readonly force: boolean;
  readonly progress: Progress;
  /** What it is called there, and what its rows are. */
  readonly label: string;
  readonly unit: string;
}

/** Makes the blocks of several extras together. Closed when all are made, or none can be. */
export interface ExtraMaker {
  /** For each extra, what its manifest says beside the mined set's hash; under other facts the work starts over. */
  readonly facts: readonly object[];
  /** For each extra, a block [count, width] for each of its columns, in the order of `minedExtras`. */
  make(start: number, count: number): Promise<readonly (readonly NpyArray[])[]>;
  close(): Promise<void>;
}

/**
 * Adds an extra to the mined set in `folder`, from what `make` gives for `count` rows from row `start` on: a block [count,
 * width] for each of its columns, in the order of `minedExtras`. Does nothing where it is there, made for that very mined set,
 * and `force` is off. Errors: "locked"; those of `make`.
 */
export function makeExtra(
  folder: string,
  name: MinedExtra,
  { facts, ...options }: ExtraOptions & { readonly facts: object },
  make: (start: number, count: number) => Promise<readonly NpyArray[]>,
): Promise<void> {
  return makeExtras(folder, [name], options, async () => ({
    facts: [facts],
    make: async (start, count) => [await make(start, count)],
    close: async () => undefined,
  }));
}

/**
 * As `makeExtra`, for extras whose rows are made together: `open` is called if one of them is to be made, and what it makes
 * of the others is let go. Each has a journal of its own, so that a killed run goes on behind the last step of each.
 */
export async function makeExtras(
  folder: string,
  names: readonly MinedExtra[],
  options: ExtraOptions,
  open: () => Promise<ExtraMaker>,
): Promise<void> {
  await withLock(folder, "mine", async () => {
    const wanted: MinedExtra[] = [];
    for (const name of names) {
      await finishSwap(folder, name);
      if (options.force || !(await hasExtra(folder, name, options.mined.hash))) wanted.push(name);
      else await removeStaging(folder, name); // of a run that was killed when it was done
    }
    if (wanted.length === 0) return;
    const maker = await open();
    try {
      await writeExtras(folder, names, wanted, options, maker);
    } finally {
      await maker.close();
    }
  });
}

async function hasExtra(folder: string, name: MinedExtra, mined: string): Promise<boolean> {
  const known = await readExtraManifest(folder, name).catch(() => undefined);
  if (known?.mined !== mined) return false;
  const files = Object.values(minedExtras[name].columns).map(({ file }) => file);
  return (await Promise.all(files.map((file) => exists(join(folder, file))))).every(Boolean);
}

/** An extra in the making, with its place among those that are made together. */
interface OpenExtra {
  readonly at: number;
  readonly name: MinedExtra;
  readonly facts: object;
  readonly staging: Staging;
  readonly writer: ColumnsWriter<never>;
}

async function writeExtras(
  folder: string,
  names: readonly MinedExtra[],
  wanted: readonly MinedExtra[],
  options: ExtraOptions,
  maker: ExtraMaker,
): Promise<void> {
  const { mined, shape, stepRows, progress, label, unit } = options;
  const [rows] = shape;
  const opened: OpenExtra[] = [];
  try {
    for (const name of wanted) {
      const at = names.indexOf(name);
      opened.push(await openExtra(folder, { at, name, facts: maker.facts[at] ?? {} }, options));
    }
    const writers = opened.map(({ writer }) => writer);
    const doneByAll = (): number => Math.min(...writers.map(({ done }) => done));
    const task = progress.begin(label, rows - doneByAll(), unit); // as in mine-pool.ts: of this run
    try {
      for (let start = doneByAll(); start < rows; start = doneByAll()) {
        // One that an earlier run left ahead is written again from where it stands.
        const end = Math.min(start + stepRows, rows, ...writers.map(({ done }) => (done > start ? done : rows)));
        const blocks = await maker.make(start, end - start);
        for (const { at, writer } of opened) if (writer.done === start) await writer.write(blocks[at] ?? []);
        task.advance(end - start);
      }
    } finally {
      task.end();
    }
  } finally {
    for (const { writer } of opened) await writer.close();
  }
  for (const { name, facts, staging } of opened) {
    const { format, version, manifest } = minedExtras[name];
    const content = { format, version, producer, mined: mined.hash, ...facts };
    await writeFileAtomic(staging.path(manifest), `${JSON.stringify(content, undefined, 2)}\n`);
    await staging.commit([manifest]);
  }
}

async function openExtra(
  folder: string,
  extra: Pick<OpenExtra, "at" | "name" | "facts">,
  { mined, shape }: ExtraOptions,
): Promise<OpenExtra> {
  const { name, facts } = extra;
  const { format, version, columns: declared } = minedExtras[name];
  const columns = Object.values(declared).map((column) => ({ ...column, shape }));
  const key = hashJson({ format, version, mined: mined.hash, facts, shapes: columns.map(() => shape) });
  const staging = await openStaging(folder, name);
  return { ...extra, staging, writer: await openColumns(staging, { name, key, rows: shape[0], columns }) };
}
