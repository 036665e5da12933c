import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe } from "vitest";
import { hubAccess, openImageTextModel } from "../../src/relevance/index.ts";
import { loadTokenizer } from "../../src/tokens/index.ts";
import { scratchFolder } from "../small-pool.ts";
import { fuzz } from "./fuzz.ts";
import { garbledBytes, garbledTree } from "./garble.ts";

const model = resolve(import.meta.dirname, "..", "fixtures", "tiny-clip", "model");
let folder: string;
const files: Record<string, Uint8Array> = {};

beforeAll(async () => {
  folder = await scratchFolder();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a damaged model is answered with one clear line", () => {
  const open = async (folder_: string): Promise<void> => {
    const opened = await openImageTextModel(folder_, { hub: hubAccess({}, { offline: true }), threads: 1 });
    try {
      const { width, height } = opened.preprocessing;
      if (width * height < 1e6) await opened.embedImages({ pixels: new Float32Array(3 * width * height), count: 1 });
      await opened.embedTexts(["a red box"]);
    } finally {
      await opened.close();
    }
  };
  let copy: string;
  beforeAll(async () => {
    copy = join(folder, "model");
    await cp(model, copy, { recursive: true });
    for (const name of [
      "config.json",
      "preprocessor_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "onnx/vision_model.onnx",
      "onnx/text_model.onnx",
    ])
      files[name] = new Uint8Array(await readFile(join(model, name)));
  });

  fuzz(
    "tokenizer.json",
    () => garbledTree([JSON.parse(Buffer.from(files["tokenizer.json"] ?? "").toString())]),
    async (tree) => {
      await writeFile(join(copy, "tokenizer.json"), JSON.stringify(tree) ?? "null");
      try {
        (await loadTokenizer(copy)).encode("a red box \u0000\ud800 é");
      } finally {
        await writeFile(join(copy, "tokenizer.json"), files["tokenizer.json"] ?? "");
      }
    },
  );
  fuzz(
    "an ONNX folder",
    () =>
      fc
        .constantFrom(
          "config.json",
          "preprocessor_config.json",
          "tokenizer_config.json",
          "onnx/vision_model.onnx",
          "onnx/text_model.onnx",
        )
        .chain((name) => garbledBytes([files[name] ?? new Uint8Array(0)]).map((bytes) => ({ name, bytes }))),
    async ({ name, bytes }) => {
      await writeFile(join(copy, name), bytes);
      try {
        await open(copy);
      } finally {
        await writeFile(join(copy, name), files[name] ?? "");
      }
    },
  );
});
