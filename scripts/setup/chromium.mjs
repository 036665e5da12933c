import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { answerOf } from "./run-command.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * The path of a Chromium that starts: `NEMOSAIC_CHROMIUM`, else the first of the usual names on the PATH; undefined
 * where there is none. `--version` is asked, because some systems put a placeholder under that name.
 */
export function findChromium() {
  const named = process.env.NEMOSAIC_CHROMIUM;
  const candidates = named ? [named] : names.map(onPath).filter((path) => path !== undefined);
  return candidates.find((path) => /chrom/i.test(answerOf(path, ["--version"]) ?? ""));
}

/** The first executable of that name on the PATH, or undefined. */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (!["ENOENT", "EACCES", "ENOTDIR"].includes(error.code)) throw error;
    }
  }
  return undefined;
}
