import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path inside the repository. */
export function inRepo(...parts) {
  return join(root, ...parts);
}

/** The folder of logs, reports and half-made builds; made where it is missing, ignored by git. */
export function cacheFolder() {
  const folder = inRepo(".cache");
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Whether the caller forbade installing anything through apt and pip (`NEMOSAIC_NO_INSTALL=1`). */
export function installingIsForbidden() {
  return isSet("NEMOSAIC_NO_INSTALL");
}

/** Whether what could not be installed fails the run (`NEMOSAIC_STRICT=1`). */
export function isStrict() {
  return isSet("NEMOSAIC_STRICT");
}

function isSet(variable) {
  const value = process.env[variable];
  return value !== undefined && value !== "" && value !== "0";
}
