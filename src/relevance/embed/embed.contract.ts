import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { encodeJpeg } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import { type ImageTextModel, openImageTextModel } from "../clip/index.ts";
import { hubAccess } from "../hub/index.ts";
import type { EmbedOptions, ImageSource } from "./index.ts";

const root = join(import.meta.dirname, "../../..");
export const modelFolder = join(root, "test/fixtures/tiny-clip/model");
export const texts = [
  "red shirt",
  "the blue car",
  "red shirt",
  "a green apple",
  "",
  "yellow bus on the left",
  "the blue car",
];

export let model: ImageTextModel;
export let jpegs: Uint8Array[] = [];
export let folder = "";

/** Opens the tiny model and makes eleven pictures once, and a folder for each test: what the names above stand for. */
export function prepareEmbedding(): void {
  beforeAll(async () => {
    model = await openImageTextModel(modelFolder, {
      hub: hubAccess({}, { offline: true, cacheDir: "/nonexistent" }),
      threads: 1,
    });
    jpegs = await Promise.all(
      Array.from({ length: 11 }, (_, i) => {
        const data = Uint8Array.from({ length: 80 * 60 * 3 }, (_v, at) => (at * (i + 3) + i * 40) % 256);
        return encodeJpeg({ width: 80, height: 60, channels: 3, data }, 90);
      }),
    );
  });
  afterAll(() => model.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "nemosaic-embed-"));
  });
  afterEach(() => rm(folder, { recursive: true }));
}

export function source(bytes: readonly Uint8Array[] = jpegs): ImageSource {
  return {
    count: bytes.length,
    load: (row) => Promise.resolve(bytes[row]!),
    name: (row) => `image-${row}.jpg`,
    hash: hashJson(bytes.map((one) => one.length)),
  };
}

export const options = (more: Partial<EmbedOptions> = {}): EmbedOptions => ({
  folder: join(folder, "vectors"),
  model,
  images: source(),
  texts,
  onBad: "fail",
  imageBatch: 3,
  textBatch: 2,
  ...more,
});

export async function contents(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path)).sort();
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, (await readFile(join(path, name))).toString("base64")] as const),
    ),
  );
}
