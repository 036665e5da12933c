import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratchFolder, smallPool, smallSource } from "../../test/small-pool.ts";
import { silentProgress } from "../io/index.ts";
import type { DatasetRecord } from "../model/index.ts";
import { importPool, Pool, type RecordSource } from "./index.ts";

const options = { onBad: "fail", pack: false, force: false, progress: silentProgress } as const;

async function bytesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await readFile(join(folder, name))).toString("base64")])),
  );
}

/** A source whose stream is changed on the way. */
function changed(
  source: RecordSource,
  change: (record: DatasetRecord) => DatasetRecord[],
  name = source.name,
): RecordSource {
  return {
    ...source,
    name,
    async *records() {
      for await (const record of source.records()) yield* change(record);
    },
  };
}

describe("importing into a pool", () => {
  it("gives the same bytes when imported again elsewhere", async () => {
    const [a, b] = [await scratchFolder(), await scratchFolder()];
    for (const folder of [a, b]) await importPool(join(folder, "pool"), await smallSource(folder), options);
    expect(await bytesOf(join(a, "pool"))).toEqual(await bytesOf(join(b, "pool")));
  });

  it("says that a source is there already, and refuses another under its name", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder);
    const place = join(folder, "pool");
    expect((await importPool(place, source, options)).reused).toBe(false);
    expect((await importPool(place, source, options)).reused).toBe(true);
    const other = { ...source, files: [{ path: "x", sha256: "0" }] };
    await expect(importPool(place, other, options)).rejects.toThrow(/source "small" is in .* already.*--force/);
  });

  it("imports again where images are other files by now, and where some that were left out are there", async () => {
    const [folder, whole] = [await scratchFolder(), await scratchFolder()];
    const source = await smallSource(folder);
    await importPool(join(whole, "pool"), await smallSource(whole), options);
    const path = join(folder, "images", "5.png");
    const bytes = await readFile(path);
    for (const [name, damage, onBad] of [
      ["cut", () => truncate(path, bytes.length - 20), "fail"],
      ["gone", () => rm(path), "skip"],
    ] as const) {
      const place = join(folder, name);
      await damage();
      await importPool(place, source, { ...options, onBad });
      await writeFile(path, bytes);
      expect(await importPool(place, source, { ...options, onBad }), name).toMatchObject({ reused: false });
      expect(await bytesOf(place), name).toEqual(await bytesOf(join(whole, "pool")));
      expect(await importPool(place, source, { ...options, onBad }), name).toMatchObject({ reused: true });
    }
  });

  it("holds several sources, one image and one annotation for what they share", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 4, valImages: 1 });
    const place = join(folder, "pool");
    await importPool(place, source, options);
    const flipped = (record: DatasetRecord): DatasetRecord[] => [
      record.type === "ref" ? { ...record, split: "test" } : record,
    ];
    await importPool(place, changed(source, flipped, "second"), options);
    const pool = await Pool.open(place);
    expect([pool.images.count, pool.annotations.count, pool.refs.count]).toEqual([4, 8, 16]);
    expect(pool.annotationKey(pool.targetsOfRef(8)[0]!)).toBe("small/a0-0");
    expect(new Set(pool.refs.split)).toEqual(new Set(["train", "val", "test"]));
    await pool.close();
    // Replacing the first keeps what the second needs of it.
    const first = { ...source, files: [{ path: "x", sha256: "0" }] };
    await importPool(
      place,
      changed(first, (record) => [record]),
      { ...options, force: true },
    );
    const again = await Pool.open(place);
    expect([again.images.count, again.annotations.count, again.refs.count]).toEqual([4, 8, 16]);
    expect(again.expressionKey(again.expressionRow("second/r2-0/2-0a"))).toBe("second/r2-0/2-0a");
    await again.close();
  });

  it("fails on the first bad record, or skips it with all that hangs on it and counts", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder);
    await rm(join(folder, "images", "3.png"));
    await writeFile(join(folder, "images", "5.png"), "no picture");
    const wrongSize = (record: DatasetRecord): DatasetRecord[] => [
      record.type === "image" && record.id === "im7" ? { ...record, width: 99 } : record,
    ];
    const bad = changed(source, wrongSize);
    await expect(importPool(join(folder, "a"), bad, options)).rejects.toThrow(
      /image im3 of small: .*3\.png.*--on-bad skip/,
    );
    expect(await readdir(folder)).not.toContain("a");
    const report = await importPool(join(folder, "b"), bad, { ...options, onBad: "skip" });
    expect(report.source.skipped).toEqual({ "image missing": 1, "image of another size": 1, "image unreadable": 1 });
    expect(report.source.notes).toEqual({ "annotation of an image left out": 6, "ref of an image left out": 6 });
    expect(report.source.counts).toEqual({ images: 9, annotations: 18, refs: 18, expressions: 36 });
    expect(report.examples).toHaveLength(3);
  });

  it("refuses a mask of another size than its image's header, and says what is exchanged", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 3, valImages: 1 });
    const size = await smallPool({ images: 3, valImages: 1 });
    const [width, height] = [size.images.width[0] ?? 0, size.images.height[0] ?? 0];
    await size.close();
    const turned = changed(source, (record) => [
      record.type === "annotation" && record.imageId === "im0"
        ? { ...record, segmentation: { kind: "rle", size: [width, height], counts: "0" } }
        : record,
    ]);
    await expect(importPool(join(folder, "pool"), turned, options)).rejects.toThrow(
      new RegExp(`mask of ${width}×${height} pixels .* got ${height}×${width} \\(height and width are exchanged\\)`),
    );
    const report = await importPool(join(folder, "pool"), turned, { ...options, onBad: "skip" });
    expect(report.source.skipped["mask of another size"]).toBeGreaterThan(0);
    expect(report.source.notes["ref of an annotation left out"]).toBeGreaterThan(0);
  });

  it("refuses refs whose polygons have no pixel inside, and says why they have none", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 2, valImages: 1 });
    const give = (parts: number[][]): RecordSource =>
      changed(source, (record) => [
        record.type === "annotation" && record.id === "a0-0"
          ? { ...record, segmentation: { kind: "polygons", parts } }
          : record,
      ]);
    for (const [part, words] of [
      [[0.1, 0.1, 0.9, 0.1, 0.9, 0.9], /run from 0 to 1; multiply x by the image's width/],
      [[90, 5, 99, 5, 99, 12], /outside its image of 40×30 \(x from 90 to 99, y from 5 to 12\)/],
      [[5, 5, 5, 5, 5, 5], /so thin that they cover no pixel/],
    ] as const)
      await expect(importPool(join(folder, "pool"), give([[...part]]), options)).rejects.toThrow(words);
    const report = await importPool(join(folder, "pool"), give([[5, 5, 5, 5, 5, 5]]), { ...options, onBad: "skip" });
    expect(report.source.skipped).toEqual({ "target without a mask": 1 });
    // Beside a target that is seen it takes nothing away from the mask.
    const both = changed(give([[5, 5, 5, 5, 5, 5]]), (record) => [
      record.type === "ref" && record.id === "r0-0" ? { ...record, annotationIds: ["a0-0", "a0-1"] } : record,
    ]);
    expect((await importPool(join(folder, "both"), both, options)).source.skipped).toEqual({});
  });

  it("names how many images are missing, not only the first", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 5 });
    for (const gone of ["1.png", "3.png"]) await rm(join(source.imagesFolder, gone));
    await expect(importPool(join(folder, "pool"), source, options)).rejects.toThrow(
      /expected a file "1\.png".*2 of 5 images are missing: check --images/,
    );
  });

  it("leaves training refs out whose image an evaluation split holds, in any source, and counts them", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 4, valImages: 1, refsPerImage: 2 });
    const place = join(folder, "pool");
    await importPool(place, source, options);
    const asTest = changed(
      source,
      (record) =>
        record.type === "ref" ? (record.imageId === "im0" ? [{ ...record, split: "testA" }] : []) : [record],
      "other",
    );
    const skip = { ...options, onBad: "skip", withoutLeaks: true } as const;
    const { manifest } = await importPool(place, asTest, skip);
    const note = "training ref left out: an evaluation split holds its image";
    expect(manifest.sources.map(({ name, notes, splits }) => [name, notes[note], splits])).toEqual([
      ["small", 2, { train: 4, val: 2 }],
      ["other", undefined, { testA: 2 }],
    ]);
    const pool = await Pool.open(place);
    expect(pool.refs.count).toBe(8);
    expect(pool.manifest.sources.map(({ counts }) => counts.expressions)).toEqual([12, 4]);
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const [start, end] = pool.expressionsOfRef(ref);
      expect(end - start).toBe(2);
    }
    await pool.close();
  });

  it("refuses targets with a box and no mask where they are trained on, and notes them elsewhere", async () => {
    const folder = await scratchFolder();
    const small = await smallSource(folder, { images: 3, refsPerImage: 1, valImages: 2 });
    const without = (images: readonly string[]) =>
      changed(small, (record) => [
        record.type === "annotation" && images.includes(record.imageId)
          ? { ...record, segmentation: { kind: "none" } }
          : record,
      ]);
    await expect(importPool(join(folder, "a"), without(["im0", "im1", "im2"]), options)).rejects.toThrow(
      /ref r0-0 of small: expected a mask .* got a box alone/,
    );
    const skipping = { ...options, onBad: "skip" } as const;
    const { skipped, notes } = (await importPool(join(folder, "a"), without(["im0", "im1"]), skipping)).source;
    expect(skipped).toEqual({ "target without a mask": 1 });
    expect(notes).toEqual({ "target with a box and no mask: to be looked at, not scored": 1 });
  });

  it("packs images into the pool and reads them back without the folder", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder);
    const original = await readFile(join(folder, "images", "2.png"));
    await importPool(join(folder, "pool"), source, { ...options, pack: true });
    await rm(join(folder, "images"), { recursive: true });
    const pool = await Pool.open(join(folder, "pool"));
    expect(Buffer.from(await pool.imageBytes(2)).equals(original)).toBe(true);
    await pool.close();
  });

  it("never reads outside its images folder", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder);
    for (const file of ["../secret.png", "/etc/passwd", "a\0b.png", ".."]) {
      const evil = changed(source, (record) => [
        record.type === "image" && record.id === "im0" ? { ...record, file } : record,
      ]);
      await expect(importPool(join(folder, "pool"), evil, options)).rejects.toThrow(
        /leaves the folder|relative to|NUL byte/,
      );
    }
  });

  it("recovers from a commit that a kill cut short", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder);
    await importPool(join(folder, "pool"), source, options);
    const whole = await bytesOf(join(folder, "pool"));
    await mkdir(join(folder, "pool", ".staging"));
    for (const name of ["refs.parquet", "expressions.parquet", "pool.json"])
      await rename(join(folder, "pool", name), join(folder, "pool", ".staging", name));
    await importPool(join(folder, "pool"), source, options);
    expect(await bytesOf(join(folder, "pool"))).toEqual(whole);
  });

  it("is the same pool when its images have moved and all is imported again, and lists no old root", async () => {
    const folder = await scratchFolder();
    const place = join(folder, "pool");
    const options = { onBad: "fail", pack: false, force: true, progress: silentProgress } as const;
    const source = await smallSource(folder, { images: 3 });
    const other = { ...source, name: "other" };
    const before = await importPool(place, source, options);
    await rename(join(folder, "images"), join(folder, "moved"));
    const moved = { ...source, imagesFolder: join(folder, "moved") };
    const after = await importPool(place, moved, options);
    expect(after.manifest).toMatchObject({ hash: before.manifest.hash, roots: ["../moved"] });
    // Another source that shares the images: the first to be imported again finds them where they are now.
    await importPool(place, { ...other, imagesFolder: join(folder, "moved") }, options);
    await rename(join(folder, "moved"), join(folder, "again"));
    const { manifest } = await importPool(place, { ...source, imagesFolder: join(folder, "again") }, options);
    expect(manifest.roots).toEqual(["../again"]);
    // Packed images lie under no root; the folder that they came from tells their source again.
    const packed = join(folder, "packed");
    const again = { ...source, imagesFolder: join(folder, "again") };
    for (const isReused of [false, true])
      expect(await importPool(packed, again, { ...options, pack: true, force: false })).toMatchObject({
        reused: isReused,
        manifest: { roots: ["../again"] },
      });
    const pool = await Pool.open(place);
    for (let row = 0; row < 3; row++) expect((await pool.imageBytes(row)).length).toBeGreaterThan(0);
    await pool.close();
  });
});
