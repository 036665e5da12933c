// What the same arms come to on every ground.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { renewPages } from "./pages.mjs";
import { json } from "./report.mjs";
import { writeWhole } from "./steps.mjs";

/** Writes a ground's results and renews the pages; returns the tables' path. */
export function writeProof(docs, results) {
  const folder = join(docs, "evidence");
  mkdirSync(folder, { recursive: true });
  writeWhole(join(folder, `results-${results.ground.name}.json`), json(results));
  return renewPages(docs);
}
