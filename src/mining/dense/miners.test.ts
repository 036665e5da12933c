import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileRooms } from "../../../test/compiled-rooms.ts";
import { encodeNpy } from "../../codecs/index.ts";
import { hashBytes } from "../../io/index.ts";
import { memoryVectors, signVectors } from "../exact-vectors.contract.ts";
import { PlainMiner } from "../plain/index.ts";
import { createDenseScorer } from "./dense-scorer.ts";

let folder = "";

beforeAll(() => {
  folder = compileRooms("model", "kernels", "language", "io", "codecs", "artefacts", "pool", "risk", "mining");
  writeFileSync(join(folder, "run.mjs"), script);
});
afterAll(() => rmSync(folder, { recursive: true }));

const script = `
import { createHash } from "node:crypto";
import { NpyReader } from "./dist/codecs/index.js";
import { createDenseScorer } from "./dist/mining/index.js";
const open = async (path) => {
  const reader = await NpyReader.open(path);
  const [count, dimension] = reader.shape;
  return { path, count, dimension, read: (s, n, into) => reader.rowsAsFloat32(s, n, into), close: () => reader.close() };
};
const candidates = Int32Array.from({ length: 700 }, (_, at) => at);
const options = { candidates, threads: 2, files: true, blockColumns: 512 };
const scorer = await createDenseScorer(await open("images.npy"), await open("expressions.npy"), options);
const miners = await scorer.miners("mean", 20, 60);
const hashes = await Promise.all(miners.map(async (miner, at) => {
  const rows = Int32Array.from({ length: 60 }, (_, row) => at * 60 + row);
  const found = await miner.mine(rows, rows, rows.map((_, row) => row));
  const hash = createHash("sha256");
  for (const column of [found.ids, found.t2i, found.i2i]) hash.update(new Uint8Array(column.buffer));
  return hash.digest("hex");
})).catch((error) => ({ code: error.code, message: error.message }));
await scorer.close();
const rows = Int32Array.of(0);
const afterwards = await miners[0].mine(rows, rows, rows).catch(({ code, message }) => ({ code, message }));
console.log(JSON.stringify({ hashes, afterwards }));
`;

function write(images: Float32Array, expressions: Float32Array): void {
  for (const [name, data] of Object.entries({ images, expressions })) {
    writeFileSync(join(folder, `${name}.npy`), encodeNpy(data, [data.length / 64, 64]));
  }
}

function run(): { readonly hashes: unknown; readonly afterwards: unknown } {
  const done = spawnSync(process.execPath, ["run.mjs"], { cwd: folder, encoding: "utf8" });
  expect(done.stderr).toBe("");
  return JSON.parse(done.stdout);
}

describe("miners", () => {
  it("mine in threads of their own, to the bytes of one thread", async () => {
    const [images, expressions] = [signVectors(700, 64, 5), signVectors(120, 64, 6)];
    write(images, expressions);
    const candidates = Int32Array.from({ length: 700 }, (_, at) => at);
    const vectors = [memoryVectors(images, 64), memoryVectors(expressions, 64)] as const;
    const scorer = await createDenseScorer(...vectors, { candidates, threads: 1 });
    const expected: string[] = [];
    for (const start of [0, 60]) {
      const rows = Int32Array.from({ length: 60 }, (_, row) => start + row);
      const plain = new PlainMiner(scorer, { rank: "mean", depth: 20, rows: 60 });
      const found = await plain.mine(rows, rows, Int32Array.from(rows.keys()));
      expected.push(
        hashBytes(Buffer.concat([found.ids, found.t2i, found.i2i].map(({ buffer }) => Buffer.from(buffer)))),
      );
    }
    await scorer.close();
    expect(expected[0]).not.toBe(expected[1]);
    expect(run().hashes).toEqual(expected);
  });

  it("hand on what is wrong with the vectors", () => {
    const images = signVectors(700, 64, 5);
    images[64 * 30] = Number.NaN;
    write(images, signVectors(120, 64, 6));
    expect(run().hashes).toMatchObject({ code: "bad-input", message: expect.stringContaining("row 30") });
  });

  it("refuse a step once their thread is gone, rather than wait for it", () => {
    write(signVectors(700, 64, 5), signVectors(120, 64, 6));
    expect(run().afterwards).toMatchObject({ code: "internal", message: expect.stringContaining("thread ended") });
  });
});
