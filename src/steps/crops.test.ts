import { readdirSync, readFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SmallPoolOptions, smallPool } from "../../test/small-pool.ts";
import { decodeNpy } from "../codecs/index.ts";
import { Mined, type Pool } from "../pool/index.ts";
import { embed, merge, mine } from "./index.ts";

const model = join(import.meta.dirname, "../../test/fixtures/tiny-clip/model");
const crops = "objects,grid:2";
const name = "model-objects-grid2";
const kindOf = (image: number): string => ["dog", "cat", "horse"][image % 3] ?? "";
const options: SmallPoolOptions = {
  images: 6,
  valImages: 1,
  categoryOf: kindOf,
  sentencesOf: (image, ref) => [`${kindOf(image)} ${image}`, `the ${["left", "right"][ref] ?? ""} ${kindOf(image)}`],
};
let pool: Pool;
const remarks: string[] = [];

beforeAll(async () => {
  pool = await smallPool({ ...options, bystandersOf: (image) => (image === 2 ? ["bench"] : []) });
  const listener = { onRemark: (line: string) => remarks.push(line) };
  const report = await embed(pool, { model, crops }, listener);
  expect([report.name, report.made]).toMatchObject([name, { kind: "vectors", images: 6 }]);
  await mine(pool, { sentences: true, candidates: ["train"] }, listener);
}, 60_000);
afterAll(async () => {
  await pool.close();
  await rm(join(pool.folder, ".."), { recursive: true, force: true });
});

const load = (file: string) => decodeNpy(readFileSync(join(pool.folder, "embeddings", name, file)));

/** The best cosine of an expression with an image's vectors. */
function bestOf(expression: number, image: number): number {
  const [texts, parts, starts] = [load("expressions.npy"), load("image-parts.npy"), load("image-part-starts.npy").data];
  const width = texts.shape[1]!;
  let best = -2;
  for (let row = Number(starts[image]); row < Number(starts[image + 1]); row++) {
    let sum = 0;
    for (let k = 0; k < width; k++)
      sum += Number(texts.data[expression * width + k]) * Number(parts.data[row * width + k]);
    best = Math.max(best, sum);
  }
  return best;
}

describe("crops", () => {
  it("are the candidates' and the sentences' scores by the best of an image's vectors", async () => {
    const mined = (await Mined.open(pool.folder, "default", pool.manifest.hash)) as Mined;
    const own = decodeNpy(readFileSync(join(pool.folder, "mined/default/own.npy"))).data as Float32Array;
    for (let expression = 0; expression < pool.expressions.count; expression += 5) {
      const { ids, t2i } = mined.row(expression);
      const image = pool.refs.image[pool.expressions.ref[expression]!]!;
      expect(own[expression]).toBeCloseTo(bestOf(expression, image), 5);
      Array.from(ids).forEach((candidate, at) => {
        expect(t2i[at]).toBeCloseTo(bestOf(expression, candidate), 5);
      });
    }
    const sentences = mined.sentences(1);
    expect(sentences?.ids.length ?? 0).toBeGreaterThan(0);
    sentences?.ids.forEach((row, at) => {
      expect(sentences.t2i[at]).toBeCloseTo(bestOf(row, 1), 5);
    });
    await mined.close();
    expect(remarks.filter((line) => /crops of 6 images/.test(line))).toHaveLength(1);
    expect(remarks.filter((line) => /images have several vectors/.test(line))).toHaveLength(1);
    await expect(mine(pool, { rank: "mean", name: "other" })).rejects.toThrow("expected --rank t2i");
    expect(readdirSync(join(pool.folder, "mined"))).toEqual(["default"]);
  });

  it("are merged from shards to the bytes of one run, and do not count once annotations have changed", async () => {
    const copy = join(pool.folder, "..", "copy");
    await cp(pool.folder, copy, { recursive: true });
    await rm(join(copy, "embeddings"), { recursive: true });
    for (const index of [0, 1, 2]) await embed(copy, { model, crops, shard: { index, count: 3 } });
    expect((await merge(copy)).merged).toEqual([`embeddings/${name}`]);
    for (const file of readdirSync(join(pool.folder, "embeddings", name)))
      expect(readFileSync(join(copy, "embeddings", name, file)), file).toEqual(
        readFileSync(join(pool.folder, "embeddings", name, file)),
      );
    const other = await smallPool(options);
    await cp(join(copy, "embeddings"), join(other.folder, "embeddings"), { recursive: true });
    await expect(mine(other)).rejects.toThrow("again with --force --crops objects,grid:2");
    await other.close();
    await rm(join(other.folder, ".."), { recursive: true, force: true });
  });

  it("are refused for words, and as kinds that are not known", async () => {
    await expect(embed(pool, { model: "lexical", crops: "grid" })).rejects.toThrow("looks at words");
    await expect(embed(pool, { model, crops: "faces" })).rejects.toThrow('expected crops as "objects"');
  });
});
