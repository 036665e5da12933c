import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../../test/peers.ts";
import { rleArea, rleFromString } from "../../kernels/index.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { allRecords, expectOneError, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import { cocoName, crisEntry, makeCris, maskPng, put } from "../sample-datasets.contract.ts";

const folder = freshFolder();
const badReasons = (records: readonly DatasetRecord[]): string[] =>
  records.flatMap((record) => (record.type === "bad" ? [record.reason] : []));

function areaOf(records: readonly DatasetRecord[], id: string): number {
  const found = records.find((record) => record.type === "annotation" && record.id === id);
  if (found?.type !== "annotation" || found.segmentation.kind !== "rle") throw new Error(`no mask for ${id}`);
  return rleArea(rleFromString(found.segmentation.counts, ...found.segmentation.size));
}

describe("the CRIS importer", () => {
  it("joins entries with their masks, corners becoming a box, numbers 0-79 COCO's names, files splits", async () => {
    const records = await allRecords(await makeCris(folder()), "cris");
    expect(records.slice(0, 5)).toMatchObject([
      { type: "image", id: cocoName(11), file: cocoName(11) },
      { type: "annotation", id: "300", category: "car", box: [5, 6, 15, 24], isCrowd: false },
      { type: "ref", id: "300", annotationIds: ["300"], split: "train" },
      { type: "expression", id: "3000", sent: "the car" },
      { type: "expression", id: "3001", sent: "car" },
    ]);
    expect(records.filter((record) => record.type === "annotation").map(({ category }) => category)).toEqual([
      "car",
      "dog",
      "person",
    ]);
    expect(records.flatMap((record) => (record.type === "ref" ? [record.split] : []))).toEqual([
      "train",
      "train",
      "testA",
    ]);
  });

  it("takes every mask value but 0 as inside: overlapping polygons left 254", async () => {
    const records = await allRecords(await makeCris(folder()), "cris");
    expect(areaOf(records, "300")).toBe(15 * 24);
    expect(areaOf(records, "301")).toBe(15 * 24);
  });

  it("calls a missing mask, a mask of another size and a second ref of the same id bad, and goes on", async () => {
    const options = await makeCris(folder());
    const entries = [
      crisEntry(300, 11, [[1, "car"]]),
      crisEntry(400, 11, [[2, "no mask"]]),
      crisEntry(300, 11, [[3, "again"]]),
      { ...crisEntry(301, 11, [[4, "dog"]]), segment_id: null },
      crisEntry(301, 11, []),
      { ...crisEntry(301, 11, [[5, "x"]]), img_name: "/etc/passwd" },
      17,
      crisEntry(302, 22, [[6, "last"]]),
    ];
    put(folder(), "anns/refcoco/train.json", JSON.stringify(entries));
    rmSync(join(folder(), "anns/refcoco/testA.json"));
    const records = await allRecords(options, "cris");
    expect(badReasons(records)).toEqual([
      "unreadable mask",
      "duplicate ref id",
      "bad id",
      "no sentences",
      "unsafe file name",
      "not a record",
    ]);
    expect(records.at(-1)).toMatchObject({ type: "expression", sent: "last" });
    expectSoundOrder(records);
  });

  it("takes the root or anns/ together with --dataset, and one file alone", async () => {
    const { images = "" } = await makeCris(folder());
    put(folder(), "anns/refcocog_u/train.json", JSON.stringify([crisEntry(300, 11, [[1, "car"]])]));
    put(folder(), "masks/refcocog_u/300.png", await maskPng());
    const open = findImporter("cris").open;
    expect((await open({ source: folder(), images, dataset: "refcocog_u" })).name).toBe("refcocog_u");
    expect((await open({ source: join(folder(), "anns"), images, dataset: "refcoco" })).files).toHaveLength(2);
    await expectOneError(
      () => open({ source: folder(), images }),
      "usage",
      /refcoco, refcocog_u; choose one with --dataset/,
    );
    const one = await allRecords({ source: join(folder(), "anns/refcoco/testA.json"), images }, "cris");
    expect(one.flatMap((record) => (record.type === "ref" ? [[record.id, record.split]] : []))).toEqual([
      ["302", "testA"],
    ]);
  });

  it("says where it looked for the masks", async () => {
    const options = await makeCris(folder());
    rmSync(join(folder(), "masks"), { recursive: true });
    await expectOneError(() => findImporter("cris").open(options), "not-found", /folder of masks.*masks\/refcoco/);
  });

  it.skipIf(!pythonHas("cv2"))("reads masks as OpenCV writes them", async () => {
    const options = await makeCris(folder());
    const script = `
import cv2, numpy as np, sys
mask = np.zeros((48, 64), np.uint8); mask[3:9, 2:12] += 1; mask[5:20, 8:30] += 1
cv2.imwrite(sys.argv[1], mask * 255)
print(int((mask > 0).sum()))`;
    const area = Number(runPython(script, [join(folder(), "masks/refcoco/300.png")]));
    expect(areaOf(await allRecords(options, "cris"), "300")).toBe(area);
  });
});
