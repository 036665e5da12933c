import { appendFile, readdir, readFile, rm, rmdir, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ifMissing, makeFolder, onDisk } from "../io/index.ts";

/** Where an unfinished export keeps what it will need again. */
export const partsFolder = ".parts";

/**
 * Notes which files of the export (paths relative to `folder`) are about to be written, under a name of the writer's own:
 * .parts/<name>.files, a path a line. So an export that was killed can be taken away whole, and nothing of it passes for
 * a part of the next.
 */
export async function announceFiles(folder: string, name: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const parts = join(folder, partsFolder);
  await onDisk(parts, async () => {
    await makeFolder(parts);
    await appendFile(join(parts, `${name}.files`), paths.map((path) => `${path}\n`).join(""));
  });
}

/** Removes every file that was foretold in `folder`, the folders that are empty then, and the parts. What is gone is fine. */
export async function removeForetold(folder: string): Promise<void> {
  const parts = join(folder, partsFolder);
  const names = (await readdir(parts).catch(ifMissing([]))).filter((name) => name.endsWith(".files"));
  const folders = new Set<string>();
  for (const name of names) {
    const paths = (await readFile(join(parts, name), "utf8")).split("\n").filter(isInside);
    for (const path of paths) {
      await unlink(join(folder, path)).catch(() => undefined);
      for (let above = dirname(path); above !== "."; above = dirname(above)) folders.add(above);
    }
  }
  // The longest first: a folder comes after what it holds.
  const deepest = [...folders].sort((a, b) => b.length - a.length);
  for (const path of deepest) await rmdir(join(folder, path)).catch(() => undefined);
  await rm(parts, { recursive: true, force: true });
}

/** False for what would lead out of the folder: the file may have been written by anyone. */
function isInside(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !path.split("/").includes("..");
}
