import { accessSync, constants, statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { fail } from "../model/index.ts";

/**
 * A folder for what lives no longer than a process: the first of `preferred`, TMPDIR, /tmp and /var/tmp that is there, is
 * named from the root and can be written. Containers and batch systems set such variables to folders that are missing or
 * another user's. Errors: "io" where none can be used, with what to set.
 */
export function temporaryFolder(preferred: readonly (string | undefined)[] = [], environment = process.env): string {
  const named = [...preferred, environment.TMPDIR, "/tmp", "/var/tmp"].filter(
    (folder) => folder !== undefined && folder !== "",
  ) as string[];
  return (
    named.find(isUsable) ??
    fail("io", `expected a folder that can be written, tried ${[...new Set(named)].join(", ")}: set TMPDIR to one`)
  );
}

function isUsable(folder: string): boolean {
  if (!isAbsolute(folder)) return false;
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return statSync(folder).isDirectory();
  } catch {
    return false; // missing, another user's, or on a disk that is read-only
  }
}
