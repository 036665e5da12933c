import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { encodeNpy } from "../codecs/index.ts";
import { hashJson } from "../io/index.ts";
import { minedFolder, type Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { Loader } from "./index.ts";

let pool: Pool;
const settings = parseSettings(
  {
    size: 32,
    mosaic: { gamma: 1 },
    band: { tau: null, tauImage: null, k: 12 },
    draw: { method: "mmr", diversity: 1 },
    tokens: { kind: "none" },
  },
  "test",
);

beforeAll(async () => {
  pool = await smallPool({ images: 20, refsPerImage: 1, valImages: 2 });
  await mineSmall(pool);
});
afterAll(() => pool.close());

describe("draws by diversity over a pool", () => {
  it("say what is missing where the embeddings that were mined with are not there", async () => {
    await expect(Loader.open(pool, settings)).rejects.toMatchObject({
      code: "incomplete",
      message: expect.stringMatching(/draw.method "mmr".*nemosaic embed/),
    });
  });

  it("read the vectors of exactly those embeddings, and draw unlike images", async () => {
    const write = async (name: string, key: string, vectors: Float32Array): Promise<void> => {
      const folder = join(pool.folder, "embeddings", name);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "images.json"), JSON.stringify({ key }));
      await writeFile(join(folder, "expressions.json"), JSON.stringify({ key: `${key} text` }));
      await writeFile(join(folder, "images.npy"), encodeNpy(vectors, [pool.images.count, 4]));
    };
    // Four directions: three drawn images by full diversity never share one.
    const vectors = new Float32Array(pool.images.count * 4);
    for (let image = 0; image < pool.images.count; image++) vectors[image * 4 + (image % 4)] = 1;
    await write("another", "b", new Float32Array(pool.images.count * 4));
    await write("mine", "a", vectors);
    const path = join(minedFolder(pool.folder, "default"), "mined.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    manifest.relevance.hash = hashJson(["a", "a text"]);
    await writeFile(path, JSON.stringify(manifest));
    const loader = await Loader.open(pool, settings);
    let mosaics = 0;
    for (let at = 0; at < loader.length * 5; at++) {
      const plan = loader.plan(Math.floor(at / loader.length), at % loader.length);
      if (plan.kind !== "mined" || plan.why.policy !== undefined) continue;
      const directions = plan.layers
        .filter(({ role }) => role === "negative")
        .map(({ image }) => pool.imageRow(image) % 4);
      expect(new Set(directions).size).toBe(3);
      mosaics++;
    }
    expect(mosaics).toBeGreaterThan(50);
    await loader.close();
  });
});
