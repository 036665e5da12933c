import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sampleDir } from "../../../test/peers.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { allRecords, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import {
  annotation,
  columnRle,
  gRefs,
  instances,
  makeGrefcoco,
  pickleValue,
  put,
  putImages,
  ref,
  square,
} from "../sample-datasets.contract.ts";

const folder = freshFolder();
const read = (refs?: unknown, json?: string): Promise<DatasetRecord[]> =>
  allRecords(makeGrefcoco(folder(), refs, json), "grefcoco");
const refsOf = (records: readonly DatasetRecord[]): [string, readonly string[], string][] =>
  records.flatMap((record) => (record.type === "ref" ? [[record.id, record.annotationIds, record.split]] : []));
const troubles = (records: readonly DatasetRecord[]): string[] =>
  records.flatMap((record) =>
    record.type === "bad" || record.type === "note" ? [`${record.type}: ${record.reason}`] : [],
  );

describe("the gRefCOCO importer", () => {
  it("reads several targets, one target, and [-1] as none", async () => {
    const records = await read();
    expect(refsOf(records)).toEqual([
      ["200", ["1", "12"], "train"],
      ["201", [], "val"],
      ["202", ["2"], "testA"],
    ]);
    expect(troubles(records)).toEqual([]);
  });

  it("does without no_target, and calls it bad where it contradicts ann_id", async () => {
    const records = await read([
      ref(1, [-1], 11, [[1, "a"]]),
      { ...ref(2, [-1], 11, [[2, "b"]]), no_target: false },
      { ...ref(3, [1], 11, [[3, "c"]]), no_target: true },
      { ...ref(4, -1, 11, [[4, "d"]]), no_target: true },
      ref(5, [], 11, [[5, "e"]]),
    ]);
    expect(refsOf(records).map(([id, targets]) => [id, targets])).toEqual([
      ["1", []],
      ["4", []],
      ["5", []],
    ]);
    expect(troubles(records)).toEqual(["bad: contradictory target", "bad: contradictory target"]);
  });

  it("leaves iscrowd targets out with a note, and never turns a ref into a no-target one by that", async () => {
    const crowd = { ...annotation(12, 11, columnRle), iscrowd: 1 };
    const json = instances({ annotations: [annotation(1, 11, [square]), crowd] });
    const records = await read([ref(1, [1, 12], 11, [[1, "all"]]), ref(2, [12], 11, [[2, "the crowd"]])], json);
    expect(refsOf(records)).toEqual([["1", ["1"], "train"]]);
    expect(troubles(records)).toEqual(["note: iscrowd target skipped", "note: ref of iscrowd targets only skipped"]);
    expect(records.filter((record) => record.type === "annotation").map(({ isCrowd }) => isCrowd)).toEqual([
      false,
      true,
    ]);
  });

  it("passes over empty sentences, and refs without any, with a note", async () => {
    const records = await read([
      ref(1, [1], 11, [
        [1, ""],
        [2, "man"],
      ]),
      ref(2, [1], 11, [[3, " "]]),
      ref(3, [1], 11, []),
    ]);
    expect(refsOf(records).map(([id]) => id)).toEqual(["1"]);
    expect(troubles(records)).toEqual([
      "note: empty sentence skipped",
      "note: ref without sentences skipped",
      "note: empty sentence skipped",
      "note: ref without sentences skipped",
    ]);
  });

  it("calls a multi-target ref bad where one of its targets is unknown", async () => {
    const records = await read([ref(1, [1, 404], 11, [[1, "both"]])]);
    expect(refsOf(records)).toEqual([]);
    expect(troubles(records)).toEqual(["bad: unknown annotation"]);
  });

  it("names a target once where ann_id repeats it", async () => {
    expect(refsOf(await read([ref(1, [1, 1, 12], 11, [[1, "both"]])]))[0]?.[1]).toEqual(["1", "12"]);
  });

  it("reads grefs(unc).p as it reads the JSON file", async () => {
    const expected = await read();
    put(folder(), "pickles/grefs(unc).p", pickleValue(gRefs));
    put(folder(), "pickles/instances.json", instances());
    putImages(join(folder(), "pickles/images"));
    const records = await allRecords({ source: join(folder(), "pickles") }, "grefcoco");
    expect(refsOf(records)).toEqual(refsOf(expected));
    expect((await findImporter("grefcoco").open({ source: join(folder(), "pickles") })).name).toBe("pickles-unc");
  });
});

const sample = sampleDir();
describe.skipIf(sample === undefined)("the real gRefCOCO-shaped sample", () => {
  it("streams whole: 271 refs, 9 of them without target, nothing bad", async () => {
    const options = { source: join(sample!, "grefcoco/cocorefs"), images: join(sample!, "images") };
    const records = await allRecords(options, "grefcoco");
    expect(troubles(records)).toEqual([]);
    expect(refsOf(records)).toHaveLength(271);
    expect(refsOf(records).filter(([, targets]) => targets.length === 0)).toHaveLength(9);
    expectSoundOrder(records);
  });
});
