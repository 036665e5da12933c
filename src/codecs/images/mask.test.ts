import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../../test/peers.ts";
import { decodeMask, encodePng } from "./index.ts";
import { errorOf, ihdr, noise, png } from "./written-images.contract.ts";

const noPeers = !pythonHas("cv2", "PIL", "numpy");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "masks-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("decodeMask", () => {
  it.skipIf(noPeers)(
    "equals Pillow on palettes of each depth, grey of 8 and 16 bits (needs Python with Pillow)",
    async () => {
      runPython(
        `import numpy as np, sys, os
from PIL import Image
d = sys.argv[1]; rng = np.random.default_rng(1)
for bits in (1, 2, 4, 8):
    a = rng.integers(0, 2 ** bits, (37, 53), dtype=np.uint8)
    if bits == 8: a = np.cumsum(a // 64, axis=1).astype(np.uint8)
    p = Image.fromarray(a).convert('L'); p = Image.frombytes('P', (53, 37), a.tobytes()); p.putpalette(list(rng.integers(0, 256, 768)))
    p.save(d + '/p%d.mask.png' % bits, bits=bits); p.save(d + '/p%d-small.mask.png' % bits, bits=bits, optimize=True, transparency=0)
g = rng.integers(0, 256, (37, 53), dtype=np.uint8); Image.fromarray(g).save(d + '/grey.mask.png'); Image.fromarray(np.dstack([g, g, g])).save(d + '/rgb.mask.png')
Image.fromarray(rng.integers(0, 65536, (37, 53)).astype(np.uint16)).save(d + '/deep.mask.png')
Image.fromarray(g > 99).save(d + '/bit.mask.png')
import cv2; cv2.imwrite(d + '/filters.mask.png', g)
for f in os.listdir(d):
    if f.endswith('.mask.png'):
        a = np.array(Image.open(d + '/' + f)); a = a * np.uint8(255) if a.dtype == bool else a; a = a[:,:,0] if a.ndim == 3 else a
        a.astype(np.uint16).tofile(d + '/' + f + '.bin')`,
        [folder],
      );
      const files = readdirSync(folder).filter((file) => /\.mask\.png$/.test(file));
      expect(files.length).toBe(13);
      for (const file of files) {
        const mask = await decodeMask(join(folder, file));
        const theirs = readFileSync(join(folder, `${file}.bin`));
        expect([mask.width, mask.height], file).toEqual([53, 37]);
        expect([...mask.data], file).toEqual([
          ...new Uint16Array(theirs.buffer.slice(theirs.byteOffset, theirs.byteOffset + theirs.length)),
        ]);
        expect(mask.data instanceof Uint16Array, file).toBe(file === "deep.mask.png");
      }
      expect((await decodeMask(join(folder, "bit.mask.png"))).depth).toBe(1);
      expect((await decodeMask(join(folder, "p4.mask.png"))).depth).toBe(4);
      expect((await decodeMask(join(folder, "deep.mask.png"))).depth).toBe(16);
    },
  );

  it("undoes each of PNG's filters", async () => {
    const width = 9;
    const indices = noise(width * 5);
    const rows: number[] = [];
    for (let y = 0; y < 5; y++) {
      rows.push(y);
      for (let x = 0; x < width; x++) {
        const at = (dx: number, dy: number): number =>
          x - dx < 0 || y - dy < 0 ? 0 : indices[(y - dy) * width + x - dx]!;
        const [a, b, c] = [at(1, 0), at(0, 1), at(1, 1)];
        const nearest = [a, b, c].reduce(
          (best, value) => (Math.abs(a + b - c - value) < Math.abs(a + b - c - best) ? value : best),
          a,
        );
        rows.push((at(0, 0) - [0, a, b, (a + b) >> 1, nearest][y]!) & 255);
      }
    }
    const file = png(
      ihdr(width, 5, 8, 3),
      ["PLTE", noise(768)],
      ["IDAT", deflateSync(Uint8Array.from(rows))],
      ["IEND", new Uint8Array(0)],
    );
    expect((await decodeMask(file)).data).toEqual(indices);
    const grey = png(ihdr(width, 5, 8, 0), ["IDAT", deflateSync(Uint8Array.from(rows))], ["IEND", new Uint8Array(0)]);
    expect((await decodeMask(grey)).data).toEqual(indices);
  });

  it("reads grey in parts, interlaced or with a transparent value as the image library does, and says where it is damaged", async () => {
    const [width, height] = [33, 9];
    const values = Buffer.from(noise(width * height).map((value) => value | 1));
    const raw = { raw: { width, height, channels: 1 } } as const;
    const interlaced = await sharp(values, raw).toColourspace("b-w").png({ progressive: true }).toBuffer();
    expect([interlaced[25], interlaced[28]]).toEqual([0, 1]);
    expect(Buffer.from((await decodeMask(interlaced)).data)).toEqual(values);
    const rows = Buffer.alloc((width + 1) * height);
    for (let y = 0; y < height; y++) values.copy(rows, y * (width + 1) + 1, y * width, (y + 1) * width);
    const packed = deflateSync(rows);
    const file = (...chunks: [string, Uint8Array][]): Uint8Array =>
      png(ihdr(width, height, 8, 0), ...chunks, ["IEND", new Uint8Array(0)]);
    const parts = file(["IDAT", packed.subarray(0, 50)], ["tEXt", noise(9)], ["IDAT", packed.subarray(50)]);
    expect(Buffer.from((await decodeMask(parts)).data)).toEqual(values);
    const transparent = file(["tRNS", Uint8Array.of(0, values[40]!)], ["IDAT", packed]);
    expect((await errorOf(decodeMask(transparent))).message).toMatch(/grey and alpha that disagree/);
    const short = await errorOf(decodeMask(file(["IDAT", deflateSync(rows.subarray(9))])));
    expect([short.code, short.message]).toEqual(["bad-input", expect.stringMatching(/cut short/)]);
    expect((await errorOf(decodeMask(parts.subarray(0, 90)))).code).toBe("bad-input");
    expect((await errorOf(decodeMask(parts, { maxPixels: 100 }))).code).toBe("refused");
  });

  it("refuses coloured, interlaced and damaged masks", async () => {
    const colour = await encodePng({ width: 2, height: 1, channels: 3, data: Uint8Array.of(9, 9, 9, 1, 2, 3) });
    expect((await errorOf(decodeMask(colour))).message).toMatch(/one channel .* pixel 1, 0/);
    const interlaced = ihdr(2, 2, 8, 3);
    interlaced[1][12] = 1;
    const palette: [string, Uint8Array] = ["PLTE", noise(768)];
    const end: [string, Uint8Array] = ["IEND", new Uint8Array(0)];
    const data: [string, Uint8Array] = ["IDAT", deflateSync(new Uint8Array(6))];
    expect((await errorOf(decodeMask(png(interlaced, palette, data, end)))).code).toMatch(/unsupported|bad-input/);
    expect((await errorOf(decodeMask(png(ihdr(9, 9, 8, 3), palette, data, end)))).message).toMatch(/cut short/);
    const filter: [string, Uint8Array] = ["IDAT", deflateSync(Uint8Array.of(9, 0, 0, 0, 0, 0))];
    expect((await errorOf(decodeMask(png(ihdr(2, 2, 8, 3), palette, filter, end)))).message).toMatch(/filter/);
    const bomb: [string, Uint8Array] = ["IDAT", deflateSync(new Uint8Array(50_000_000))];
    expect((await errorOf(decodeMask(png(ihdr(2, 2, 8, 3), palette, bomb, end)))).message).toMatch(/inflated/);
  });
});

describe("decodeMask on alpha channels and lossy files", () => {
  const [width, height] = [40, 30];
  const inside = (i: number): boolean => i % width >= 8 && i % width < 20 && i >= 5 * width && i < 25 * width;
  const area = 12 * 20;
  const plane = (channels: number, of: (i: number, channel: number) => number): Buffer =>
    Buffer.from(
      Array.from({ length: width * height * channels }, (_, k) => of(Math.floor(k / channels), k % channels)),
    );
  const saved = (
    channels: 1 | 2 | 3 | 4,
    of: (i: number, channel: number) => number,
    format = "png",
  ): Promise<Buffer> =>
    sharp(plane(channels, of), { raw: { width, height, channels } })
      .toFormat(format as "png", format === "webp" ? { quality: 60 } : {})
      .toBuffer();
  const areaOf = async (bytes: Buffer): Promise<number> => (await decodeMask(bytes)).data.filter((v) => v > 0).length;

  it("takes the alpha channel where the colours are a picture's, or all one", async () => {
    const alphaOnly = (black: number) => (i: number, c: number) => (c === 3 ? (inside(i) ? 255 : 0) : black);
    expect(await areaOf(await saved(4, alphaOnly(0)))).toBe(area);
    expect(await areaOf(await saved(4, alphaOnly(255)))).toBe(area);
    expect(await areaOf(await saved(2, (i, c) => (c === 1 ? (inside(i) ? 255 : 0) : 0)))).toBe(area);
    const cutOut = await saved(4, (i, c) => (c === 3 ? (inside(i) ? 255 : 0) : (i * 7 + c * 31) % 256));
    expect(await areaOf(cutOut)).toBe(area);
  });

  it("takes the grey where alpha says nothing, or the same", async () => {
    expect(await areaOf(await saved(4, (i, c) => (c === 3 ? 255 : inside(i) ? 255 : 0)))).toBe(area);
    expect(await areaOf(await saved(4, (i) => (inside(i) ? 255 : 0)))).toBe(area);
    const levels = await decodeMask(await saved(2, (i, c) => (inside(i) ? (c === 0 ? 7 : 255) : 0)));
    expect(Math.max(...levels.data)).toBe(7);
  });

  it("refuses grey and alpha that disagree, with the pixel", async () => {
    const bytes = await saved(2, (i, c) => (c === 0 ? (inside(i) ? 255 : 0) : i < 9 ? 255 : 0));
    expect((await errorOf(decodeMask(bytes, { where: "m.png" }))).message).toMatch(
      /m\.png.*grey and alpha that disagree at pixel 0, 0/,
    );
  });

  it("says which files are lossy, of WebP by its chunks and of TIFF by its tag", async () => {
    const of = (i: number): number => (inside(i) ? 255 : 0);
    const lossy = async (bytes: Buffer): Promise<boolean> => (await decodeMask(bytes)).isLossy;
    expect(await lossy(await saved(1, of))).toBe(false);
    expect(await lossy(await saved(1, of, "jpeg"))).toBe(true);
    expect(await lossy(await saved(3, of, "webp"))).toBe(true);
    const raw = sharp(plane(3, of), { raw: { width, height, channels: 3 } });
    expect(await lossy(await raw.clone().webp({ lossless: true }).toBuffer())).toBe(false);
    expect(await lossy(await raw.clone().tiff({ compression: "lzw" }).toBuffer())).toBe(false);
    expect(await lossy(await raw.clone().tiff({ compression: "jpeg" }).toBuffer())).toBe(true);
  });
});
