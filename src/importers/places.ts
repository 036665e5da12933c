import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { hashFile, ImageFinder, ifMissing, type Progress, silentProgress } from "../io/index.ts";
import { fail, isShortage, NemosaicError, quoteValue } from "../model/index.ts";
import type { SourceFile } from "./importer.ts";

/** What lies at a path; undefined where nothing does, or where it cannot be looked at. */
export async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory() === true) return "folder";
  return info?.isFile() === true ? "file" : undefined;
}

/** The names in a folder, sorted; none where it is no folder or cannot be read. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(ifMissing([]))).sort();
}

/** Asserts that `path` is a file; `what` names it for a person. Errors: "not-found". */
export async function requireFile(path: string, what: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === "file") return;
  fail("not-found", `expected ${what} at "${path}", found ${kind === "folder" ? "a folder" : "nothing there"}`);
}

/** Asserts that something is at `source`; returns which. Errors: "not-found". */
export async function requireSource(source: string, what: string): Promise<"file" | "folder"> {
  return (await kindOf(source)) ?? fail("not-found", `expected ${what} at "${source}", found nothing there`);
}

/** A file to hash, or what it holds of it: its first `bytes`. */
export interface HashedPart {
  readonly path: string;
  readonly bytes: number;
}

/** Hashes the files that records come from. Errors: "io". */
export async function hashFiles(
  paths: readonly (string | HashedPart)[],
  progress: Progress = silentProgress,
): Promise<SourceFile[]> {
  const parts = await Promise.all(
    paths.map(async (part) => {
      if (typeof part !== "string") return part;
      return { path: part, bytes: (await withReadErrors(part, () => stat(part))).size };
    }),
  );
  const mega = 1e6;
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const task = progress.begin("hash the dataset", Math.ceil(total / mega), "MB");
  const files: SourceFile[] = [];
  let [done, told] = [0, 0];
  try {
    for (const { path, bytes } of parts) {
      const sha256 = await withReadErrors(path, () =>
        hashFile(path, bytes, (count) => {
          done += count;
          const now = Math.floor(done / mega);
          if (now > told) task.advance(now - told);
          told = now;
        }),
      );
      files.push({ path, sha256 });
    }
  } finally {
    task.end();
  }
  return files;
}

/** A whole file's bytes. Errors: "io". */
export function readBytes(path: string): Promise<Buffer> {
  return withReadErrors(path, () => readFile(path));
}

/** A file's first bytes, as many as there are up to `length`; none where it is no file that can be read. */
export async function firstBytes(path: string, length: number): Promise<Buffer> {
  const handle = await open(path, "r").catch((error: unknown) => {
    if (isShortage(error)) throw error;
    return undefined;
  });
  if (handle === undefined) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return Buffer.alloc(0); // a folder, say
  } finally {
    await handle.close();
  }
}

/**
 * The text of a file's first bytes, for recognising: UTF-16 is understood here, so that a file in it is recognised and
 * then refused by name when it is read.
 */
export async function firstText(path: string, length: number): Promise<string> {
  const bytes = await firstBytes(path, length);
  const isWide = bytes.length > 1 && (bytes[0] === 0 || bytes[1] === 0 || (bytes[0] ?? 0) >= 0xfe);
  return (isWide ? bytes.toString("latin1").replaceAll(/[\0\xfe\xff]/g, "") : bytes.toString("utf8")).replace(
    /^\uFEFF/,
    "",
  );
}

/** Runs a read of `path`; turns the operating system's refusals into a NemosaicError that names it. */
export async function withReadErrors<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof NemosaicError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    // A path out of a dataset may be of any length.
    const named = path.length > 600 ? quoteValue(path) : `"${path}"`;
    fail("io", `cannot read ${named}: ${code === "EACCES" ? "permission denied" : code}`, error);
  }
}

/** Where images were found, and how a dataset's file name is said relative to that folder. */
export interface ImagesFolder {
  readonly folder: string;
  fileOf(name: string): string;
  readonly warnings: readonly string[];
}

/**
 * Finds the folder that a dataset's file names are relative to. `given` is what the user named: it, or one of the
 * `customs` below it, is taken, whichever holds one of the `probes` (file names of the dataset's first images).
 * Without `given` the folders of `guesses` are tried in the same way. A folder that is split as COCO's archives are
 * (train2014/, val2014/) is taken with names to match. Without probes (a dataset with no sound record) nothing is looked
 * for.
 * Errors: "not-found" where `given` is no folder, or where nothing was given and no guess holds a probe.
 */
export async function findImagesFolder(search: {
  readonly given: string | undefined;
  readonly guesses: readonly string[];
  readonly customs: readonly string[];
  readonly probes: readonly string[];
}): Promise<ImagesFolder> {
  const { given, guesses, probes } = search;
  if (given !== undefined && (await kindOf(given)) !== "folder") {
    fail("not-found", `expected the images' folder at "${given}", found ${(await kindOf(given)) ?? "nothing there"}`);
  }
  if (probes.length === 0) return { folder: given ?? guesses[0] ?? ".", fileOf: (name) => name, warnings: [] };
  const candidates = given === undefined ? guesses : [given, ...search.customs.map((custom) => join(given, custom))];
  for (const folder of candidates) {
    if (await holdsAny(folder, probes)) return { folder, fileOf: (name) => name, warnings: found(given, folder) };
    if (await holdsAny(folder, probes.map(inCocoFolder)))
      return { folder, fileOf: inCocoFolder, warnings: found(given, folder) };
  }
  for (const folder of candidates) {
    const near = await nearProbe(folder, probes);
    if (near !== undefined)
      return {
        folder,
        fileOf: (name) => name,
        warnings: [...found(given, folder), `images are named otherwise: ${near}`],
      };
  }
  const [probe = ""] = probes;
  if (given !== undefined) {
    const warning = `"${probe}" is not in "${given}": check --images, which names the folder that image names are relative to`;
    return { folder: given, fileOf: (name) => name, warnings: [warning] };
  }
  fail(
    "not-found",
    `expected "${probe}" in one of ${candidates.map((path) => `"${path}"`).join(", ")}, found it in none; name the folder with --images`,
  );
}

/** The names that `nameOf` gives for the first records, at most five different ones: probes for `findImagesFolder`. */
export async function firstNames<T>(
  records: AsyncIterable<T>,
  nameOf: (record: T) => string | undefined,
): Promise<string[]> {
  const names: string[] = [];
  for await (const record of records) {
    const name = nameOf(record);
    if (name !== undefined && !names.includes(name)) names.push(name);
    if (names.length >= 5) break;
  }
  return names;
}

/** A path for people, relative to `folder` where it lies below it. */
export function shortPath(path: string, folder: string): string {
  const way = relative(folder, path);
  return way === "" || way.startsWith("..") ? basename(path) : way.replaceAll("\\", "/");
}

/** The name of the folder at `path`, "." and ".." resolved. */
export function folderName(path: string): string {
  return basename(resolve(path));
}

function found(given: string | undefined, folder: string): string[] {
  return given === undefined || given === folder ? [] : [`images are read from "${folder}"`];
}

async function holdsAny(folder: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) if ((await kindOf(join(folder, name))) === "file") return true;
  return false;
}

/** How the first of `names` that lies below `folder` under another spelling is found there. */
async function nearProbe(folder: string, names: readonly string[]): Promise<string | undefined> {
  if ((await kindOf(folder)) !== "folder") return undefined;
  const finder = new ImageFinder(folder, true);
  for (const name of names) {
    const image = await finder.find(name).catch(() => undefined);
    if (image?.how !== undefined) return `"${name}" is found as "${image.file}", ${image.how}`;
  }
  return undefined;
}

/** COCO_train2014_000000000009.jpg → train2014/COCO_train2014_000000000009.jpg; other names unchanged. */
function inCocoFolder(name: string): string {
  const set = /^COCO_(train2014|val2014|test2014|test2015)_/.exec(name)?.[1];
  return set === undefined ? name : `${set}/${name}`;
}
