import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pythonHas, runPythonBytes, sampleDir } from "../../../test/peers.ts";
import { type DecodedImage, decodeImage } from "../../codecs/index.ts";
import { type Preprocessing, parsePreprocessing, preprocessImage, resizedSize } from "./index.ts";

const parse = (stated: Record<string, unknown> | undefined, more: Record<string, unknown> = {}): Preprocessing => {
  const preprocessor = stated && { image_processor_type: "CLIPImageProcessor", ...stated };
  return parsePreprocessing({ preprocessor, openClip: undefined, model: {}, where: "a test", ...more });
};

/** Identity on levels, so that a tensor shows pixels. */
const plain = { do_rescale: false, do_normalize: false };

describe("parsePreprocessing", () => {
  it.each([
    ["a number", { size: 336, crop_size: 336 }, { kind: "shortest", edge: 336 }, 336],
    [
      "shortest edge",
      { size: { shortest_edge: 256 }, crop_size: { height: 256, width: 256 } },
      { kind: "shortest", edge: 256 },
      256,
    ],
    [
      "height and width",
      { size: { height: 384, width: 384 }, do_center_crop: false },
      { kind: "exact", width: 384, height: 384 },
      384,
    ],
    [
      "SigLIP's number",
      { size: 224, image_processor_type: "SiglipImageProcessor" },
      { kind: "exact", width: 224, height: 224 },
      224,
    ],
    ["crop by shortest edge", { size: 224, crop_size: { shortest_edge: 224 } }, { kind: "shortest", edge: 224 }, 224],
    ["no resize", { do_resize: false, crop_size: 64 }, undefined, 64],
  ])("reads a size given as %s", (_name, config, resize, width) => {
    const parsed = parse(config);
    expect(parsed.resize).toEqual(resize);
    expect(parsed.width).toBe(width);
  });

  it("reads open_clip's configuration", () => {
    const openClip = {
      model_cfg: { vision_cfg: { image_size: 256 } },
      preprocess_cfg: { mean: [0, 0, 0], std: [1, 1, 1], interpolation: "bilinear", resize_mode: "squash" },
    };
    expect(parse(undefined, { openClip })).toMatchObject({
      resize: { kind: "exact", width: 256, height: 256 },
      resample: "bilinear",
      crop: undefined,
      mean: [0, 0, 0],
    });
  });

  it("takes what a file leaves out from its class, and from nothing else", () => {
    expect(parse({})).toMatchObject({ resize: { kind: "shortest", edge: 224 }, resample: "bicubic", width: 224 });
    const siglip = parse({ image_processor_type: "SiglipImageProcessor" });
    expect(siglip).toMatchObject({ resize: { kind: "exact", width: 224, height: 224 }, mean: [0.5, 0.5, 0.5] });
    const whole = { size: 64, crop_size: 64, resample: 2, image_mean: 0, image_std: 1 };
    expect(parse({ ...whole, image_processor_type: "OurOwnProcessor" })).toMatchObject({
      resample: "bilinear",
      width: 64,
    });
    for (const name of ["size", "resample", "image_mean", "image_std"]) {
      const lacking = { ...whole, [name]: undefined, image_processor_type: undefined };
      expect(() => parse(lacking)).toThrow(new RegExp(`^expected ${name} in .* of no known class`));
    }
    expect(() => parse(undefined)).toThrow("nobody knows how its images are prepared");
    expect(() => parse({ image_processor_type: "Siglip2ImageProcessor" })).toThrow("keeps each image's shape");
  });

  it("refuses what it cannot do, and nonsense", () => {
    expect(() => parse({ size: { longest_edge: 224 } })).toThrow("expected size");
    expect(() => parse({ size: 224, do_center_crop: false })).toThrow("every image has another size");
    expect(() => parse({ resample: 1 })).toThrow("expected resample 2");
    expect(() => parse({ image_std: [0, 1, 1] })).toThrow("without zeros");
    expect(() => parse({ image_mean: "grey" })).toThrow("three numbers");
    expect(() => parse({ size: 0 })).toThrow("whole pixels");
    expect(() => parse({ rescale_factor: -1 })).toThrow("above zero");
  });
});

describe("preprocessImage", () => {
  it("cuts an odd rest as torchvision does for open_clip, and as transformers does for its own", () => {
    const openClip = { preprocess_cfg: { size: 4, mean: 0, std: 1 } };
    const ramp = (width: number): DecodedImage => {
      const data = Uint8Array.from({ length: width * 4 * 3 }, (_, i) => Math.floor(i / 3) % width);
      return { width, height: 4, channels: 3, data };
    };
    const first = (preprocessing: Preprocessing, width: number): number => {
      const out = new Float32Array(48);
      preprocessImage(ramp(width), preprocessing, out);
      return Math.round((out[0] ?? 0) * (preprocessing.rescale === 1 ? 1 : 255));
    };
    const [torchvision, transformers] = [parse(undefined, { openClip }), parse({ ...plain, size: 4, crop_size: 4 })];
    expect([4, 5, 6, 7, 8, 9, 11].map((width) => first(torchvision, width))).toEqual([0, 0, 1, 2, 2, 2, 4]);
    expect([4, 5, 6, 7, 8, 9, 11].map((width) => first(transformers, width))).toEqual([0, 0, 1, 1, 2, 2, 3]);
  });

  it("rounds the longer side down, as int(edge · long / short)", () => {
    const preprocessing = parse({ size: 224, crop_size: 224 });
    expect(resizedSize({ width: 640, height: 427 }, preprocessing)).toEqual({ width: 335, height: 224 });
    expect(resizedSize({ width: 375, height: 500 }, preprocessing)).toEqual({ width: 224, height: 298 });
  });

  it("pads a crop larger than the image with black, more before than behind", () => {
    const preprocessing = parse({ do_resize: false, crop_size: { height: 4, width: 2 }, ...plain });
    const image: DecodedImage = {
      width: 3,
      height: 1,
      channels: 3,
      data: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]),
    };
    const out = new Float32Array(24).fill(99);
    preprocessImage(image, preprocessing, out);
    expect([...out.slice(0, 8)]).toEqual([0, 0, 0, 0, 1, 4, 0, 0]);
    expect([...out.slice(16)]).toEqual([0, 0, 0, 0, 3, 6, 0, 0]);
  });

  it("normalises by rescale, mean and std", () => {
    const preprocessing = parse({ do_resize: false, crop_size: 1, image_mean: [0.5, 0, 0.25], image_std: [0.5, 1, 2] });
    const out = new Float32Array(3);
    preprocessImage({ width: 1, height: 1, channels: 3, data: Uint8Array.from([255, 51, 0]) }, preprocessing, out);
    expect([...out]).toEqual([1, Math.fround(0.2), -0.125]);
  });
});

const sample = sampleDir();
const hasPillow = pythonHas("PIL", "numpy");

describe("against Pillow itself", () => {
  // transformers' steps written with Pillow and NumPy; uint8 after the crop, before any scaling.
  const script = `
import io, sys, numpy as np
from PIL import Image
edge, crop, resample = (int(a) for a in sys.argv[1:4])
data = sys.stdin.buffer.read()
image = Image.open(io.BytesIO(data)).convert("RGB")
w, h = image.size
short, long = min(w, h), max(w, h)
size = (edge, int(edge * long / short)) if w <= h else (int(edge * long / short), edge)
a = np.asarray(image.resize(size, resample))
top, left = (a.shape[0] - crop) // 2, (a.shape[1] - crop) // 2
sys.stdout.buffer.write(a[top : top + crop, left : left + crop].astype(np.uint8).tobytes())
`;

  it.skipIf(!hasPillow || sample === undefined)(
    "stays within 2 levels on photographs, bicubic and bilinear",
    async () => {
      const files = readdirSync(join(sample ?? "", "images")).slice(0, 6);
      let worst = 0;
      let compared = 0;
      for (const file of files) {
        const bytes = readFileSync(join(sample ?? "", "images", file));
        const image = await decodeImage(bytes);
        for (const [edge, resample] of [
          [224, 3],
          [64, 3],
          [336, 2],
        ] as const) {
          const out = new Float32Array(3 * edge * edge);
          preprocessImage(image, parse({ size: edge, crop_size: edge, resample, ...plain }), out);
          const peer = runPythonBytes(script, [String(edge), String(edge), String(resample)], bytes);
          expect(peer).toHaveLength(out.length);
          for (let i = 0; i < edge * edge; i++) {
            for (let c = 0; c < 3; c++) worst = Math.max(worst, Math.abs(out[c * edge * edge + i]! - peer[i * 3 + c]!));
          }
          compared++;
        }
      }
      expect(compared).toBe(18);
      expect(worst).toBeLessThanOrEqual(2);
    },
  );
});
