import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { resizeTriangle } from "../../kernels/index.ts";
import { decodeImage, decodeImageTo, encodeJpeg, hasJpegTurbo } from "./index.ts";
import { readJpegHeader } from "./jpeg-header.ts";
import { decodeJpegInto } from "./jpeg-turbo.ts";
import { isForShrinking } from "./shrink-jpeg.ts";

if (!hasJpegTurbo()) console.warn("@julusian/jpeg-turbo is not installed: its tests do not run");

function smooth(width: number, height: number, channels: 1 | 3): Uint8Array {
  return Uint8Array.from({ length: width * height * channels }, (_, i) => {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    return 128 + 100 * Math.sin(x / 9 + (i % channels)) * Math.cos(y / 7);
  });
}

const [width, height] = [321, 200];
const raw = { width, height, channels: 3 } as const;
const coloured = () => sharp(smooth(width, height, 3), { raw });
const photo = () => encodeJpeg({ width, height, channels: 3, data: smooth(width, height, 3) }, 90);

/** Mean and largest difference between the fast way and the full decode with the same filter. */
async function differenceOf(bytes: Uint8Array, w: number, h: number): Promise<{ mean: number; most: number }> {
  const image = await decodeImage(bytes);
  const full = resizeTriangle(image, { width: w, height: h });
  const { data } = await decodeImageTo(bytes, w, h);
  expect(data.length).toBe(full.length);
  const differences = data.map((value, at) => Math.abs(value - full[at]!));
  return {
    mean: differences.reduce((sum, each) => sum + each, 0) / full.length,
    most: differences.reduce((most, each) => Math.max(most, each), 0),
  };
}

const isTaken = (bytes: Uint8Array): Promise<boolean> =>
  decodeJpegInto(bytes, width, height, new Uint8Array(width * height * 3));

describe.skipIf(!hasJpegTurbo())("JPEGs shrunk from the faster decoder", () => {
  it.each([
    ["baseline", () => photo()],
    ["progressive", async () => new Uint8Array(await coloured().jpeg({ progressive: true }).toBuffer())],
    [
      "without chroma subsampling",
      async () => new Uint8Array(await coloured().jpeg({ quality: 98, chromaSubsampling: "4:4:4" }).toBuffer()),
    ],
    ["grey", () => encodeJpeg({ width, height, channels: 1, data: smooth(width, height, 1) }, 90)],
  ])("are close to a full decode: %s", async (_, make) => {
    const bytes = await make();
    expect(isForShrinking(readJpegHeader(bytes)!, 100, 90)).toBe(true);
    expect(await isTaken(bytes)).toBe(true);
    for (const [w, h] of [
      [100, 90],
      [width, height],
      [1, 1],
    ] as const) {
      const { mean, most } = await differenceOf(bytes, w, h);
      expect(mean).toBeLessThan(1.5);
      expect(most).toBeLessThan(25);
    }
  });

  it("have the same bits alone and among many, in memory of the caller's and in new memory", async () => {
    const files = [await photo(), await encodeJpeg({ ...raw, data: smooth(width, height, 3).reverse() }, 70)];
    const alone: Uint8Array[] = [];
    for (const bytes of files) alone.push((await decodeImageTo(bytes, 77, 66)).data);
    expect(alone[0]).not.toEqual(alone[1]);
    const sizes = [66, 40, 90];
    const many = await Promise.all(
      Array.from({ length: 40 }, (_, at) => decodeImageTo(files[at % 2]!, 77, sizes[at % 3]!)),
    );
    many.forEach(({ data }, at) => {
      if (at % 3 === 0) expect(data).toEqual(alone[at % 2]);
    });
    const into = new Uint8Array(77 * 66 * 3);
    expect((await decodeImageTo(files[0]!, 77, 66, { into })).data).toBe(into);
    expect(into).toEqual(alone[0]);
  });

  it("fall back to the other decoder for stray bytes, which are a warning here and no error there", async () => {
    const bytes = await photo();
    const odd = Buffer.concat([bytes.subarray(0, -2), Buffer.from([1, 2, 3, 4, 5]), bytes.subarray(-2)]);
    expect(await isTaken(odd)).toBe(false);
    const { mean } = await differenceOf(odd, 100, 90);
    expect(mean).toBeLessThan(1.5);
  });
});

describe("JPEGs that are shrunk", () => {
  it("are refused where they are truncated, as when they are decoded whole", async () => {
    const bytes = await photo();
    const cut = bytes.subarray(0, bytes.length >> 1);
    expect(await isTaken(cut)).toBe(false);
    const whole = await decodeImage(cut, { where: "a.jpg" }).catch((error: Error) => error);
    await expect(decodeImageTo(cut, 100, 90, { where: "a.jpg" })).rejects.toMatchObject({
      code: "bad-input",
      message: (whole as Error).message,
    });
  });

  it("are refused where their header promises more pixels than allowed, before any is decoded", async () => {
    const bytes = Uint8Array.from(await photo());
    const frame = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xc0);
    bytes.set([0xff, 0xdc, 0xff, 0xdc], frame + 5);
    await expect(decodeImageTo(bytes, 100, 90)).rejects.toMatchObject({ code: "refused" });
    await expect(decodeImageTo(await photo(), 100, 90, { maxPixels: 64_000 })).rejects.toMatchObject({
      code: "refused",
    });
  });

  it("are read as when they are decoded whole where the header promises more rows than there are", async () => {
    const bytes = Uint8Array.from(await photo());
    const frame = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xc0);
    bytes.set([0x02, 0x00], frame + 5); // 512 rows
    expect(await isTaken(bytes)).toBe(false);
    const { mean } = await differenceOf(bytes, 100, 90);
    expect(mean).toBeLessThan(1.5);
  });

  it("are left to the library where they are large for the cell, in CMYK, or oddly coded", async () => {
    const header = readJpegHeader(await photo())!;
    expect(isForShrinking(header, 80, 50)).toBe(false);
    expect(isForShrinking({ ...header, components: 4 }, 100, 90)).toBe(false);
    expect(isForShrinking({ ...header, process: "other" }, 100, 90)).toBe(false);
    expect(isForShrinking({ ...header, width: 4000, height: 3000 }, 2000, 2000)).toBe(false);
    const cmyk = await coloured().toColourspace("cmyk").jpeg().toBuffer();
    const { data } = await decodeImageTo(cmyk, 100, 90);
    expect(data.length).toBe(100 * 90 * 3);
  });
});
