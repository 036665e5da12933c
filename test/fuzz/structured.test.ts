import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { beforeAll, describe } from "vitest";
import {
  encodePickle,
  parseJson,
  readJson,
  readJsonArrays,
  readJsonLines,
  readJsonList,
} from "../../src/codecs/index.ts";
import { readKeys } from "../../src/evaluate/index.ts";
import { findImporter } from "../../src/importers/index.ts";
import { silentProgress, withLock } from "../../src/io/index.ts";
import { Loader, parsePlan } from "../../src/loader/index.ts";
import { importPool, Mined, Pool, readJudgements, readMeasures } from "../../src/pool/index.ts";
import { embedPoolLexical, hubAccess, openEmbeddings, openImageTextModel } from "../../src/relevance/index.ts";
import { encodeFrame, FrameReader, frameKinds } from "../../src/serve/frame.ts";
import { parseGet, parseHello, parseSlots } from "../../src/serve/messages.ts";
import { parseSettings, presetNames, withSets } from "../../src/settings/index.ts";
import { loadTokenizer } from "../../src/tokens/index.ts";
import { mineSmall, scratchFolder, smallPool } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";
import { drained, fuzz, placed } from "./fuzz.ts";
import { garbledBytes, garbledTree, hostileValues } from "./garble.ts";

const fixtures = resolve(import.meta.dirname, "..", "fixtures");
let folder: string;
let pool: string;
let poolHash: string;
let plans: unknown[] = [];
let files: Record<string, Uint8Array> = {};

beforeAll(async () => {
  folder = await scratchFolder();
  const made = await smallPool({ images: 6 });
  await mineSmall(made);
  await embedPoolLexical(made, { force: false });
  pool = made.folder;
  poolHash = made.manifest.hash;
  const settings = parseSettings({ preset: "random", size: 32 }, "test");
  const loader = await Loader.open(made.folder, settings, { seed: 1 });
  plans = [0, 1, 2].map((index) => loader.plan(0, index));
  await loader.close();
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

describe("readers of JSON answer garbage with one clear line", () => {
  const document = {
    images: [{ id: 1, file_name: "é.jpg" }],
    annotations: [[1.5, -2e10, true, null, "\u2028"]],
    nested: [[[{}]]],
  };
  const text = garbledBytes([
    Buffer.from(JSON.stringify(document)),
    Buffer.from(JSON.stringify([document, document, 3])),
    Buffer.from(`${JSON.stringify(document)}\n[1,2]\r\n\n"x"\n`),
  ]);

  fuzz(
    "whole JSON",
    () => text,
    async (bytes) => {
      parseJson(Buffer.from(bytes).toString("utf8"), "a.json");
      await readJson(placed(folder, "a.json", bytes));
    },
    { place: "a.json" },
  );
  fuzz(
    "arrays of a JSON file",
    () => text,
    (bytes) => drained(readJsonArrays(placed(folder, "b.json", bytes))),
    { place: "b.json" },
  );
  fuzz(
    "a JSON list",
    () => text,
    (bytes) => drained(readJsonList(placed(folder, "c.json", bytes))),
    { place: "c.json" },
  );
  fuzz(
    "JSON lines",
    () => text,
    (bytes) => drained(readJsonLines(placed(folder, "d.jsonl", bytes))),
    { place: "d.jsonl" },
  );
  fuzz(
    "lists of keys",
    () =>
      fc.oneof(
        text,
        garbledTree([["a/1/2", "b/3/4"], { format: "nemosaic-subset", version: 1, ids: ["a/1/2"] }]).map((tree) =>
          Buffer.from(JSON.stringify(tree) ?? ""),
        ),
      ),
    (bytes) => readKeys(placed(folder, "ids.json", bytes)),
    { place: "ids.json" },
  );
});

describe("what people and programs send is answered with one clear line", () => {
  fuzz(
    "plans",
    () => fc.nat().chain(() => garbledTree(plans)),
    (plan) => parsePlan(plan, "line 3 of plans.jsonl"),
    { place: "line 3 of plans.jsonl" },
  );

  const trees = [
    { preset: "nemo", size: 416, mosaic: { gamma: 0.4, grid: "2x2" }, band: { tau: 0.3, k: 100 } },
    {
      mosaic: { grid: "mixed" },
      schedule: {
        gamma: [
          [0, 0.1],
          [5, 0.5],
        ],
      },
      guards: { nearDuplicate: null },
    },
    ...presetNames.map((preset) => ({ preset })),
  ];
  fuzz(
    "settings",
    () => garbledTree(trees),
    (tree) => parseSettings(tree, "nemosaic.json"),
  );
  fuzz(
    "--set words",
    () =>
      fc.array(
        fc
          .tuple(
            fc.constantFrom(
              "size",
              "band.tau",
              "mosaic.grid",
              "__proto__.x",
              "constructor.prototype.y",
              "",
              "a.b.c",
              ".",
            ),
            fc.oneof(
              fc.constantFrom(...hostileValues).map((value) => JSON.stringify(value)),
              fc.string(),
            ),
          )
          .map(([key, value]) => `${key}=${value}`),
        { minLength: 1, maxLength: 4 },
      ),
    (words) => {
      parseSettings(withSets({}, words), "--set");
      if (({} as Record<string, unknown>).x !== undefined || ({} as Record<string, unknown>).y !== undefined)
        throw new Error("a prototype was changed");
    },
  );

  const hello = { client: "python 1", split: "train", seed: 3, settings: { size: 64 }, set: ["size=32"], credits: 4 };
  const slots = { path: "/dev/shm/x", slots: 4, slotBytes: 4096, token: "0".repeat(64) };
  const get = { epoch: 1, indices: [0, 1, 2], slot: null, want: ["image", "mask"] };
  fuzz(
    "bodies of the stream's messages",
    () => garbledTree([[hello, slots, get]]),
    (tree) => {
      const [first, second, third] = Array.isArray(tree) ? tree : [tree];
      parseHello(first);
      parseSlots(second);
      parseGet(third);
    },
  );
  fuzz(
    "frames of the stream, in pieces of any size",
    () =>
      fc.tuple(
        garbledBytes([Buffer.concat([encodeFrame("hello", 1, hello), encodeFrame("get", 2, get)])]),
        fc.integer({ min: 1, max: 70 }),
      ),
    ([bytes, piece]) => {
      const reader = new FrameReader();
      for (let at = 0; at < bytes.length; at += piece) {
        for (const frame of reader.push(Buffer.from(bytes.subarray(at, at + piece)))) {
          if (!(frame.kind in frameKinds)) throw new Error(`unknown kind ${frame.kind}`);
        }
      }
    },
  );
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
    { share: 0.5 },
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
    { share: 0.5 },
  );
});

describe("a damaged model is answered with one clear line", () => {
  const model = join(fixtures, "tiny-clip", "model");
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
    () =>
      garbledTree(["clip", "bert", "siglip"].map((name) => name)).chain(() =>
        garbledTree([JSON.parse(Buffer.from(files["tokenizer.json"] ?? "").toString())]),
      ),
    async (tree) => {
      await writeFile(join(copy, "tokenizer.json"), JSON.stringify(tree) ?? "null");
      try {
        (await loadTokenizer(copy)).encode("a red box \u0000\ud800 é");
      } finally {
        await writeFile(join(copy, "tokenizer.json"), files["tokenizer.json"] ?? "");
      }
    },
    { share: 0.5 },
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
    { share: 0.2 },
  );
});

describe("a dataset with hostile values is imported but for its bad records, or refused with one clear line", () => {
  let refer: string;
  let images: string;
  let refs: unknown;
  let instances: unknown;
  beforeAll(async () => {
    ({ refer, images } = await writeSmallRefer(join(folder, "small"), 3));
    instances = JSON.parse(await readFile(join(refer, "instances.json"), "utf8"));
    refs = [1, 2, 3].map((id) => ({
      ref_id: id,
      ann_id: id * 10,
      image_id: id,
      category_id: 1,
      file_name: `${id}_${id}.jpg`,
      split: "train",
      sent_ids: [id * 2],
      sentences: [{ sent: "red box", raw: "Red box", tokens: ["red", "box"], sent_id: id * 2 }],
    }));
  });
  const freshPool = async (): Promise<string> => {
    const place = join(folder, "fresh-pool");
    await rm(place, { recursive: true, force: true });
    return place;
  };
  const importAll = async (onBad: "fail" | "skip"): Promise<void> => {
    const source = await findImporter("refer").open({ source: refer, images });
    await importPool(await freshPool(), source, {
      onBad,
      pack: false,
      force: false,
      progress: silentProgress,
    });
  };

  fuzz(
    "REFER",
    () => fc.tuple(garbledTree([{ refs, instances }]), fc.constantFrom("fail" as const, "skip" as const)),
    async ([tree, onBad]) => {
      const { refs: garbledRefs = refs, instances: garbledInstances = instances } = (tree ?? {}) as {
        refs?: unknown;
        instances?: unknown;
      };
      await writeFile(join(refer, "refs(unc).p"), encodePickle(picklable(garbledRefs) as never, { protocol: 2 }));
      await writeFile(join(refer, "instances.json"), JSON.stringify(garbledInstances) ?? "null");
      await importAll(onBad);
    },
    { share: 0.25 },
  );

  const line = {
    image: "1.jpg",
    expressions: ["red box", { sent: "the thing", raw: "The thing", id: 2 ** 31 }],
    split: "train",
    segmentation: [[1, 1, 20, 1, 20, 20]],
    bbox: [1, 1, 19, 19],
    category: "box",
    objects: [{ category: "box", segmentation: [[2, 2, 9, 2, 9, 9]], bbox: [2, 2, 7, 7] }],
  };
  fuzz(
    "JSON lines",
    () =>
      fc.tuple(
        garbledTree([[line, { ...line, ref_id: "b", segmentation: null, bbox: undefined }]]),
        fc.constantFrom("fail" as const, "skip" as const),
      ),
    async ([tree, onBad]) => {
      const lines = Array.isArray(tree) ? tree : [tree];
      const path = placed(folder, "own.jsonl", lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
      const source = await findImporter("jsonl").open({ source: path, images });
      await importPool(await freshPool(), source, {
        onBad,
        pack: false,
        force: false,
        progress: silentProgress,
      });
    },
    { share: 0.25 },
  );
});

/** The tree without what a pickle of the reference's kind cannot say. */
function picklable(tree: unknown): unknown {
  return JSON.parse(
    JSON.stringify(tree, (_key, value: unknown) =>
      typeof value === "string" ? value.replace(/[\ud800-\udfff]/g, "?") : value,
    ) ?? "null",
  );
}
