import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sampleDir } from "../../test/peers.ts";
import { decodeImage, decodeImageTo, encodeJpeg, hasJpegTurbo } from "../codecs/index.ts";
import { hashBytes } from "../io/index.ts";
import { resizeTriangle } from "../kernels/index.ts";
import { resampleVersions } from "../model/index.ts";

/** The tolerance that docs/performance.md states: mean over an image, and any one value, of 255. */
const tolerance = { mean: 2.5, most: 40 };

async function differenceOf(input: string | Uint8Array, size: number): Promise<{ mean: number; most: number }> {
  const image = await decodeImage(input);
  const full = resizeTriangle(image, { width: size, height: size });
  const { data } = await decodeImageTo(input, size, size);
  let [sum, most] = [0, 0];
  for (let at = 0; at < full.length; at++) {
    const difference = Math.abs(full[at]! - data[at]!);
    sum += difference;
    most = Math.max(most, difference);
  }
  return { mean: sum / full.length, most };
}

/** A picture of gradients and edges, 1600 × 1200, as a JPEG. */
function drawn(): Promise<Uint8Array> {
  const data = new Uint8Array(1600 * 1200 * 3);
  for (let y = 0; y < 1200; y++) {
    for (let x = 0; x < 1600; x++) {
      const inside = (x >> 7) % 2 === (y >> 7) % 2 ? 200 : 40;
      data.set([inside, (x * 255) >> 11, (y * 255) >> 11], (y * 1600 + x) * 3);
    }
  }
  return encodeJpeg({ width: 1600, height: 1200, channels: 3, data }, 92);
}

describe("the fast kernel", () => {
  const sample = sampleDir();
  it.skipIf(sample === undefined)("is within its tolerance of a full decode, on photographs", async () => {
    const folder = join(sample!, "images");
    const names = readdirSync(folder).filter((name) => name.endsWith(".jpg"));
    let compared = 0;
    for (const name of names.filter((_, at) => at % 8 === 0)) {
      const path = join(folder, name);
      const { width, height } = await decodeImage(path);
      for (const size of [138, 208, 416].filter((each) => each <= Math.min(width, height))) {
        const { mean, most } = await differenceOf(path, size);
        expect(mean, `mean of ${name} at ${size}`).toBeLessThan(tolerance.mean);
        expect(most, `most of ${name} at ${size}`).toBeLessThanOrEqual(tolerance.most);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });

  it.each([
    ["is scaled while it is decoded", 208],
    ["is decoded at its size", 600],
  ])("is within its tolerance where the JPEG %s", async (_, size) => {
    const { mean, most } = await differenceOf(await drawn(), size);
    expect(most).toBeGreaterThan(0); // another way to the pixels
    expect(mean).toBeLessThan(tolerance.mean);
    expect(most).toBeLessThanOrEqual(tolerance.most);
  });

  it("has the pixels of its version: when they change, raise resampleVersions.fast", async () => {
    const { data } = await decodeImageTo(await drawn(), 139, 138);
    expect([resampleVersions.fast, hashBytes(data)]).toMatchInlineSnapshot(`
      [
        2,
        "9fb1d84b7d00809ac0453cb0b22552190fee5600af7c801c4fb8207c677f6b1a",
      ]
    `);
  });

  it.skipIf(!hasJpegTurbo())("has them also where the image is not large for the cell", async () => {
    const { data } = await decodeImageTo(await drawn(), 600, 400);
    expect([resampleVersions.fast, hashBytes(data)]).toMatchInlineSnapshot(`
      [
        2,
        "8dca6994ca7842dcf7cfbdae21e5fd4e0d29e3b23cc94470b015d09d9536c378",
      ]
    `);
  });

  it("does not enlarge", async () => {
    await expect(decodeImageTo(await drawn(), 1601, 20)).rejects.toMatchObject({ code: "usage" });
  });
});
