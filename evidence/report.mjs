// The results of the core experiment, and its plots.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renewPages } from "./pages.mjs";
import { falseNegativeChart, gainChart, sweepChart } from "./plots.mjs";

/** Writes the raw results as JSON and the plots under <docs>/evidence/, and renews the pages; returns the tables' path. */
export function writeReport(docs, results, falseNegatives) {
  const folder = join(docs, "evidence");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), json(results));
  writeFileSync(join(folder, "false-negatives.json"), json(falseNegatives));
  writeFileSync(join(folder, "gain-by-similar.svg"), gainChart(results));
  writeFileSync(join(folder, "false-negatives.svg"), falseNegativeChart(falseNegatives));
  const sweeps = sweepChart(results);
  if (sweeps !== undefined) writeFileSync(join(folder, "sweeps.svg"), sweeps);
  return renewPages(docs);
}

export function json(value) {
  // Short lists on one line: the files are committed, and read by people.
  const text = JSON.stringify(value, undefined, 1);
  return `${text.replaceAll(/\[\s+([^[\]{}]*?)\s+\]/g, (_, inner) => `[${inner.replaceAll(/\s*\n\s*/g, " ")}]`)}\n`;
}
