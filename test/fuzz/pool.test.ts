import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe } from "vitest";
import { withLock } from "../../src/io/index.ts";
import { Mined, Pool, readJudgements, readMeasures } from "../../src/pool/index.ts";
import { embedPoolLexical, openEmbeddings } from "../../src/relevance/index.ts";
import { mineSmall, scratchFolder, smallPool } from "../small-pool.ts";
import { fuzz, placed } from "./fuzz.ts";
import { garbledBytes, garbledTree } from "./garble.ts";

let folder: string;
let pool: string;
let poolHash: string;
let files: Record<string, Uint8Array> = {};

beforeAll(async () => {
  folder = await scratchFolder();
  const made = await smallPool({ images: 6 });
  await mineSmall(made);
  await embedPoolLexical(made, { force: false });
  pool = made.folder;
  poolHash = made.manifest.hash;
  await made.close();
  const names = [
    "pool.json",
    "images.parquet",
    "annotations.parquet",
    "refs.parquet",
    "expressions.parquet",
    "mined/default/mined.json",
    "mined/default/ids.npy",
    "mined/default/own.npy",
    "embeddings/lexical/lexical.json",
    "embeddings/lexical/images.indptr.npy",
    "embeddings/lexical/expressions.indices.npy",
  ];
  files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(pool, name)))])),
  );
});

afterAll(async () => {
  for (const place of [folder, dirname(pool)]) await rm(place, { recursive: true, force: true });
});

describe("a damaged pool is answered with one clear line", () => {
  /** The pool with one file garbled; the file is put back afterwards. */
  const spoilt = async (name: string, bytes: Uint8Array, use: () => Promise<unknown>): Promise<void> => {
    await writeFile(join(pool, name), bytes);
    try {
      await use();
    } finally {
      await writeFile(join(pool, name), files[name] ?? new Uint8Array(0));
    }
  };
  const garbled = (...names: string[]) =>
    fc
      .constantFrom(...names)
      .chain((name) => garbledBytes([files[name] ?? new Uint8Array(0)]).map((bytes) => ({ name, bytes })));

  const usePool = async (): Promise<void> => {
    const opened = await Pool.open(pool);
    try {
      for (let row = 0; row < opened.refs.count; row++)
        opened.mask(opened.refs.image[row] ?? 0, opened.targetsOfRef(row));
      for (let row = 0; row < opened.images.count; row++) await opened.imageBytes(row);
      for (let row = 0; row < opened.expressions.count; row++) opened.expressionKey(row);
      await readMeasures(opened);
    } finally {
      await opened.close();
    }
  };

  fuzz(
    "pool.json, its bytes",
    () => garbled("pool.json"),
    ({ name, bytes }) => spoilt(name, bytes, usePool),
  );
  fuzz(
    "pool.json, its values",
    () => garbledTree([JSON.parse(Buffer.from(files["pool.json"] ?? "").toString())]),
    (tree) => spoilt("pool.json", Buffer.from(JSON.stringify(tree) ?? "null"), usePool),
  );
  fuzz(
    "the tables of a pool, with pool.json saying that they are sound",
    () => garbled("images.parquet", "annotations.parquet", "refs.parquet", "expressions.parquet"),
    async ({ name, bytes }) => {
      const manifest = JSON.parse(Buffer.from(files["pool.json"] ?? "").toString());
      manifest.tables[name.replace(".parquet", "")].bytes = bytes.length;
      await spoilt("pool.json", Buffer.from(JSON.stringify(manifest)), () => spoilt(name, bytes, usePool));
    },
  );

  const useMined = async (): Promise<void> => {
    const mined = await Mined.open(pool, "default", poolHash);
    if (mined === undefined) throw new Error("mined.json is there");
    try {
      for (let row = 0; row < mined.manifest.expressions; row++) mined.row(row);
    } finally {
      await mined.close();
    }
  };
  fuzz(
    "mined candidates",
    () => garbled("mined/default/mined.json", "mined/default/ids.npy", "mined/default/own.npy"),
    ({ name, bytes }) => spoilt(name, bytes, useMined),
  );
  fuzz(
    "mined.json, its values",
    () => garbledTree([JSON.parse(Buffer.from(files["mined/default/mined.json"] ?? "").toString())]),
    (tree) => spoilt("mined/default/mined.json", Buffer.from(JSON.stringify(tree) ?? "null"), useMined),
  );

  fuzz(
    "judgements",
    () =>
      garbledBytes([
        Buffer.from(
          '{"expression":"a/1/2","image":"ff","verdict":"negative"}\n{"expression":"a/1/2","image":"ff","verdict":"false-negative"}\n',
        ),
      ]),
    (bytes) => {
      placed(folder, "judgements.jsonl", bytes);
      return readJudgements(folder);
    },
    { place: "judgements.jsonl" },
  );

  fuzz(
    "lexical embeddings",
    () =>
      garbled(
        "embeddings/lexical/lexical.json",
        "embeddings/lexical/images.indptr.npy",
        "embeddings/lexical/expressions.indices.npy",
      ),
    ({ name, bytes }) =>
      spoilt(name, bytes, async () => {
        const opened = await Pool.open(pool);
        try {
          await openEmbeddings(opened);
        } finally {
          await opened.close();
        }
      }),
  );

  fuzz(
    "locks of other processes",
    () =>
      fc.oneof(
        garbledTree([{ pid: 1, host: "elsewhere", purpose: "import", since: "today" }]).map(
          (tree) => JSON.stringify(tree) ?? "",
        ),
        fc.string(),
      ),
    async (text) => {
      const place = join(folder, "locked");
      await cp(join(pool, "pool.json"), join(place, "pool.json"));
      placed(place, ".nemosaic.lock", text);
      await withLock(place, "test", async () => undefined);
    },
  );
});
