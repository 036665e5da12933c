import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonHas, runPython, runPythonBytes, sampleDir } from "../../../test/peers.ts";
import {
  decodeImage,
  decodeImageAtLeast,
  encodeJpeg,
  encodePng,
  encodeWebp,
  imageSize,
  renderSvg,
  setImageThreads,
} from "./index.ts";
import { errorOf, ihdr, noise, png } from "./written-images.contract.ts";

const noPeers = !pythonHas("cv2", "PIL", "numpy");
const photographs = sampleDir();
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "images-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function smooth(width: number, height: number): Uint8Array {
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    const y = Math.floor(i / 3 / width);
    return 128 + 100 * Math.sin(x / 9 + (i % 3)) * Math.cos(y / 7);
  });
}

describe("decodeImage", () => {
  it("gives back what encodePng wrote, for 1, 3 and 4 channels", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(1 as const, 3 as const, 4 as const),
        async (width, height, channels) => {
          const data = noise(width * height * channels);
          const file = await encodePng({ width, height, channels, data }, { compression: 1 });
          const back = await decodeImage(file);
          expect([back.width, back.height, back.channels]).toEqual([width, height, 3]);
          for (let p = 0; p < width * height; p++) {
            for (let c = 0; c < 3; c++)
              expect(back.data[p * 3 + c]).toBe(data[p * channels + (channels === 1 ? 0 : c)]);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it.skipIf(noPeers)(
    "equals OpenCV on every kind of file, and Pillow but for CMYK and 16-bit grey (needs Python with cv2 and Pillow)",
    async () => {
      runPython(
        `import numpy as np, cv2, sys, os
from PIL import Image
d = sys.argv[1]; rng = np.random.default_rng(0); r = lambda *s: rng.integers(0, 256, s, dtype=np.uint8)
a = r(13, 17, 3); big = cv2.GaussianBlur(cv2.resize(r(12, 16, 3), (61, 47)), (3, 3), 0); pal = Image.fromarray(a).quantize(16); I = Image.fromarray
save = lambda im, name, **k: im.save(os.path.join(d, name), **k)
save(I(a), 'rgb.png'); save(I(a[:,:,0]), 'grey.png'); save(I(np.dstack([a, r(13, 17)])), 'rgba.png'); save(I(a[:,:,:2].copy()), 'grey-alpha.png')
save(pal, 'palette.png'); save(pal, 'palette-transparent.png', transparency=3); save(I(a[:,:,0] > 128), 'one-bit.png')
cv2.imwrite(d + '/rgb16.png', rng.integers(0, 65536, (13, 17, 3)).astype(np.uint16)); cv2.imwrite(d + '/grey16.png', rng.integers(0, 65536, (13, 17)).astype(np.uint16))
for q in (50, 75, 90, 95, 100): save(I(big), 'q%d.jpg' % q, quality=q)
save(I(big), '444.jpg', quality=90, subsampling=0); save(I(big), '422.jpg', quality=90, subsampling=1); save(I(big), 'progressive.jpg', progressive=True)
save(I(big[:,:,0]), 'grey.jpg'); save(I(big).convert('CMYK'), 'cmyk.jpg', quality=95); save(I(big), 'lossless.webp', lossless=True); save(I(big), 'lossy.webp')
save(I(big), 'x.tif'); save(pal, 'x.gif')
from PIL import ImageCms
save(I(big), 'profile.jpg', icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile('LAB')).tobytes())
ex = Image.Exif(); ex[0x112] = 6; save(I(big), 'rotated.jpg', exif=ex)
for f in sorted(os.listdir(d)):
    m = cv2.imread(d + '/' + f, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if m is not None: m[:,:,::-1].tofile(d + '/' + f + '.cv')
    np.asarray(Image.open(d + '/' + f).convert('RGB')).tofile(d + '/' + f + '.pil')`,
        [folder],
      );
      const files = readdirSync(folder).filter((file) => !/\.(cv|pil)$/.test(file));
      expect(files.length).toBeGreaterThan(20);
      let compared = 0;
      for (const file of files) {
        const { data } = await decodeImage(join(folder, file));
        for (const peer of ["cv", "pil"]) {
          if (peer === "cv" && /gif$/.test(file)) continue;
          if (peer === "pil" && file === "grey16.png") continue;
          const theirs = new Uint8Array(readFileSync(join(folder, `${file}.${peer}`)));
          expect(data.length, `${file} ${peer}`).toBe(theirs.length);
          const difference = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - data[i]!)), 0);
          expect(difference, `${file} beside ${peer}`).toBe(file === "cmyk.jpg" && peer === "pil" ? 1 : 0);
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(40);
    },
  );

  it.skipIf(noPeers || photographs === undefined)(
    "equals cv2.imread on the sample photographs (needs NEMOSAIC_SAMPLE and Python with cv2)",
    async () => {
      const images = join(photographs ?? "", "images");
      const files = readdirSync(images)
        .filter((file) => /\.jpg$/.test(file))
        .sort()
        .slice(0, 60);
      expect(files.length).toBeGreaterThan(20);
      const out = runPythonBytes(
        `import cv2, sys, os, hashlib
for f in sys.argv[2:]: print(hashlib.sha256(cv2.imread(os.path.join(sys.argv[1], f), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)[:,:,::-1].tobytes()).hexdigest())`,
        [images, ...files],
      )
        .toString()
        .trim()
        .split("\n");
      const { createHash } = await import("node:crypto");
      for (const [i, file] of files.entries()) {
        const { data } = await decodeImage(join(images, file));
        expect(createHash("sha256").update(data).digest("hex"), file).toBe(out[i]);
      }
    },
  );

  it("does not turn images by their EXIF orientation, and imageSize reports it", async () => {
    const jpeg = Buffer.from(await encodeJpeg({ width: 24, height: 16, channels: 3, data: smooth(24, 16) }, 90));
    const exif = Buffer.from(
      "\xff\xe1\x00\x22Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0",
      "latin1",
    );
    const turned = Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
    expect(await imageSize(turned)).toEqual({ width: 24, height: 16, format: "jpeg", orientation: 6 });
    expect(await decodeImage(turned)).toEqual(await decodeImage(jpeg));
  });

  it("refuses truncated JPEGs and PNGs", async () => {
    const image = { width: 64, height: 64, channels: 3 as const, data: noise(64 * 64 * 3) };
    for (const file of [await encodeJpeg(image, 90), await encodePng(image), await encodeWebp(image)]) {
      for (const share of [0.01, 0.1, 0.5, 0.9]) {
        const error = await errorOf(
          decodeImage(file.subarray(0, Math.floor(file.length * share)), { where: '"cut.jpg"' }),
        );
        expect(error.code).toMatch(/bad-input/);
        expect(error.message).toContain('"cut.jpg"');
      }
    }
  });

  it("refuses a decompression bomb by its header", async () => {
    const bomb = png(ihdr(60000, 60000, 8, 0), ["IDAT", deflateSync(new Uint8Array(100))], ["IEND", new Uint8Array(0)]);
    const error = await errorOf(decodeImage(bomb, { where: '"bomb.png"' }));
    expect(error.code).toBe("refused");
    expect(error.message).toMatch(/bomb\.png.*60000 x 60000/);
    const small = await encodePng({ width: 10, height: 10, channels: 1, data: new Uint8Array(100) });
    expect((await errorOf(decodeImage(small, { maxPixels: 99 }))).code).toBe("refused");
    expect((await decodeImage(small, { maxPixels: 100 })).width).toBe(10);
  });

  it("names what is no image, and files that are not there", async () => {
    expect((await errorOf(decodeImage(new Uint8Array(0)))).code).toBe("bad-input");
    expect((await errorOf(decodeImage(Buffer.from("no image at all")))).code).toBe("bad-input");
    expect((await errorOf(decodeImage(join(folder, "none.jpg")))).code).toBe("not-found");
    expect((await errorOf(decodeImage(folder))).code).toBe("io");
  });

  it("reads files whose names hold brackets", async () => {
    const path = join(folder, "photo[page=7].png");
    writeFileSync(path, await encodePng({ width: 2, height: 1, channels: 1, data: Uint8Array.of(3, 4) }));
    expect([...(await decodeImage(path)).data]).toEqual([3, 3, 3, 4, 4, 4]);
    rmSync(path);
  });
});

describe("decodeImageAtLeast", () => {
  it("halves while the size asked for still fits", async () => {
    const file = await encodeJpeg({ width: 101, height: 67, channels: 3, data: smooth(101, 67) }, 95);
    const sizes = [
      [101, 67, 101, 67],
      [51, 34, 51, 34],
      [52, 34, 101, 67],
      [26, 17, 26, 17],
      [13, 9, 13, 9],
      [1, 1, 13, 9],
      [500, 500, 101, 67],
    ];
    for (const [width, height, expectedWidth, expectedHeight] of sizes) {
      const image = await decodeImageAtLeast(file, width!, height!);
      expect([image.width, image.height, image.data.length]).toEqual([
        expectedWidth,
        expectedHeight,
        expectedWidth! * expectedHeight! * 3,
      ]);
    }
  });

  it("looks like the picture", async () => {
    const file = await encodeJpeg({ width: 128, height: 96, channels: 3, data: smooth(128, 96) }, 95);
    const full = await decodeImage(file);
    for (const by of [2, 4, 8]) {
      const small = await decodeImageAtLeast(file, 128 / by, 96 / by);
      let total = 0;
      for (let y = 0; y < small.height; y++) {
        for (let x = 0; x < small.width; x++) {
          for (let c = 0; c < 3; c++) {
            let sum = 0;
            for (let dy = 0; dy < by; dy++)
              for (let dx = 0; dx < by; dx++) sum += full.data[((y * by + dy) * 128 + x * by + dx) * 3 + c]!;
            total += Math.abs(sum / by / by - small.data[(y * small.width + x) * 3 + c]!);
          }
        }
      }
      expect(total / small.data.length).toBeLessThan(3);
    }
  });
});

describe("encoders", () => {
  it("give the same bytes each time", async () => {
    const image = { width: 40, height: 30, channels: 3 as const, data: smooth(40, 30) };
    for (const encode of [
      () => encodePng(image),
      () => encodeJpeg(image, 85),
      () => encodeWebp(image, { quality: 70 }),
      () => encodeWebp(image, { lossless: true }),
    ]) {
      const [one, two] = [await encode(), await encode()];
      expect(one).toEqual(two);
      expect((await imageSize(one)).width).toBe(40);
    }
  });

  it("write JPEG close to the picture, and closer in 4:4:4", async () => {
    const data = Uint8Array.from({ length: 32 * 32 * 3 }, (_, i) =>
      (Math.floor(i / 3) + (i % 3)) % 3 === 0 ? 220 : 40,
    );
    const image = { width: 32, height: 32, channels: 3 as const, data };
    const errors: number[] = [];
    for (const chroma of ["4:2:0", "4:4:4"] as const) {
      const back = await decodeImage(await encodeJpeg(image, 95, { chroma }));
      errors.push(back.data.reduce((sum, value, i) => sum + Math.abs(value - data[i]!), 0) / data.length);
    }
    expect(errors[1]).toBeLessThan(8);
    expect(errors[1]).toBeLessThan(errors[0]! / 2);
  });

  it("keep lossless WebP exact", async () => {
    const data = noise(15 * 11 * 3);
    expect(
      (await decodeImage(await encodeWebp({ width: 15, height: 11, channels: 3, data }, { lossless: true }))).data,
    ).toEqual(data);
  });

  it("refuse sizes and qualities that make no sense", async () => {
    expect((await errorOf(encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(11) }))).code).toBe(
      "usage",
    );
    expect((await errorOf(encodePng({ width: 0, height: 2, channels: 3, data: new Uint8Array(0) }))).code).toBe(
      "usage",
    );
    expect((await errorOf(encodeJpeg({ width: 1, height: 1, channels: 4, data: new Uint8Array(4) }, 90))).code).toBe(
      "usage",
    );
    expect((await errorOf(encodeJpeg({ width: 1, height: 1, channels: 1, data: new Uint8Array(1) }, 0))).code).toBe(
      "usage",
    );
    expect(() => setImageThreads(0)).toThrow(/1 thread/);
    setImageThreads(1);
  });

  it("draw an SVG", async () => {
    const file = await renderSvg(
      '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="4"><rect width="4" height="4" fill="#ff0000"/><rect x="4" width="4" height="4" fill="#0000ff"/></svg>',
    );
    const image = await decodeImage(file);
    expect([image.width, image.height]).toEqual([8, 4]);
    expect([...image.data.subarray(0, 3), ...image.data.subarray(21, 24)]).toEqual([255, 0, 0, 0, 0, 255]);
    expect((await errorOf(renderSvg("<svg"))).code).toBe("bad-input");
  });
});
