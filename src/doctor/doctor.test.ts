import { appendFile, mkdtemp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { rleFromCounts, rleToString } from "../kernels/index.ts";
import type { Box } from "../model/index.ts";
import { appendJudgement } from "../pool/index.ts";
import {
  codes,
  examineFolder,
  examineOptions,
  found,
  healthy,
  picture,
  picturesAt,
  poolOf,
  square,
} from "./examined-pools.contract.ts";
import { examinePool } from "./index.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "nemosaic-doctor-test-"));
  await picturesAt(join(home, "images"), [1, 2, 3, 4, 5, 6]);
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe("the doctor", () => {
  it("finds nothing wrong with a sound pool, decoded or by headers", async () => {
    const folder = await poolOf(home, "sound", healthy);
    const examination = await examineFolder(folder);
    expect(examination.findings).toEqual([]);
    expect(examination.checked).toEqual({ images: 4, refs: 4, expressions: 4, decoded: true });
    expect((await examineFolder(folder, { fast: true })).findings).toEqual([]);
  });

  it("finds images that are gone, cut short, resized, changed or turned", async () => {
    const images = join(home, "sick");
    await picturesAt(images, [1, 2, 3, 4, 5, 6]);
    const folder = await poolOf(
      home,
      "sick",
      [1, 2, 3, 4, 5, 6].map((seed) => ({ image: `${seed}.jpg`, split: "train" })),
      { images },
    );
    await rename(join(images, "1.jpg"), join(images, "elsewhere"));
    await truncate(join(images, "2.jpg"), 900);
    await picture(3, 30, 25).jpeg().toFile(join(images, "3.jpg"));
    await picture(40).jpeg().toFile(join(images, "4.jpg"));
    await picture(5).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toFile(join(images, "5.jpg"));
    const examination = await examineFolder(folder);
    expect(found(examination, "image-missing")).toMatchObject({
      severity: "error",
      count: 1,
      examples: [expect.stringContaining("1.jpg")],
    });
    expect(found(examination, "image-unreadable")).toMatchObject({
      severity: "error",
      count: 1,
      examples: [expect.stringContaining("2.jpg")],
    });
    expect(found(examination, "image-resized")).toMatchObject({
      severity: "error",
      count: 1,
      examples: ["3.jpg: recorded as 60×50, is 30×25"],
    });
    expect(found(examination, "image-changed")).toMatchObject({ severity: "error", count: 2 });
    expect(found(examination, "image-orientation")).toMatchObject({
      severity: "warning",
      examples: ["5.jpg: orientation 6"],
    });
    expect(examination.totals.error).toBe(4);
    const fast = await examineFolder(folder, { fast: true });
    expect(codes(fast)).toEqual(
      expect.arrayContaining(["image-missing", "image-resized", "image-changed", "image-orientation"]),
    );
  });

  it("finds sentences that say nothing, or the same of two things", async () => {
    const folder = await poolOf(home, "sentences", [
      { image: "1.jpg", split: "train", sentences: ["left cat", "  "] },
      { image: "1.jpg", split: "train", sentences: ["Left cat", "right cat"] },
      { image: "2.jpg", split: "train", sentences: ["left cat"] },
    ]);
    const examination = await examineFolder(folder);
    expect(found(examination, "empty-sentence")).toMatchObject({
      severity: "error",
      count: 1,
      examples: ["sentences/r0/0-1"],
    });
    expect(found(examination, "ambiguous-sentence")).toMatchObject({ severity: "warning", count: 1 });
  });

  it("finds masks that are empty, outside, or overlap themselves, and boxes that leave the image", async () => {
    const nothing = rleToString(rleFromCounts([3000], 50, 60));
    const folder = await poolOf(home, "masks", [
      { image: "1.jpg", split: "train", parts: [[50, 40, 80, 40, 80, 50]] },
      { image: "2.jpg", split: "train", parts: [square, [15, 15, 35, 15, 35, 35, 15, 35]] },
      { image: "3.jpg", split: "train", parts: [[-0.6, 5, 25, 5, 25, 25]], box: [10, 10, 60, 10] },
      { image: "4.jpg", split: "train", segmentation: { kind: "rle", size: [50, 60], counts: "T3" } },
      { image: "5.jpg", split: "train", segmentation: { kind: "rle", size: [50, 60], counts: nothing } },
    ]);
    const examination = await examineFolder(folder);
    expect(found(examination, "mask-empty")).toMatchObject({ severity: "error", count: 1, examples: ["ref masks/r4"] });
    expect(found(examination, "mask-outside")).toMatchObject({
      severity: "warning",
      count: 1,
      examples: ["annotation masks/a0: 20.0 px outside 60×50"],
    });
    expect(found(examination, "mask-overlap")).toMatchObject({
      severity: "info",
      count: 1,
      examples: ["ref masks/r1: 100 pixels"],
    });
    expect(found(examination, "box-outside")).toMatchObject({ severity: "info", count: 1 });
    expect(found(examination, "mask-broken")).toMatchObject({
      severity: "error",
      count: 1,
      examples: [expect.stringMatching(/masks\/r3.*3000/)],
    });
  });

  it("compares masks with the boxes and areas that the dataset states, and says how they disagree", async () => {
    // A target of 60 × 50 that no mirror, exchange or scale leaves alone.
    const parts = [[4, 6, 24, 6, 24, 16, 4, 16]];
    const cases: readonly (readonly [cause: string, box: Box, parts?: number[][]])[] = [
      ["y flipped", [4, 34, 20, 10]],
      ["x flipped", [36, 6, 20, 10]],
      ["x and y exchanged", [6, 4, 10, 20]],
      ["box given as corners", [4, 6, 24, 16]],
      ["mask at half of the box's scale", [8, 12, 40, 20]],
      ["box in coordinates of 0 to 1", [4 / 60, 6 / 50, 20 / 60, 10 / 50]],
      ["mask in coordinates of 0 to 1", [6, 5, 30, 20], [[0.1, 0.1, 0.6, 0.1, 0.6, 0.5, 0.1, 0.5]]],
      ["otherwise", [40, 30, 3, 15]],
    ];
    for (const [cause, box, own] of cases) {
      const folder = await poolOf(home, "boxes", [
        { image: "1.jpg", split: "train", parts: own ?? parts, box },
        { image: "2.jpg", split: "train", parts, box: [4, 6, 20, 10] },
        { image: "3.jpg", split: "train", parts, box: [3, 5, 22, 12] },
      ]);
      const finding = found(await examineFolder(folder, { fast: true }), "mask-box-differs");
      expect(finding, cause).toMatchObject({ severity: "error", count: 1 });
      expect(finding?.message).toContain(`(1 ${cause}`);
      expect(finding?.examples[0]).toContain("annotation boxes/a0");
    }
    const unit = await poolOf(home, "unit", [{ image: "1.jpg", split: "train", parts: cases[6]?.[2] ?? [] }]);
    expect(found(await examineFolder(unit, { fast: true }), "mask-in-unit-coordinates")).toMatchObject({
      severity: "error",
    });
    const areas = await poolOf(home, "areas", [
      { image: "1.jpg", split: "train", parts, area: 800 },
      { image: "2.jpg", split: "train", parts, area: 210 },
    ]);
    expect(found(await examineFolder(areas, { fast: true }), "mask-area-differs")).toMatchObject({
      severity: "warning",
      count: 1,
      examples: ["annotation areas/a0: mask of 200 pixels, area 800"],
    });
  });

  it("compares counts with the published ones and repeats what the import left out", async () => {
    const folder = await poolOf(home, "refcoco-unc", healthy);
    const manifest = JSON.parse(await readFile(join(folder, "pool.json"), "utf8")) as {
      sources: { skipped: Record<string, number> }[];
    };
    manifest.sources[0]!.skipped = { "image missing": 3, "bad id": 1 };
    await writeFile(join(folder, "pool.json"), JSON.stringify(manifest));
    const published = (source: string) =>
      source === "refcoco-unc" ? { train: { refs: 4, images: 3, expressions: 3 }, testA: { refs: 1 } } : undefined;
    const examination = await examineFolder(folder, { published });
    expect(found(examination, "counts-differ")).toMatchObject({
      severity: "warning",
      count: 2,
      examples: ["train: 3 refs, published 4 (-1)", "testA: 0 refs, published 1 (-1)"],
    });
    expect(
      examination.findings.filter(({ code }) => code === "left-out").map(({ severity, count }) => [severity, count]),
    ).toEqual([
      ["error", 3],
      ["warning", 1],
    ]);
    // Of the dataset's own folder, what an import would stop at is an error, and says where.
    const fresh = await examineFolder(folder, { published, imported: { "bad id": ["refs(unc).p, record 4: …"] } });
    expect(fresh.findings.find(({ message }) => message.endsWith("bad id"))).toMatchObject({
      severity: "error",
      examples: ["refs(unc).p, record 4: …"],
    });
  });

  it("finds mined sets that are stale, damaged or full of held-out images, and judgements of unknown things", async () => {
    const pool = await smallPool({ images: 10, valImages: 3 });
    await mineSmall(pool);
    await mineSmall(pool, { name: "all", candidates: Int32Array.from({ length: 10 }, (_, row) => row) });
    const mined = (name: string) => join(pool.folder, "mined", name, "mined.json");
    const all = JSON.parse(await readFile(mined("all"), "utf8")) as { candidates: { splits: string[] } };
    all.candidates.splits = ["train", "val"];
    await writeFile(mined("all"), JSON.stringify(all));
    expect(codes(await examinePool(pool, examineOptions))).toEqual(["candidate-held-out"]);
    await writeFile(mined("all"), "{");
    await writeFile(
      mined("default"),
      (await readFile(mined("default"), "utf8")).replaceAll(pool.manifest.hash, "0".repeat(64)),
    );
    await appendJudgement(pool.folder, {
      expression: pool.expressionKey(0),
      image: pool.images.hash[0]!,
      verdict: "false-negative",
    });
    await appendJudgement(pool.folder, {
      expression: "gone/1/2",
      image: pool.images.hash[0]!,
      verdict: "false-negative",
    });
    await appendJudgement(pool.folder, {
      expression: pool.expressionKey(0),
      image: "f".repeat(64),
      verdict: "false-negative",
    });
    const examination = await examinePool(pool, examineOptions);
    expect(codes(examination).sort()).toEqual([
      "judgement-unknown-expression",
      "judgement-unknown-image",
      "mined-damaged",
      "mined-stale",
    ]);
    await appendFile(join(pool.folder, "judgements.jsonl"), "nonsense\n\n");
    expect(codes(await examinePool(pool, examineOptions), "error")).toContain("judgements-damaged");
    await pool.close();
  });
});
