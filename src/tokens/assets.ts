import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { fail } from "../model/index.ts";

const folder = new URL("../../assets/", import.meta.url);

/** The text of a gzipped file of the package's `assets/`. Throws `internal` where the installation lacks it. */
export function readTextAsset(name: string): string {
  const path = fileURLToPath(new URL(name, folder));
  try {
    return gunzipSync(readFileSync(path)).toString("utf8");
  } catch (cause) {
    return fail("internal", `expected the package's own file "${path}", could not read it: reinstall nemosaic`, cause);
  }
}
