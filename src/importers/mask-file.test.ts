import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { rleArea, rleFromString } from "../kernels/index.ts";
import { allRecords, freshFolder } from "./importer.contract.ts";
import { decodeMaskImage } from "./mask-file.ts";
import { makeCris, makeJsonl, maskPng, put } from "./sample-datasets.contract.ts";

const folder = freshFolder();

/** A disc of radius 15 in 64 × 48, saved by the program that people use. */
function disc(value = 255): { bytes: Uint8Array; area: number } {
  const bytes = new Uint8Array(64 * 48);
  let area = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (((i % 64) - 30) ** 2 + (Math.floor(i / 64) - 24) ** 2 > 15 ** 2) continue;
    bytes[i] = value;
    area++;
  }
  return { bytes, area };
}

const picture = (bytes: Uint8Array): Sharp => sharp(bytes, { raw: { width: 64, height: 48, channels: 1 } });

async function areaOf(bytes: Uint8Array): Promise<number> {
  const { segmentation } = await decodeMaskImage(bytes, "m");
  return segmentation.kind === "rle" ? rleArea(rleFromString(segmentation.counts, 48, 64)) : -1;
}

describe("mask images", () => {
  it("of lossy formats are cut at half their range, and say so", async () => {
    const { bytes, area } = disc();
    for (const quality of [50, 75, 95]) {
      const jpeg = await picture(bytes).jpeg({ quality }).toBuffer();
      expect(Math.abs((await areaOf(jpeg)) - area), `JPEG ${quality}`).toBeLessThan(0.03 * area);
      const webp = await picture(bytes).webp({ quality }).toBuffer();
      expect(Math.abs((await areaOf(webp)) - area), `WebP ${quality}`).toBeLessThan(0.03 * area);
    }
    const jpeg = await picture(bytes).jpeg().toBuffer();
    expect((await decodeMaskImage(jpeg, "m")).notes).toEqual([
      "mask in a lossy format (JPEG, WebP), cut at half its range",
    ]);
    expect((await decodeMaskImage(await maskPng(), "m")).notes).toEqual([]);
    expect(await areaOf(await picture(bytes).webp({ lossless: true }).toBuffer())).toBe(area);
  });

  it("of lossy formats whose values cannot be told apart are refused", async () => {
    for (const value of [100, 150]) {
      const jpeg = await picture(disc(value).bytes).jpeg().toBuffer();
      await expect(decodeMaskImage(jpeg, "a.jpg")).rejects.toThrow(/near 0 and 255 .*"a\.jpg".*save the mask as PNG/);
    }
  });

  it("that are empty are bad records of their target in CRIS and JSON lines, unless CRIS says no category", async () => {
    const options = await makeCris(folder());
    const empty = await maskPng(0);
    put(folder(), "masks/refcoco/300.png", empty);
    const bad = (await allRecords(options, "cris")).filter((record) => record.type === "bad");
    expect(bad).toMatchObject([{ reason: "target without a mask", where: "train.json, record 0" }]);
    const entry = {
      segment_id: 300,
      img_name: "a.jpg",
      bbox: [0, 0, 0, 0],
      cat: -1,
      sentences: [{ sent_id: 1, sent: "a" }],
    };
    put(folder(), "anns/refcoco/train.json", JSON.stringify([entry]));
    const refs = (await allRecords(options, "cris")).filter((record) => record.type === "ref");
    expect(refs[0]).toMatchObject({ id: "300", annotationIds: [] });

    put(folder(), "masks/empty.png", empty);
    const lines = makeJsonl(folder(), [{ image: "a.jpg", expressions: ["a"], segmentation: "masks/empty.png" }]);
    const found = await allRecords(lines, "jsonl");
    expect(found).toMatchObject([{ type: "bad", reason: "target without a mask" }]);
  });

  it("of lossy formats are noted for each line that names one", async () => {
    put(folder(), "masks/disc.jpg", await picture(disc().bytes).jpeg().toBuffer());
    const lines = makeJsonl(folder(), [{ image: "a.jpg", expressions: ["a"], segmentation: "masks/disc.jpg" }]);
    const notes = (await allRecords(lines, "jsonl")).filter((record) => record.type === "note");
    expect(notes).toMatchObject([{ reason: "mask in a lossy format (JPEG, WebP), cut at half its range" }]);
  });
});
