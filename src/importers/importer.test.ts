import { describe, expect, it } from "vitest";
import { expectOneError, freshFolder, type ImporterCase, itKeepsTheContract } from "./importer.contract.ts";
import {
  makeMmr,
  makeReasonseg,
  makeRefloco,
  makeRefsegrs,
  makeSa2va,
  makeSaco,
  makeSamplesParquet,
  makeTable,
  makeTableOfLines,
  makeWebdataset,
} from "./more-datasets.contract.ts";
import { findImporter, importerNames, importers, recogniseImporter } from "./registry.ts";
import {
  makeCris,
  makeCrisLmdb,
  makeEmbeddedParquet,
  makeGrefcoco,
  makeJsonl,
  makePhrasecut,
  makeRawParquet,
  makeRefer,
  makeSeqtr,
  put,
} from "./sample-datasets.contract.ts";

/** A small dataset of each format, and of each of its variants. */
const cases: readonly ImporterCase[] = [
  {
    format: "refer",
    make: (folder) => makeRefer(folder),
    vital: ["refcoco/refs(unc).p", "refcoco/instances.json"],
  },
  {
    format: "grefcoco",
    make: (folder) => makeGrefcoco(folder),
    vital: ["grefcoco/grefs(unc).json", "grefcoco/instances.json"],
  },
  { format: "jsonl", make: (folder) => makeJsonl(folder), vital: ["mine.jsonl"] },
  { format: "cris", make: makeCris, vital: ["anns/refcoco/train.json", "masks/refcoco/300.png"] },
  { format: "cris-lmdb", make: makeCrisLmdb, vital: ["refcoco/train.lmdb"] },
  { format: "seqtr", make: makeSeqtr, vital: ["refcoco-unc/instances.json"] },
  { format: "phrasecut", make: makePhrasecut, vital: ["refer_val.json"] },
  {
    format: "hf-parquet",
    variant: "jxu124",
    make: makeRawParquet,
    vital: ["refcoco/data/train-00000-of-00001-0123456789abcdef.parquet"],
  },
  {
    format: "hf-parquet",
    variant: "lmms-lab",
    make: makeEmbeddedParquet,
    vital: ["RefCOCO/data/val-00000-of-00001.parquet"],
  },

  {
    format: "hf-parquet",
    variant: "refcoco-m",
    make: makeSamplesParquet,
    vital: ["refcoco-m/data/validation-00000-of-00001.parquet"],
  },
  { format: "table", variant: "CSV", make: makeTable, vital: ["mine.csv"] },
  { format: "table", variant: "JSON lines", make: makeTableOfLines, vital: ["table/train.jsonl"] },
  { format: "saco", make: makeSaco, vital: ["gold_attributes.json"] },
  { format: "sa2va", make: makeSa2va, vital: ["mine/train/annotations.json"] },
  { format: "reasonseg", make: makeReasonseg, vital: ["train/a.json"] },
  { format: "mmr", make: makeMmr, vital: ["MMR/MMR_train.json"] },
  { format: "refloco", make: makeRefloco, vital: ["HC_RefLoCo/hc_refloco.json"] },
  { format: "refsegrs", make: makeRefsegrs, vital: ["RefSegRS/masks/1.tif"] },
  { format: "webdataset", make: makeWebdataset, vital: ["export/train/000000.tar"] },
];
for (const one of cases) itKeepsTheContract(one);

describe("the registry of importers", () => {
  it("has a case above for every format", () => {
    expect(new Set(cases.map(({ format }) => format))).toEqual(new Set(importerNames));
  });

  const folder = freshFolder();

  it("lists the valid formats for an unknown one and suggests the nearest", () => {
    expect(() => findImporter("refcocco")).toThrow(/unknown format "refcocco".*refer, grefcoco, cris/);
    expect(() => findImporter("grefcocco")).toThrow(/Did you mean "grefcoco"/);
  });

  it("has names that are unique and a title for each", () => {
    expect(new Set(importerNames).size).toBe(importers.length);
    for (const { title, looksFor } of importers) expect(title.length + looksFor.length).toBeGreaterThan(30);
  });

  it("says in a line that a person reads where no importer knows the path, and what it looked for as the cause", async () => {
    put(folder(), "notes.txt", "nothing of interest");
    await expectOneError(
      () => recogniseImporter(folder()),
      "bad-input",
      /it is none of refer, .*jsonl.*name the format/,
    );
    const error: Error = await recogniseImporter(folder()).then(
      () => expect.unreachable(),
      (caught: Error) => caught,
    );
    expect(error.message.length - folder().length).toBeLessThan(300);
    expect((error.cause as Error).message).toMatch(/refs\(\*\)\.p and instances\.json \(refer\).*\.jsonl/);
  });

  it("asks for a name where a path fits several formats", async () => {
    makeRefer(folder());
    makeGrefcoco(folder());
    await expectOneError(() => recogniseImporter(folder()), "usage", /several formats \(refer: .*; grefcoco: /);
  });

  it("names the datasets in a folder's folders where it is none itself", async () => {
    makeSa2va(folder());
    makeSaco(`${folder()}/more/data/phrases`);
    put(folder(), "notes/a.txt", "nothing of interest");
    const words =
      /is no dataset itself, but its folders are: "mine" \(sa2va\), "more\/data" \(saco\); import one of them/;
    await expectOneError(() => recogniseImporter(folder()), "usage", words);
  });

  it("says so where nothing is at the path", async () => {
    await expectOneError(() => recogniseImporter(`${folder()}/gone`), "not-found", /gone/);
  });
});
