import { expect, it } from "vitest";
import { pythonHas, runPythonBytes } from "../../test/peers.ts";
import { gaussianBlur } from "./gaussian-blur.ts";
import type { Resize } from "./pixels.ts";
import { CounterRandom } from "./random.ts";
import { resizeBicubic, resizeTriangle } from "./resample.ts";
import { resizeLinear, resizeNearest } from "./resize.ts";

const hasCv2 = pythonHas("cv2", "numpy");
const hasPillow = pythonHas("PIL", "numpy");

interface Job {
  readonly w: number;
  readonly h: number;
  readonly cn: number;
  readonly part: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly dw: number;
  readonly dh: number;
}

/** Sizes that matter (COCO's to the cells of a mosaic), exact ratios, single pixels, and random ones with crops. */
function jobs(): Job[] {
  const whole = (w: number, h: number, cn: number, dw: number, dh: number): Job => {
    return { w, h, cn, part: { x: 0, y: 0, width: w, height: h }, dw, dh };
  };
  const list = [
    whole(640, 480, 3, 208, 208),
    whole(640, 427, 3, 416, 416),
    whole(427, 640, 3, 139, 138),
    whole(640, 480, 3, 320, 240),
    whole(640, 480, 1, 320, 120),
    whole(640, 480, 3, 640, 480),
    whole(500, 375, 3, 1000, 750),
    whole(1, 1, 3, 7, 5),
    whole(1, 9, 1, 4, 3),
    whole(9, 1, 4, 3, 4),
    whole(7, 5, 2, 1, 1),
    whole(2, 2, 3, 1, 1),
    whole(3, 3, 1, 100, 100),
    whole(100, 100, 3, 33, 25),
  ];
  const random = new CounterRandom(20240711, 0, 0, 1);
  for (let i = 0; i < 220; i++) {
    const w = 1 + random.below(i % 4 === 0 ? 300 : 60);
    const h = 1 + random.below(i % 5 === 0 ? 300 : 60);
    const x = random.below(w);
    const y = random.below(h);
    const part = { x, y, width: 1 + random.below(w - x), height: 1 + random.below(h - y) };
    const double = i % 11 === 0 && part.width % 2 === 0 && part.height % 2 === 0;
    const dw = double ? part.width / 2 : 1 + random.below(150);
    const dh = double ? part.height / 2 : 1 + random.below(150);
    list.push({ w, h, cn: 1 + random.below(4), part, dw, dh });
  }
  return list;
}

/** Noise, with stretches of black and white that make overshoot visible. */
function image(length: number, index: number): Uint8Array {
  const random = new CounterRandom(7, 0, index, 2);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const word = random.uint32();
    bytes[i] = index % 3 === 0 ? (word & 256 ? 255 : 0) : word & 255;
  }
  return bytes;
}

const peerScript = `
import sys, json, numpy as np
how, jobs = sys.argv[1], json.loads(sys.argv[2])
data = sys.stdin.buffer.read()
at = 0
for j in jobs:
    n = j["w"] * j["h"] * j["cn"]
    a = np.frombuffer(data, np.uint8, n, at).reshape(j["h"], j["w"], j["cn"]); at += n
    p = j["part"]
    a = np.ascontiguousarray(a[p["y"]:p["y"] + p["height"], p["x"]:p["x"] + p["width"]])
    size = (j["dw"], j["dh"])
    if how.startswith("cv2"):
        import cv2
        r = cv2.resize(a, size, interpolation=cv2.INTER_LINEAR if how == "cv2-linear" else cv2.INTER_NEAREST)
    else:
        from PIL import Image
        filter = Image.BILINEAR if how == "pil-bilinear" else Image.BICUBIC
        r = np.stack([np.asarray(Image.fromarray(a[:, :, c]).resize(size, filter)) for c in range(j["cn"])], 2)
    sys.stdout.buffer.write(np.ascontiguousarray(r).tobytes())
`;

/** The number of bytes compared, and how many of them differ by how much at most. */
function compare(how: string, resize: Resize): { compared: number; differing: number; most: number } {
  const list = jobs();
  const images = list.map((job, i) => image(job.w * job.h * job.cn, i));
  const theirs = runPythonBytes(peerScript, [how, JSON.stringify(list)], Buffer.concat(images));
  let at = 0;
  let differing = 0;
  let most = 0;
  for (const [i, { w, h, cn, part, dw, dh }] of list.entries()) {
    // A wider stride and an offset, so that they are held to account too.
    const out = new Uint8Array(5 + dh * (dw * cn + 3)).fill(77);
    const source = { data: images[i]!, width: w, height: h, channels: cn, part };
    resize(source, { width: dw, height: dh, data: out, stride: dw * cn + 3, offset: 5 });
    const dense = resize(source, { width: dw, height: dh });
    for (let y = 0; y < dh; y++) {
      const row = 5 + y * (dw * cn + 3);
      for (let x = 0; x < dw * cn; x++) {
        const ours = out[row + x]!;
        if (ours !== dense[y * dw * cn + x]) throw new Error(`job ${i}: the stride changed a pixel`);
        const difference = Math.abs(ours - theirs[at++]!);
        if (difference > 0) differing++;
        most = Math.max(most, difference);
      }
      expect([...out.subarray(row + dw * cn, row + dw * cn + 3)]).toEqual([77, 77, 77]);
    }
  }
  expect(at).toBe(theirs.length);
  return { compared: at, differing, most };
}

it.skipIf(!hasCv2)("resizeLinear equals OpenCV's INTER_LINEAR bit for bit", () => {
  const { compared, differing, most } = compare("cv2-linear", resizeLinear);
  expect(compared).toBeGreaterThan(1_000_000);
  expect({ differing, most }).toEqual({ differing: 0, most: 0 });
});

it.skipIf(!hasCv2)("resizeNearest equals OpenCV's INTER_NEAREST bit for bit", () => {
  const { compared, differing, most } = compare("cv2-nearest", resizeNearest);
  expect(compared).toBeGreaterThan(1_000_000);
  expect({ differing, most }).toEqual({ differing: 0, most: 0 });
});

it.skipIf(!hasPillow)("resizeTriangle equals Pillow's BILINEAR bit for bit", () => {
  const { compared, differing, most } = compare("pil-bilinear", resizeTriangle);
  expect(compared).toBeGreaterThan(1_000_000);
  expect({ differing, most }).toEqual({ differing: 0, most: 0 });
});

it.skipIf(!hasPillow)("resizeBicubic equals Pillow's BICUBIC bit for bit", () => {
  const { compared, differing, most } = compare("pil-bicubic", resizeBicubic);
  expect(compared).toBeGreaterThan(1_000_000);
  expect({ differing, most }).toEqual({ differing: 0, most: 0 });
});

it.skipIf(!hasPillow)("gaussianBlur equals Pillow's GaussianBlur bit for bit", () => {
  const script = `
import sys, json, numpy as np
from PIL import Image, ImageFilter
data = sys.stdin.buffer.read(); at = 0
for w, h, cn, radius in json.loads(sys.argv[1]):
    a = np.frombuffer(data, np.uint8, w * h * cn, at).reshape(h, w, cn); at += w * h * cn
    blur = ImageFilter.GaussianBlur(radius)
    r = np.stack([np.asarray(Image.fromarray(np.ascontiguousarray(a[:, :, c])).filter(blur)) for c in range(cn)], 2)
    sys.stdout.buffer.write(np.ascontiguousarray(r).tobytes())
`;
  const list = [0, 0.1, 0.5, 1, 2, 3.7, 10, 25.25, 100, 1000].flatMap((radius) =>
    [
      [1, 1, 1],
      [7, 3, 2],
      [64, 48, 3],
      [208, 208, 3],
      [33, 90, 4],
      [2, 50, 1],
    ].map((size) => [...size, radius]),
  ) as [number, number, number, number][];
  const images = list.map(([w, h, cn], i) => image(w * h * cn, i));
  const theirs = runPythonBytes(script, [JSON.stringify(list)], Buffer.concat(images));
  let at = 0;
  for (const [i, [w, h, cn, radius]] of list.entries()) {
    const ours = gaussianBlur(images[i]!, w, h, cn, radius);
    expect(Buffer.compare(ours, theirs.subarray(at, at + ours.length)), `${w} × ${h} × ${cn}, radius ${radius}`).toBe(
      0,
    );
    at += ours.length;
  }
  expect(at).toBe(theirs.length);
});

it("gaussianBlur refuses a size that does not fit and a radius out of range, and copies for radius 0", () => {
  const source = image(4 * 3, 2);
  const copy = gaussianBlur(source, 4, 3, 1, 0);
  expect(copy).toEqual(source);
  expect(copy).not.toBe(source);
  expect(() => gaussianBlur(source, 4, 4, 1, 1)).toThrow(RangeError);
  expect(() => gaussianBlur(source, 1.5, 8, 1, 1)).toThrow(RangeError);
  expect(() => gaussianBlur(source, 4, 3, 1, -1)).toThrow(/radius/);
  expect(() => gaussianBlur(source, 4, 3, 1, Number.NaN)).toThrow(/radius/);
});

it("resizing to the same size copies, and a constant image stays constant", () => {
  const part = { x: 2, y: 1, width: 9, height: 6 };
  const source = image(13 * 8 * 3, 1);
  const flat = new Uint8Array(13 * 8 * 3).fill(201);
  for (const resize of [resizeLinear, resizeNearest, resizeTriangle, resizeBicubic]) {
    const same = resize({ data: source, width: 13, height: 8, part }, { width: 9, height: 6 });
    for (let y = 0; y < 6; y++) {
      const from = ((1 + y) * 13 + 2) * 3;
      expect([...same.subarray(y * 27, y * 27 + 27)]).toEqual([...source.subarray(from, from + 27)]);
    }
    expect(new Set(resize({ data: flat, width: 13, height: 8, part }, { width: 31, height: 4 }))).toEqual(
      new Set([201]),
    );
  }
});

it("sizes that do not fit are refused by every resampling", () => {
  const source = { data: new Uint8Array(4 * 3 * 3), width: 4, height: 3 };
  const part = { x: 0, y: 0, width: 4, height: 3 };
  const two = { width: 2, height: 2 };
  for (const resize of [resizeLinear, resizeNearest, resizeTriangle, resizeBicubic]) {
    expect(() => resize({ ...source, height: 4 }, two)).toThrow(RangeError);
    expect(() => resize({ ...source, channels: 5 }, two)).toThrow(/channels/);
    expect(() => resize({ ...source, part: { ...part, x: 1 } }, two)).toThrow(/rectangle/);
    expect(() => resize({ ...source, part: { ...part, width: 1.5 } }, two)).toThrow(/rectangle/);
    expect(() => resize(source, { ...two, width: 0 })).toThrow(/target/);
    expect(() => resize(source, { ...two, data: new Uint8Array(11) })).toThrow(/fit/);
    expect(() => resize(source, { ...two, data: new Uint8Array(12), stride: 5 })).toThrow(/fit/);
  }
});
