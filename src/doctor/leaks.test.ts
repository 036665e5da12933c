import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pool } from "../pool/index.ts";
import {
  codes,
  examineFolder,
  found,
  healthy,
  picture,
  picturesAt,
  poolOf,
  type Ref,
} from "./examined-pools.contract.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "nemosaic-doctor-test-"));
  await picturesAt(join(home, "images"), [1, 2, 3, 4, 5, 6]);
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe("the doctor, of images that are trained on and evaluated on,", () => {
  it("finds images that are trained on and evaluated on: in one source, between sources, by design", async () => {
    const leak: Ref[] = [
      { image: "1.jpg", split: "train" },
      { image: "1.jpg", split: "testA", sentences: ["other"] },
    ];
    expect(found(await examineFolder(await poolOf(home, "own", leak)), "leak-between-splits")).toMatchObject({
      severity: "error",
      count: 1,
    });
    expect(found(await examineFolder(await poolOf(home, "refcoco-google", leak)), "leak-by-design")).toMatchObject({
      severity: "warning",
      count: 1,
    });
    const folder = await poolOf(home, "one", [...healthy]);
    await poolOf(
      home,
      "two",
      [
        { image: "4.jpg", split: "train" },
        { image: "1.jpg", split: "test" },
        { image: "5.jpg", split: "train" },
      ],
      { folder },
    );
    const examination = await examineFolder(folder);
    expect(found(examination, "leak-between-sources")).toMatchObject({ severity: "error", count: 2 });
    expect(codes(examination)).not.toContain("leak-between-splits");
  });

  it("finds leaks between two pools by content, by number and by looks", async () => {
    const images = join(home, "again");
    await mkdir(images, { recursive: true });
    await copyFile(join(home, "images", "1.jpg"), join(images, "same.jpg"));
    await picture(2).jpeg({ quality: 60 }).toFile(join(images, "alike.jpg"));
    await picture(77).jpeg().toFile(join(images, "COCO_train2014_000000123456.jpg"));
    const numbered = join(home, "numbered");
    await mkdir(numbered, { recursive: true });
    await picture(78).jpeg().toFile(join(numbered, "000000123456.jpg"));
    for (const seed of [1, 2]) await copyFile(join(home, "images", `${seed}.jpg`), join(numbered, `${seed}.jpg`));
    const train = await poolOf(
      home,
      "train",
      ["1.jpg", "2.jpg", "000000123456.jpg"].map((image) => ({ image, split: "train" })),
      { images: numbered },
    );
    const other = await Pool.open(
      await poolOf(
        home,
        "val",
        ["same.jpg", "alike.jpg", "COCO_train2014_000000123456.jpg"].map((image) => ({ image, split: "val" })),
        { images },
      ),
    );
    const examination = await examineFolder(train, { against: other });
    expect(found(examination, "leak-between-pools")).toMatchObject({
      severity: "error",
      count: 1,
      examples: [expect.stringContaining("same.jpg")],
    });
    expect(found(examination, "leak-between-pools-by-id")).toMatchObject({ count: 1 });
    expect(found(examination, "leak-between-pools-alike")).toMatchObject({
      count: 1,
      examples: [expect.stringContaining("alike.jpg")],
    });
    await other.close();
  });

  it("finds images that look alike, worse where one is evaluated on", async () => {
    const images = join(home, "alike");
    await picturesAt(images, [1, 2, 3]);
    await picture(1).resize(90, 75).jpeg({ quality: 70 }).toFile(join(images, "1-again.jpg"));
    await picture(2).jpeg({ quality: 50 }).toFile(join(images, "2-again.jpg"));
    const refs = ["1.jpg", "2.jpg", "3.jpg", "1-again.jpg"].map((image) => ({ image, split: "train" }));
    const examination = await examineFolder(
      await poolOf(home, "alike", [...refs, { image: "2-again.jpg", split: "val" }], { images }),
    );
    expect(found(examination, "near-duplicate")).toMatchObject({
      severity: "info",
      count: 1,
      examples: [expect.stringContaining("1-again.jpg")],
    });
    expect(found(examination, "near-duplicate-leak")).toMatchObject({
      severity: "warning",
      count: 1,
      examples: [expect.stringContaining("2-again.jpg")],
    });
  });
});
