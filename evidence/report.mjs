// docs/evidence.md's tables and plots. The prose between the tables is written by hand and stays.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./build.mjs";
import { falseNegativeChart, gainChart, sweepChart } from "./plots.mjs";
import {
  armTable,
  drawnTable,
  falseNegativeTable,
  gainTable,
  kindTable,
  machineText,
  seedTable,
  wrapPage,
} from "./tables.mjs";

/**
 * Writes <docs>/evidence.md (each `<!-- evidence: NAME -->` block renewed, the rest kept; the checkout's page where there is
 * none yet), the plots, and the raw results as JSON under <docs>/evidence/.
 */
export async function writeReport(docs, results, falseNegatives) {
  const folder = join(docs, "evidence");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "results.json"), json(results));
  writeFileSync(join(folder, "false-negatives.json"), json(falseNegatives));
  writeFileSync(join(folder, "gain-by-similar.svg"), gainChart(results));
  writeFileSync(join(folder, "false-negatives.svg"), falseNegativeChart(falseNegatives));
  const sweeps = sweepChart(results);
  if (sweeps !== undefined) writeFileSync(join(folder, "sweeps.svg"), sweeps);
  const blocks = {
    machine: machineText(results),
    arms: armTable(results),
    drawn: drawnTable(results),
    gains: gainTable(results),
    kinds: kindTable(results),
    seeds: seedTable(results),
    "false negatives": falseNegativeTable(falseNegatives),
    sweeps:
      sweeps === undefined
        ? "No sweep was trained (`--arms core,sweeps`)."
        : "![Gain over K and τ](evidence/sweeps.svg)",
  };
  const page = [join(docs, "evidence.md"), join(root, "docs", "evidence.md")].find((path) => existsSync(path));
  if (page === undefined) throw new Error("expected docs/evidence.md, which has the text between the tables");
  writeFileSync(join(docs, "evidence.md"), renewed(readFileSync(page, "utf8"), blocks));
}

/** The page with its blocks renewed. Throws for a block without content and for content without a block. */
export function renewed(page, blocks) {
  const left = new Set(Object.keys(blocks));
  const next = page.replaceAll(/(<!-- evidence: ([a-z ]+) -->\n)[\s\S]*?(\n<!-- end -->)/g, (_, begin, name, end) => {
    if (blocks[name] === undefined) throw new Error(`docs/evidence.md has a block "${name}" that nothing fills`);
    left.delete(name);
    return `${begin}\n${wrapPage(blocks[name])}\n${end}`;
  });
  if (left.size > 0)
    throw new Error(`docs/evidence.md lacks the block${left.size > 1 ? "s" : ""} ${[...left].join(", ")}`);
  return next;
}

export function json(value) {
  // Short lists on one line: the files are committed, and read by people.
  const text = JSON.stringify(value, undefined, 1);
  return `${text.replaceAll(/\[\s+([^[\]{}]*?)\s+\]/g, (_, inner) => `[${inner.replaceAll(/\s*\n\s*/g, " ")}]`)}\n`;
}
