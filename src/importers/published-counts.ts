import type { PublishedCounts } from "./importer.ts";

const table: Readonly<Record<string, PublishedCounts>> = {
  "refcoco-unc": {
    train: { refs: 42404, images: 16994, expressions: 120624 },
    val: { refs: 3811, images: 1500, expressions: 10834 },
    testA: { refs: 1975, images: 750, expressions: 5657 },
    testB: { refs: 1810, images: 750, expressions: 5095 },
  },
  "refcoco-google": {
    train: { refs: 40000, images: 19213 },
    val: { refs: 5000, images: 4559 },
    test: { refs: 5000, images: 4527 },
  },
  "refcoco+-unc": {
    train: { refs: 42278, images: 16992, expressions: 120191 },
    val: { refs: 3805, images: 1500, expressions: 10758 },
    testA: { refs: 1975, images: 750, expressions: 5726 },
    testB: { refs: 1798, images: 750, expressions: 4889 },
  },
  "refcocog-umd": {
    train: { refs: 42226, images: 21899, expressions: 80512 },
    val: { refs: 2573, images: 1300, expressions: 4896 },
    test: { refs: 5023, images: 2600, expressions: 9602 },
  },
  "refcocog-google": {
    train: { refs: 44822, images: 24698, expressions: 85474 },
    val: { refs: 5000, images: 4650 },
  },
  phrasecut: { all: { images: 77262, expressions: 345486 } },
};

/** What is published of a source by its name, "refcoco-unc" say; undefined for unknown datasets. */
export function publishedCounts(name: string): PublishedCounts | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/**
 * What a person must know of a dataset's splits before training on one and testing on the other, by the dataset's name
 * and its splitting.
 */
export function splitWarnings(dataset: string, splitBy: string | undefined): string[] {
  if (splitBy !== "google" || !/^refcoco[+g]?$/.test(dataset)) return [];
  const shared = `${dataset} split by google divides objects, not images: training and evaluation splits share images`;
  const unreleased =
    "its test split was never released: only train and val are there (the published total of 104,560 expressions counts it)";
  return dataset === "refcocog" ? [shared, unreleased] : [shared];
}
