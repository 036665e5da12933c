import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { encodePng } from "../../src/codecs/index.ts";
import { hashBytes, silentProgress } from "../../src/io/index.ts";
import { resizeLinear } from "../../src/kernels/index.ts";
import { mergeMined } from "../../src/mining/index.ts";
import { fail } from "../../src/model/index.ts";
import type { Pool } from "../../src/pool/index.ts";
import { embedSources, hubAccess, mergeEmbeddings, openImageTextModel } from "../../src/relevance/index.ts";
import { buildTiles, buildTilesShard, mergeTiles, type TileDemand, TileFile } from "../../src/tiles/index.ts";
import { mineSmall, smallPool } from "../small-pool.ts";
import { fuzz } from "./fuzz.ts";
import { garbledBytes, garbledTree } from "./garble.ts";

type Files = Record<string, Uint8Array>;

const shards = [0, 1].map((index) => ({ index, count: 2 }));
const images = 6;
const rows = Int32Array.from({ length: images }, (_, row) => row);
const resample = { name: "opencv", version: 1 } as const;
const shape = { width: 4, height: 3, resample };
const demands: TileDemand[] = [{ ...shape, rows, uses: new Float64Array(images).fill(1) }];
const tiling = { resample, resizer: () => resizeLinear, threads: 1, onBad: "fail", force: false } as const;
const texts = ["a red box", "the left one", "a red box", "someone"];

let folder: string;
let pool: Pool;
/** What shards leave, by kind, and what one run makes. */
let parts: Record<"tiles" | "mined" | "embeddings", Files>;
let whole: Record<"tiles" | "mined" | "embeddings", Files>;
const places = { tiles: "tiles", mined: "mined/default", embeddings: "embeddings/tiny" } as const;

const tileNames = ["tiles.json", "index.bin", "cells.raw"].map((name) => `4x3-opencv/${name}`);
const columns = ["ids.npy", "t2i.npy", "i2i.npy", "own.npy"];
const vectors = ["images.npy", "expressions.npy"];
const partNames = (names: readonly string[]): string[] =>
  shards.flatMap(({ index }) => names.map((name) => `parts/${index}-of-2/${name}`));

async function read(place: string, names: readonly string[]): Promise<Files> {
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(place, name)))])),
  );
}

async function write(place: string, files: Files): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(place, name)), { recursive: true });
    await writeFile(join(place, name), bytes);
  }
}

beforeAll(async () => {
  pool = await smallPool({ images, valImages: 0 });
  folder = pool.folder;
  const place = (kind: keyof typeof places): string => join(folder, places[kind]);
  const progress = silentProgress;

  for (const shard of shards) await buildTilesShard(pool, demands, shard, { ...tiling, progress });
  const tiles = await read(
    place("tiles"),
    partNames(["part.json", "begun.json", ...tileNames.map((n) => `tiles/${n}`)]),
  );
  await buildTiles(pool, demands, { ...tiling, progress });

  for (const shard of shards) await mineSmall(pool, { depth: 3, shard });
  const mined = await read(place("mined"), partNames(["part.json", ...columns]));
  await mineSmall(pool, { depth: 3 });

  const model = await openImageTextModel(join(import.meta.dirname, "../fixtures/tiny-clip/model"), {
    hub: hubAccess({}, { offline: true, cacheDir: "/nonexistent" }),
    threads: 1,
  });
  const png = await encodePng({ width: 8, height: 8, channels: 3, data: new Uint8Array(192).fill(90) });
  const source = { count: 5, load: async () => png, name: (row: number) => `${row}.png`, hash: "five" };
  const embedding = { model, images: source, texts, onBad: "fail", imageBatch: 2, textBatch: 2, threads: 1 } as const;
  for (const shard of shards) await embedSources({ ...embedding, folder: place("embeddings"), shard });
  const embeddings = await read(place("embeddings"), partNames(["images.json", "expressions.json", ...vectors]));
  await embedSources({ ...embedding, folder: place("embeddings") });
  await model.close();

  parts = { tiles, mined, embeddings };
  whole = {
    tiles: await read(place("tiles"), tileNames),
    mined: await read(place("mined"), columns),
    embeddings: await read(place("embeddings"), vectors),
  };
});

afterAll(async () => {
  await pool.close();
  await rm(dirname(folder), { recursive: true, force: true });
});

/** A file of `files` with its bytes garbled, or, where it is JSON, its values. */
function garbled(files: Files): fc.Arbitrary<{ name: string; bytes: Uint8Array }> {
  return fc.constantFrom(...Object.keys(files)).chain((name) => {
    const sound = files[name] ?? new Uint8Array(0);
    const bytes = garbledBytes([sound]);
    if (!name.endsWith(".json")) return bytes.map((one) => ({ name, bytes: one }));
    const values = garbledTree([JSON.parse(Buffer.from(sound).toString())]).map(
      (tree) => new Uint8Array(Buffer.from(JSON.stringify(tree) ?? "null")),
    );
    return fc.oneof(bytes, { weight: 3, arbitrary: values }).map((one) => ({ name, bytes: one }));
  });
}

describe("tiles with a garbled file", () => {
  fuzz(
    "are read as what they were, or found out",
    () => garbled(whole.tiles),
    async ({ name, bytes }) => {
      const place = join(folder, "read");
      await write(join(place, "tiles"), { ...whole.tiles, [name]: bytes });
      const file = await TileFile.open(place, shape);
      try {
        const damaged = new Set(await file?.damaged());
        const tile = new Uint8Array(36);
        for (const row of rows) {
          const image = pool.images.hash[row] ?? "";
          if (file?.read(image, tile) !== true || damaged.has(image)) continue;
          // An index may say of an image that other pixels were written for it: that nothing but the index knows.
          const isSaid = name.endsWith("index.bin") && Buffer.from(bytes).includes(hashBytes(tile), "hex");
          if (!isSaid) expect(hashBytes(tile)).toBe(hashBytes(soundTile(row)));
        }
        if (file === undefined || damaged.size > 0) fail("checksum", `tiles of "${place}" are not what was written`);
      } finally {
        await file?.close();
      }
    },
  );

  fuzz(
    "are added to, and what is added can be read",
    () => garbled(whole.tiles),
    async ({ name, bytes }) => {
      const place = join(folder, "added");
      await write(join(place, "tiles"), { ...whole.tiles, [name]: bytes });
      const [image, pixels] = [hashBytes("another"), new Uint8Array(36).fill(7)];
      const file = await TileFile.create(place, shape);
      await file.add(image, pixels);
      await file.close();
      const again = await TileFile.open(place, shape);
      const tile = new Uint8Array(36);
      expect(again?.read(image, tile)).toBe(true);
      expect(tile).toEqual(pixels);
      const isWhole = again?.count === images + 1;
      await again?.close();
      if (!isWhole) fail("checksum", `some tiles of "${place}" were left out`);
    },
  );
});

/** The pixels of an image row as they were written: tiles lie in the order of the pool. */
function soundTile(row: number): Uint8Array {
  return (whole.tiles["4x3-opencv/cells.raw"] ?? new Uint8Array(0)).subarray(row * 36, (row + 1) * 36);
}

describe("parts with a garbled file are merged to what one run makes, or refused with one clear line", () => {
  const merging = (kind: keyof typeof places, names: readonly string[], merge: () => Promise<unknown>): void =>
    fuzz(
      kind,
      () => garbled(parts[kind]),
      async ({ name, bytes }) => {
        const place = join(folder, places[kind]);
        await rm(place, { recursive: true, force: true });
        await write(place, { ...parts[kind], [name]: bytes });
        await merge();
        for (const [file, sound] of Object.entries(await read(place, names)))
          expect(hashBytes(sound), file).toBe(hashBytes(whole[kind][file] ?? ""));
      },
      { place: "of-2" },
    );

  merging("tiles", tileNames, () => mergeTiles(pool, { force: false, progress: silentProgress }));
  merging("mined", columns, () => mergeMined(pool, "default", { force: false }));
  merging("embeddings", vectors, () => mergeEmbeddings(join(folder, places.embeddings), texts, { force: false }));
});
