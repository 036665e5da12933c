// Where the build is, and whether a script is the one that was started.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** The build's folder: NEMOSAIC_DIST, else dist/ of this checkout. */
export const dist = process.env.NEMOSAIC_DIST ?? join(root, "dist");

/** A room of src/ as the build has it ("scenes/index.ts"). */
export async function load(file) {
  const path = join(dist, file.replace(/\.ts$/, ".js"));
  if (!existsSync(path)) throw new Error(`expected a build with ${file}: run npm run build first`);
  return import(pathToFileURL(path).href);
}

/** True in the script that Node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(url);
}
