import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fail } from "../model/index.ts";
import { onDisk } from "./on-disk.ts";

/**
 * Makes a folder and those above it; one that is there already is fine. Node's own recursive mkdir never ends where the
 * system answers "no such file" whatever is made, as in /proc.
 *
 * @param mode of the folders that are made, before the process's mask; 0o777 where none is given
 * @throws NemosaicError "io" with the path: a file is in the way, or the disk refuses
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  await onDisk(path, async () => {
    const made = await tryMakeFolder(path, mode);
    if (made !== "ENOENT") return;
    const above = dirname(path);
    if (above !== path) await makeFolder(above, mode);
    if ((await tryMakeFolder(path, mode)) === "ENOENT")
      fail("io", `cannot make the folder "${path}": "${above}" takes no new folders`);
  });
}

/** Undefined where the folder is there now. */
async function tryMakeFolder(path: string, mode: number | undefined): Promise<"ENOENT" | undefined> {
  try {
    await mkdir(path, { mode });
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return "ENOENT";
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return undefined;
    if (found !== undefined || code === "ENOTDIR") {
      fail("io", `cannot make the folder "${path}": a file is in the way`, error);
    }
    if (code === "EEXIST")
      fail("io", `cannot make the folder "${path}": a link that leads nowhere is in the way`, error);
    throw error;
  }
}
