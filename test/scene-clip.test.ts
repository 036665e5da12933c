import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashFile } from "../src/io/index.ts";
import { hubAccess, type ImageTextModel, openRelevance } from "../src/relevance/index.ts";
import {
  defaultSceneOptions,
  generateWithRefs,
  holds,
  loadSprites,
  renderScene,
  type SceneWithRefs,
  sceneHeight,
  sceneWidth,
} from "../src/scenes/index.ts";

const folder = resolve(import.meta.dirname, "..", "models", "scene-clip");
const readme = readFileSync(join(folder, "README.md"), "utf8");

describe("the files of scene-clip", () => {
  const files = filesUnder(folder);

  it("are at most 10 MB in all", () => {
    expect(files.reduce((sum, path) => sum + statSync(path).size, 0)).toBeLessThanOrEqual(10e6);
  });

  it("are those that the README lists with their hashes", async () => {
    const listed = [...readme.matchAll(/^\| `([^`]+)` \| [\d,]+ \| `([0-9a-f]{64})` \|$/gm)];
    const names = listed.map(([, name]) => name);
    const deciding = files.map((path) => relative(folder, path)).filter((name) => /\.(onnx|json)$/.test(name));
    expect(names.sort()).toEqual(deciding.sort());
    for (const [, name = "", hash] of listed) expect(await hashFile(join(folder, name)), name).toBe(hash);
  });
});

describe("scene-clip on scenes that it was not trained on", () => {
  const count = 48;
  let model: ImageTextModel;
  let made: SceneWithRefs[];
  let images: Float32Array;

  beforeAll(async () => {
    const relevance = await openRelevance("scene-clip", { hub: hubAccess({}, { offline: true }), threads: 1 });
    if (relevance.kind !== "clip") throw new Error("expected an image-text model");
    model = relevance.model;
    const sprites = await loadSprites();
    made = Array.from({ length: count }, (_, index) => generateWithRefs(4242, index, defaultSceneOptions, sprites));
    const size = 3 * model.preprocessing.width * model.preprocessing.height;
    const pixels = new Float32Array(count * size);
    made.forEach(({ scene }, i) => {
      const { image } = renderScene(scene, sprites);
      const picture = { width: sceneWidth, height: sceneHeight, channels: 3 as const, data: image };
      model.preprocess(picture, pixels.subarray(i * size, (i + 1) * size));
    });
    images = await model.embedImages({ pixels, count });
  }, 60_000);
  afterAll(() => model.close());

  it("finds an expression's image far more often than chance would", async () => {
    const texts = made.flatMap(({ refs }, own) =>
      refs.flatMap((ref) => ref.sentences.map(({ text, logic }) => ({ text, logic, own }))),
    );
    const vectors = await model.embedTexts(texts.map(({ text }) => text));
    let best = 0;
    let chance = 0;
    let among = 0;
    texts.forEach(({ logic }, t) => {
      const scores = made.map((_, i) => dot(vectors, t, images, i));
      const right = made.map(({ scene }) => holds(logic, scene).length > 0);
      const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
      if (right[order[0]!]) best++;
      if (order.slice(0, 5).some((i) => right[i])) among++;
      chance += right.filter(Boolean).length / count;
    });
    expect(texts.length).toBeGreaterThan(150);
    expect(chance / texts.length).toBeLessThan(0.1);
    expect(best / texts.length).toBeGreaterThan(0.3);
    expect(among / texts.length).toBeGreaterThan(0.6);
  });

  it("tells the classes and colours that it names apart", async () => {
    const vectors = await model.embedTexts(["red mug", "blue mug", "mug", "cup", "fire truck"]);
    const score = (a: number, b: number): number => dot(vectors, a, vectors, b);
    expect(score(2, 3)).toBeGreaterThan(score(2, 4) + 0.3);
    expect(score(0, 2)).toBeGreaterThan(score(0, 4) + 0.3);
    expect(score(0, 1)).toBeLessThan(0.98);
  });

  function dot(a: Float32Array, i: number, b: Float32Array, j: number): number {
    const { dimension } = model;
    let sum = 0;
    for (let k = 0; k < dimension; k++) sum += a[i * dimension + k]! * b[j * dimension + k]!;
    return sum;
  }
});

function filesUnder(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? entry.name === "__pycache__"
        ? []
        : filesUnder(join(path, entry.name))
      : [join(path, entry.name)],
  );
}
