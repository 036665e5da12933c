import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, ifMissing, makeFolder, onDisk, writeFileAtomic } from "../io/index.ts";
import { isJournalOf, journalEnding } from "./journal.ts";

/*
 * Files that appear in a folder together, in place of earlier ones, or not at all:
 *
 *   <folder>/.partial-<name>/               what is being made; a killed run goes on there
 *   <folder>/.partial-<name>/commit.json    { manifests }: all is made and on disk, and these files make the others count
 *
 * Until commit.json is there, nothing that the folder holds is touched: a run that fails leaves the finished artefact as it
 * was. From then on the work is done: the swap removes the old manifests, moves the files, then the new manifests, and
 * whoever opens the staging next ends a swap that was cut short.
 */

/** A folder for what is being made. Its user holds the lock of the folder above. */
export interface Staging {
  /** The folder of the finished artefact, and the name of this staging in it. */
  readonly place: string;
  readonly name: string;
  /** Where a file is to be written until it is moved to `place`. */
  path(file: string): string;
  /** Moves all files to `place`; they count once the last of `manifests` is there. */
  commit(manifests: readonly string[]): Promise<void>;
}

/**
 * Opens the staging `name` of a folder, with what a killed run left there, or (`afresh`) empty. A swap that was cut short is
 * ended first. The caller holds the folder's lock.
 */
export async function openStaging(
  place: string,
  name: string,
  { afresh = false }: { readonly afresh?: boolean } = {},
): Promise<Staging> {
  await finishSwap(place, name);
  const work = stagingFolder(place, name);
  if (afresh) await rm(work, { recursive: true, force: true });
  await makeFolder(work);
  return {
    place,
    name,
    path: (file) => join(work, file),
    commit: async (manifests) => {
      await writeFileAtomic(join(work, commitName), `${JSON.stringify({ manifests })}\n`);
      await finishSwap(place, name);
    },
  };
}

/**
 * Makes files in an empty staging and commits the manifests that `make` names; where it fails, what it made is removed. For
 * work that is not resumed: it starts over after a kill. The caller holds the folder's lock.
 */
export async function makeAside(
  place: string,
  name: string,
  make: (staging: Staging) => Promise<readonly string[]>,
): Promise<void> {
  const staging = await openStaging(place, name, { afresh: true });
  let manifests: readonly string[];
  try {
    manifests = await make(staging);
  } catch (error) {
    await removeStaging(place, name);
    throw error;
  }
  await staging.commit(manifests);
}

/** Ends a swap that was cut short; does nothing where there is none. The caller holds the folder's lock. */
export async function finishSwap(place: string, name: string): Promise<void> {
  const work = stagingFolder(place, name);
  const manifests = await readCommit(work);
  if (manifests === undefined) return;
  const names = await readdir(work);
  const isOwn = (file: string): boolean => file === commitName || file.endsWith(journalEnding);
  const move = (file: string): Promise<void> => onDisk(place, () => rename(join(work, file), join(place, file)));
  const waiting = manifests.filter((file) => names.includes(file));
  for (const file of waiting) await rm(join(place, file), { force: true });
  for (const file of names) if (!isOwn(file) && !manifests.includes(file)) await move(file);
  for (const file of waiting) await move(file);
  await removeStaging(place, name);
}

/** Removes what is being made, and all that is left of what was. */
export async function removeStaging(place: string, name: string): Promise<void> {
  await rm(stagingFolder(place, name), { recursive: true, force: true });
}

/**
 * Removes work that is not needed: what it was to make, under one of `keys`, is there already. Work under another key stays
 * for a run that goes on with it.
 */
export async function removeWorkOf(place: string, name: string, keys: readonly string[]): Promise<void> {
  const work = stagingFolder(place, name);
  const journals = (await readdir(work).catch(ifMissing([]))).filter((file) => file.endsWith(journalEnding));
  const isOf = await Promise.all(journals.map((file) => isJournalOf(join(work, file), keys)));
  if (isOf.every(Boolean)) await removeStaging(place, name);
}

/** The folder of a staging: .partial-<name>. */
export function stagingFolder(place: string, name: string): string {
  return join(place, `.partial-${name}`);
}

const commitName = "commit.json";

async function readCommit(work: string): Promise<readonly string[] | undefined> {
  const path = join(work, commitName);
  if (!(await exists(path))) return undefined;
  try {
    const { manifests } = JSON.parse(await readFile(path, "utf8")) as { manifests: string[] };
    return manifests.map(String);
  } catch {
    return undefined; // it appears whole: what is damaged is not ours, and nothing is lost by making all again
  }
}
