import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allowedCells } from "./index.ts";

/** One line of test/fixtures/language/positions-*.jsonl; its README defines the labels and both measures. */
interface Labelled {
  readonly text: string;
  readonly class: string;
  readonly cells2: readonly number[];
  readonly cells3?: readonly number[];
}

const folder = join(import.meta.dirname, "../../test/fixtures/language");

function readSet(file: string): readonly Labelled[] {
  const lines = readFileSync(join(folder, file), "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Labelled);
}

const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** Precision and recall of bindings, and of excluded (expression, cell) pairs, as the README of the sets defines them. */
function measure(set: readonly Labelled[]) {
  const counts = { ruled: 0, labelled: 0, right: 0, ruledPairs: 0, labelledPairs: 0, rightPairs: 0 };
  const wrong: string[] = [];
  for (const { text, class: kind, cells2 } of set) {
    const cells = allowedCells(text, 2, 2);
    const ruled = cells.length < 4;
    const labelled = cells2.length < 4;
    counts.ruled += Number(ruled);
    counts.labelled += Number(labelled);
    counts.right += Number(ruled && labelled && equal(cells, cells2));
    for (const cell of [0, 1, 2, 3]) {
      counts.ruledPairs += Number(!cells.includes(cell));
      counts.labelledPairs += Number(!cells2.includes(cell));
      counts.rightPairs += Number(!cells.includes(cell) && !cells2.includes(cell));
    }
    if (!equal(cells, cells2)) wrong.push(`${kind}: "${text}" labelled [${cells2}], ruled [${cells}]`);
  }
  return {
    precision: counts.right / counts.ruled,
    recall: counts.right / counts.labelled,
    cellPrecision: counts.rightPairs / counts.ruledPairs,
    cellRecall: counts.rightPairs / counts.labelledPairs,
    labelled: counts.labelled,
    wrong,
  };
}

describe.each([
  { name: "A", file: "positions-a.jsonl", size: 200 },
  { name: "B", file: "positions-b.jsonl", size: 100 },
])("set $name of labelled expressions", ({ name, file, size }) => {
  const present = existsSync(join(folder, file));

  it.skipIf(!present)(`reaches 0.95 precision and 0.9 recall (skipped where ${file} does not exist)`, () => {
    const set = readSet(file);
    expect(set.length).toBeGreaterThanOrEqual(size);
    expect(new Set(set.map(({ text }) => text)).size).toBe(set.length);
    const result = measure(set);
    console.info(`set ${name}:`, JSON.stringify(result, undefined, 1));
    expect(result.labelled).toBeGreaterThan(size / 4);
    expect(result.precision, result.wrong.join("\n")).toBeGreaterThanOrEqual(0.95);
    expect(result.recall, result.wrong.join("\n")).toBeGreaterThanOrEqual(0.9);
  });

  it.skipIf(!present)("agrees with every label of 3×3 cells, where 3×3 is labelled, in 9 of 10", () => {
    const set = readSet(file).filter(({ cells3 }) => cells3 !== undefined);
    const wrong = set.filter(({ text, cells3 }) => !equal(allowedCells(text, 3, 3), cells3 ?? []));
    expect(wrong.length, wrong.map(({ text }) => text).join("\n")).toBeLessThanOrEqual(set.length / 10);
  });
});
