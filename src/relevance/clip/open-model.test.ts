import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelDir, sampleDir } from "../../../test/peers.ts";
import { decodeImage } from "../../codecs/index.ts";
import { hubAccess } from "../hub/index.ts";
import { type ImageTextModel, openImageTextModel } from "./index.ts";

const fixtures = join(import.meta.dirname, "../../../test/fixtures");
const hub = hubAccess({}, { offline: true, cacheDir: "/nonexistent" });

const colours = {
  red: [210, 25, 30],
  green: [40, 150, 50],
  blue: [40, 80, 200],
  yellow: [235, 220, 40],
  purple: [130, 50, 160],
  black: [10, 10, 10],
} as const;

function painted(
  rgb: readonly number[],
  width = 90,
  height = 70,
): { width: number; height: number; channels: 3; data: Uint8Array } {
  return {
    width,
    height,
    channels: 3,
    data: Uint8Array.from({ length: width * height * 3 }, (_, i) => rgb[i % 3] ?? 0),
  };
}

async function embedAll(model: ImageTextModel, images: readonly ReturnType<typeof painted>[]): Promise<Float32Array> {
  const size = 3 * model.preprocessing.width * model.preprocessing.height;
  const pixels = new Float32Array(images.length * size);
  images.forEach((image, i) => {
    model.preprocess(image, pixels.subarray(i * size, (i + 1) * size));
  });
  return model.embedImages({ pixels, count: images.length });
}

async function replaceBytes(path: string, from: string, to: string): Promise<void> {
  const text = (await readFile(path)).toString("latin1");
  expect(text).toContain(from);
  await writeFile(path, Buffer.from(text.replaceAll(from, to), "latin1"));
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, dimension: number): number {
  let sum = 0;
  for (let k = 0; k < dimension; k++) sum += a[i * dimension + k]! * b[j * dimension + k]!;
  return sum;
}

describe.each([
  ["tiny-clip", "fp32"],
  ["tiny-siglip", "fp32"],
  ["tiny-odd", "fp16"],
] as const)("the model %s", (name, dtype) => {
  let model: ImageTextModel;
  beforeAll(async () => {
    model = await openImageTextModel(join(fixtures, name, "model"), { hub, dtype, threads: 1 });
  });
  afterAll(() => model.close());

  it("finds each colour's image by its name, in one space", async () => {
    const names = Object.keys(colours);
    const images = await embedAll(
      model,
      Object.values(colours).map((rgb) => painted(rgb)),
    );
    const texts = await model.embedTexts(names.map((colour) => `the ${colour} shirt`));
    expect(texts.length).toBe(names.length * model.dimension);
    for (let q = 0; q < names.length; q++) {
      const scores = names.map((_, i) => dot(texts, q, images, i, model.dimension));
      expect(names[scores.indexOf(Math.max(...scores))]).toBe(names[q]);
    }
  });

  it("gives rows of length 1 that no neighbour in the batch changes", async () => {
    const alone = await model.embedTexts(["red"]);
    const among = await model.embedTexts(["red", "the purple pizza behind the two white zebras and the couch"]);
    expect(Math.hypot(...alone)).toBeCloseTo(1, 6);
    for (let k = 0; k < model.dimension; k++) expect(among[k]).toBeCloseTo(alone[k]!, 5);
  });

  it("takes no images and no texts", async () => {
    expect(await model.embedTexts([])).toHaveLength(0);
    expect(await model.embedImages({ pixels: new Float32Array(0), count: 0 })).toHaveLength(0);
  });
});

it("position_ids count from 0 in every row, token types are 0", async () => {
  const model = await openImageTextModel(join(fixtures, "tiny-odd/model"), { hub, dtype: "fp16" });
  // The first token counts twice, so that the order of two colours decides which one the text is nearer to.
  const texts = await model.embedTexts(["red blue", "blue red", "red", "blue"]);
  expect(dot(texts, 0, texts, 2, 16)).toBeGreaterThan(dot(texts, 0, texts, 3, 16) + 0.2);
  expect(dot(texts, 1, texts, 3, 16)).toBeGreaterThan(dot(texts, 1, texts, 2, 16) + 0.2);
  await model.close();
});

describe("opening a model", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "nemosaic-model-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function altered(name: string, change: (copy: string) => Promise<void>): Promise<string> {
    const copy = join(folder, name);
    await cp(join(fixtures, "tiny-clip/model"), copy, { recursive: true });
    await change(copy);
    return copy;
  }

  it("hashes the same files to the same hash, and others to another", async () => {
    const same = await openImageTextModel(await altered("same", async () => undefined), { hub });
    const original = await openImageTextModel(join(fixtures, "tiny-clip/model"), { hub });
    const other = await openImageTextModel(
      await altered("other", (copy) => writeFile(join(copy, "tokenizer_config.json"), "{}")),
      { hub },
    );
    expect(same.hash).toBe(original.hash);
    expect(other.hash).not.toBe(original.hash);
    for (const model of [same, original, other]) await model.close();
  });

  it("stops where no file says how images are prepared", async () => {
    const copy = await altered("bare", (path) => rm(join(path, "preprocessor_config.json")));
    await expect(openImageTextModel(copy, { hub })).rejects.toMatchObject({
      code: "not-found",
      message: expect.stringMatching(
        /^expected preprocessor_config\.json, processor_config\.json .* in "bare", found none/,
      ),
    });
  });

  it("reads the image processor where transformers 5 keeps it, and takes it before the older file", async () => {
    const moved = await altered("five", async (path) => {
      const processor = JSON.parse(await readFile(join(path, "preprocessor_config.json"), "utf8")) as object;
      const stated = { image_processor: processor, processor_class: "CLIPProcessor" };
      await writeFile(join(path, "processor_config.json"), JSON.stringify(stated));
      await writeFile(join(path, "preprocessor_config.json"), JSON.stringify({ ...processor, image_std: [9, 9, 9] }));
    });
    const [model, original] = [
      await openImageTextModel(moved, { hub }),
      await openImageTextModel(join(fixtures, "tiny-clip/model"), { hub }),
    ];
    expect(model.preprocessing).toEqual(original.preprocessing);
    const before = model.hash;
    for (const one of [model, original]) await one.close();
    const bare = await altered("five-bare", async (path) => {
      await rm(join(path, "preprocessor_config.json"));
      await writeFile(join(path, "processor_config.json"), '{"processor_class":"CLIPProcessor"}');
    });
    await expect(openImageTextModel(bare, { hub })).rejects.toThrow("with an image_processor");
    await writeFile(
      join(moved, "processor_config.json"),
      '{"image_processor":{"image_processor_type":"CLIPImageProcessor"}}',
    );
    await rm(join(moved, "onnx/vision_model.onnx"));
    await cp(join(fixtures, "tiny-clip/model/onnx/vision_model.onnx"), join(moved, "onnx/vision_model.onnx"));
    const other = await openImageTextModel(moved, { hub });
    expect(other.hash).not.toBe(before); // the file is part of the identity
    await other.close();
  });

  it("opens a folder of visual/ and textual/ towers to the vectors of the flat one", async () => {
    const split = await altered("split", async (path) => {
      await mkdir(join(path, "visual"));
      await mkdir(join(path, "textual"));
      await rename(join(path, "onnx/vision_model.onnx"), join(path, "visual/model.onnx"));
      await rename(join(path, "onnx/text_model.onnx"), join(path, "textual/model.onnx"));
      for (const name of ["tokenizer.json", "tokenizer_config.json"])
        await rename(join(path, name), join(path, "textual", name));
      const {
        size,
        image_mean: mean,
        image_std: std,
      } = JSON.parse(await readFile(join(path, "preprocessor_config.json"), "utf8")) as {
        size: { shortest_edge: number };
        image_mean: number[];
        image_std: number[];
      };
      await rm(join(path, "preprocessor_config.json"));
      const side = size.shortest_edge;
      const stated = { size: [side, side], mean, std, interpolation: "bicubic", resize_mode: "shortest" };
      await writeFile(join(path, "visual/preprocess_cfg.json"), JSON.stringify(stated));
      await writeFile(join(path, "config.json"), '{"vision_cfg":{},"text_cfg":{"context_length":16}}');
    });
    const [towers, flat] = [
      await openImageTextModel(split, { hub }),
      await openImageTextModel(join(fixtures, "tiny-clip/model"), { hub }),
    ];
    const texts = ["the red shirt", "a purple pizza"];
    expect(await towers.embedTexts(texts)).toEqual(await flat.embedTexts(texts));
    const images = [painted(colours.red), painted(colours.blue, 50, 120)];
    expect(await embedAll(towers, images)).toEqual(await embedAll(flat, images));
    for (const model of [towers, flat]) await model.close();
    await rm(join(split, "visual/preprocess_cfg.json"));
    await expect(openImageTextModel(split, { hub })).rejects.toThrow("nobody knows how its images are prepared");
  });

  it("says which dtype a folder has where it is not the one asked for", async () => {
    const half = await altered("half", async (path) => {
      for (const tower of ["vision", "text"])
        await rename(join(path, `onnx/${tower}_model.onnx`), join(path, `onnx/${tower}_model_fp16.onnx`));
      await writeFile(join(path, "onnx/model_quantized.onnx"), "");
      await writeFile(join(path, "onnx/vision_model_q4.onnx"), "");
    });
    await expect(openImageTextModel(half, { hub })).rejects.toThrow(
      /found no fp32 model; it has fp16, q8: take --dtype fp16$/,
    );
    const model = await openImageTextModel(half, { hub, dtype: "fp16" });
    await model.close();
  });

  it("names a file that Git LFS has not brought", async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345678\n`;
    for (const file of ["onnx/text_model.onnx", "tokenizer.json"]) {
      const copy = await altered(`pointer-${file.length}`, (path) => writeFile(join(path, file), pointer));
      await expect(openImageTextModel(copy, { hub })).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(new RegExp(`${file}" is a Git LFS pointer .* "git lfs pull"`)),
      });
    }
  });

  it("needs no home folder for a model on this disk", async () => {
    const homeless = hubAccess({}, {});
    Object.defineProperty(homeless, "cacheDir", { get: () => expect.unreachable("the cache's folder was asked for") });
    const model = await openImageTextModel(join(fixtures, "tiny-clip/model"), { hub: homeless });
    await model.close();
  });

  it("runs on the processor or says that cuda is not there", async () => {
    const opened = openImageTextModel(join(fixtures, "tiny-clip/model"), { hub, device: "cuda" });
    const outcome = await opened.then(
      async (model) => {
        await model.close();
        return "opened";
      },
      (error: unknown) => error,
    );
    if (outcome !== "opened")
      expect(outcome).toMatchObject({ code: "unsupported", message: expect.stringContaining("--device cpu") });
  });

  it("runs as many images at once as a fixed axis wants, to the same vectors", async () => {
    // Another dimension in the same bytes: its value and a note instead of its name.
    const one = await altered("one", (copy) =>
      replaceBytes(join(copy, "onnx/vision_model.onnx"), "\x12\x0abatch_size", "\x08\x01\x1a\x08one only"),
    );
    const free = await openImageTextModel(join(fixtures, "tiny-clip/model"), { hub, threads: 1 });
    const fixed = await openImageTextModel(one, { hub, threads: 1 });
    const images = Object.values(colours).map((rgb) => painted(rgb));
    expect(await embedAll(fixed, images)).toEqual(await embedAll(free, images));
    for (const model of [free, fixed]) await model.close();
  });

  it("says what is missing or wrong in one line", async () => {
    const noText = await altered("no-text", (copy) => rm(join(copy, "onnx/text_model.onnx")));
    await expect(openImageTextModel(noText, { hub })).rejects.toThrow(
      /onnx\/vision_model\.onnx and onnx\/text_model\.onnx/,
    );
    const broken = await altered("broken", (copy) => writeFile(join(copy, "onnx/vision_model.onnx"), "no model"));
    await expect(openImageTextModel(broken, { hub })).rejects.toMatchObject({ code: "bad-input" });
    const noTokens = await altered("no-tokens", (copy) => rm(join(copy, "tokenizer.json")));
    await expect(openImageTextModel(noTokens, { hub })).rejects.toMatchObject({ code: "not-found" });
    await expect(openImageTextModel("./nowhere", { hub })).rejects.toMatchObject({ code: "not-found" });
    await expect(openImageTextModel(join(folder, "same/config.json"), { hub })).rejects.toThrow("name the folder");
    await expect(openImageTextModel(noText, { hub, dtype: "fp17" as "fp16" })).rejects.toThrow("Valid: fp32, fp16");
    await expect(openImageTextModel("org/none", { hub })).rejects.toMatchObject({ code: "offline" });
  });
});

const model = modelDir();
const sample = sampleDir();
const hasBoth = model !== undefined && sample !== undefined && existsSync(join(sample, "captions.jsonl"));

describe("a real model on real photographs", () => {
  // lit-small's text tower is quantised: other padding or batches move its vectors enough to shift a few of 238 ranks.
  // Measured with ours (one text at a time, Pillow's resize): 0.303, 0.626, 0.744 against the published 0.29, 0.62, 0.76.
  const tolerance = 0.03;

  it.skipIf(!hasBoth)("reproduces the published retrieval figures within 0.03", { timeout: 240_000 }, async () => {
    const opened = await openImageTextModel(model ?? "", { hub });
    const rows = readFileSync(join(sample ?? "", "captions.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { image: string; captions: string[] })
      .filter((row) => row.captions.length > 0);
    expect(rows).toHaveLength(238);
    const parts: Float32Array[] = [];
    for (let start = 0; start < rows.length; start += 16) {
      const images = await Promise.all(
        rows.slice(start, start + 16).map((row) => decodeImage(readFileSync(join(sample ?? "", "images", row.image)))),
      );
      parts.push(await embedAll(opened, images));
    }
    const images = Float32Array.from(parts.flatMap((part) => [...part]));
    const texts = await opened.embedTexts(rows.map((row) => row.captions[0]!));
    const ranks = rows.map((_, q) => {
      const scores = rows.map((_row, i) => dot(texts, q, images, i, opened.dimension));
      return scores.filter((score) => score > scores[q]!).length;
    });
    const recall = (k: number): number => ranks.filter((rank) => rank < k).length / ranks.length;
    expect(Math.abs(recall(1) - 0.29), `R@1 ${recall(1)}`).toBeLessThan(tolerance);
    expect(Math.abs(recall(5) - 0.62), `R@5 ${recall(5)}`).toBeLessThan(tolerance);
    expect(Math.abs(recall(10) - 0.76), `R@10 ${recall(10)}`).toBeLessThan(tolerance);
    await opened.close();
  });
});
