import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas, runPython } from "../../../test/peers.ts";
import { mineSmall } from "../../../test/small-pool.ts";
import { encodePickle, pickleTuple, writeLmdb } from "../../codecs/index.ts";
import { makeSmallPool } from "../../exporters/small-pool.contract.ts";
import { silentProgress } from "../../io/index.ts";
import { Loader } from "../../loader/index.ts";
import { Mined, minedFolder, Pool } from "../../pool/index.ts";
import { parseSettings } from "../../settings/index.ts";
import { exportLists, importLists } from "../index.ts";
import { pythonSetOrder } from "./set-order.ts";

let home: string;
let pool: Pool;
let mined: Mined;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "nemosaic-lists-"));
  pool = await Pool.open(await makeSmallPool(home));
  await mineSmall(pool, { depth: 5 });
  mined = (await Mined.open(pool.folder, "default", pool.manifest.hash))!;
  await exportLists(pool, mined, {
    output: join(home, "lists"),
    split: "train",
    force: false,
    progress: silentProgress,
  });
});
afterAll(async () => {
  await mined.close();
  await pool.close();
  await rm(home, { recursive: true, force: true });
});

const take = (name: string, t2i: string, i2i?: string) =>
  importLists(pool, {
    t2i,
    i2i,
    source: undefined,
    split: "train",
    depth: 1024,
    name,
    force: true,
    progress: silentProgress,
  });

const trainRefs = () =>
  Array.from({ length: pool.refs.count }, (_, ref) => ref).filter((ref) => pool.refs.split[ref] === "train");

describe("the reference's lists", () => {
  it.skipIf(python() === undefined)("number images in the order of Python's own sets", () => {
    const cases = [
      [],
      [0],
      [5, 5, 5],
      [8, 0, 16, 24, 3],
      ...[10, 100, 1000, 17_000, 60_000].map((count) =>
        Array.from({ length: count }, (_, at) => (at * 2_654_435 + at * at) % 581_930),
      ),
    ];
    const script = "import json, sys\nprint(json.dumps([list(set(case)) for case in json.load(sys.stdin)]))";
    expect(JSON.parse(runPython(script, [], JSON.stringify(cases)))).toEqual(cases.map(pythonSetOrder));
  });

  it.skipIf(!pythonHas("lmdb"))(
    "are read as the reference's loader reads them, and hold the mined scores",
    async () => {
      // The loader's own steps: refs by position, images by their place in a set, sentences by position.
      const script = `
import json, lmdb, os, pickle, sys
root, image_ids = sys.argv[1], json.loads(sys.argv[2])
def opened(name):
    env = lmdb.open(os.path.join(root, name), subdir=False, max_readers=32, readonly=True, lock=False, readahead=False, meminit=False)
    txn = env.begin(write=False)
    keys = pickle.loads(txn.get(b"__keys__"))
    assert pickle.loads(txn.get(b"__len__")) == len(keys)
    return [pickle.loads(txn.get(key)) for key in keys]
t2i, i2i = opened("t2i.lmdb"), opened("i2i.lmdb")
order = list(set(image_ids))
assert len(t2i) == len(image_ids) and len(i2i) == len(order)
places = {image: at for at, image in enumerate(order)}
out = []
for at, lists in enumerate(t2i):
    assert all(type(pair) is tuple for pairs in lists.values() for pair in pairs)
    assert all(pairs == sorted(pairs, key=lambda pair: -pair[1]) for pairs in lists.values())
    own = i2i[places[image_ids[at]]]
    assert own[0][0] == image_ids[at] and own == sorted(own, key=lambda pair: -pair[1])
    out.append([[sent_id, pairs] for sent_id, pairs in lists.items()] + [own])
print(json.dumps(out))
`;
      const number = (row: number): number => Number(/(\d+)\.\w+$/.exec(pool.imageName(row))?.[1]);
      const refs = trainRefs();
      const read = JSON.parse(
        runPython(script, [join(home, "lists"), JSON.stringify(refs.map((ref) => number(pool.refs.image[ref]!)))]),
      ) as unknown[][];
      refs.forEach((ref, at) => {
        const [start, end] = pool.expressionsOfRef(ref);
        const lists = Array.from({ length: end - start }, (_, n) => {
          const row = mined.row(start + n);
          return [
            Number(pool.expressions.id[start + n]),
            Array.from(row.ids, (id, place) => [number(id), row.t2i[place]]),
          ];
        });
        expect(read[at]?.slice(0, -1)).toEqual(lists);
      });
    },
  );

  it("come back as the mined set that they were made of", async () => {
    const report = await take("again", join(home, "lists", "t2i.lmdb"), join(home, "lists", "i2i.lmdb"));
    expect(report).toMatchObject({
      listed: 13,
      unlisted: 0,
      depth: 5,
      skipped: {},
      imageOrder: "the reference's (Python's set)",
    });
    const again = (await Mined.open(pool.folder, "again", pool.manifest.hash))!;
    for (let row = 0; row < pool.expressions.count; row++) {
      if (pool.refs.split[pool.expressions.ref[row]!] !== "train") continue;
      expect(again.row(row).ids).toEqual(mined.row(row).ids);
      expect(again.row(row).t2i).toEqual(mined.row(row).t2i);
      expect(again.row(row).i2i).toEqual(mined.row(row).i2i);
    }
    expect(Object.keys(again.manifest.scores.t2i)).toEqual(Object.keys(mined.manifest.scores.t2i));
    await again.close();
    const loader = await Loader.open(
      pool,
      parseSettings({ mined: "again", size: 32, band: { tau: null, tauImage: null }, mosaic: { gamma: 1 } }, "test"),
      { split: "train" },
    );
    expect(Array.from({ length: loader.length }, (_, index) => loader.plan(0, index).kind)).toContain("mined");
    await loader.close();
  });

  it("give the same plans as the mined set, once the thresholds are numbers and not taken from other sentences", async () => {
    await take("plans", join(home, "lists", "t2i.lmdb"), join(home, "lists", "i2i.lmdb"));
    const plansOf = async (mined: string) => {
      const bands = { band: { tau: 0.6, tauImage: 0.7 }, guards: { nearDuplicate: null }, mosaic: { gamma: 1 } };
      const loader = await Loader.open(pool, parseSettings({ mined, size: 32, ...bands }, "test"), { split: "train" });
      const plans = [0, 1, 2, 3].flatMap((epoch) =>
        Array.from({ length: loader.length }, (_, index) => loader.plan(epoch, index)),
      );
      await loader.close();
      return plans.map(({ layers, text, why, kind }) => ({ layers, text, why, kind }));
    };
    const plans = await plansOf("default");
    expect(plans.some(({ kind }) => kind === "mined")).toBe(true);
    expect(await plansOf("plans")).toEqual(plans);
  });

  it("pass over images and sentences that the pool does not have, and keep the rest apart from padding", async () => {
    const path = join(home, "odd.lmdb");
    const pair = (id: number, score: number) => pickleTuple([id, score]);
    const lists = new Map([
      [100, [pair(5056, 0.5), pair(999_999, 0.4), pair(5007, 0.3), pair(5007, 0.2)]],
      [101, [pair(5014, 0.9)]],
      [777_777, [pair(5007, 0.9)]],
    ]);
    await writeLmdb(
      path,
      [
        { key: Buffer.from("0"), value: encodePickle(lists) },
        { key: Buffer.from("__len__"), value: encodePickle(1) },
      ],
      { subdir: false },
    );
    const report = await take("odd", path);
    expect(report).toMatchObject({
      listed: 2,
      unlisted: 11,
      depth: 2,
      skipped: { "image repeated": 1, "image unknown": 1, "sentence unknown": 1 },
      imageOrder: null,
    });
    const odd = (await Mined.open(pool.folder, "odd", pool.manifest.hash))!;
    expect(Array.from(odd.row(0).ids)).toEqual([8, 1]);
    expect(Array.from(odd.row(1).ids)).toEqual([2]); // a shorter list ends where its scores end
    expect(odd.row(1).t2i[0]).toBeCloseTo(0.9);
    expect([odd.row(1).t2i.length, odd.row(1).i2i.length, odd.row(1).truncated]).toEqual([1, 1, true]);
    await odd.close();
    const loader = await Loader.open(
      pool,
      parseSettings(
        { mined: "odd", size: 32, band: { tau: null, tauImage: null }, mosaic: { gamma: 1 }, tooFew: "single" },
        "test",
      ),
      { split: "train" },
    );
    for (let index = 0; index < loader.length; index++) expect(loader.plan(0, index).kind).toBe("single");
    await loader.close();
  });

  it("are refused with a reason where they hold something else", async () => {
    const write = async (name: string, value: Uint8Array): Promise<string> => {
      const path = join(home, name);
      await writeLmdb(path, [{ key: Buffer.from("0"), value }], { subdir: false });
      return path;
    };
    await expect(take("bad", await write("arrow.lmdb", new Uint8Array(64)))).rejects.toThrow(/pyarrow.serialize/);
    await expect(take("bad", await write("list.lmdb", encodePickle([1, 2])))).rejects.toThrow(/expected \{sent_id/);
    await expect(take("bad", await write("text.lmdb", encodePickle({ 100: ["x"] })))).rejects.toThrow(
      /expected \(image_id, score\)/,
    );
    await expect(take("bad", await write("none.lmdb", encodePickle({ 5: [] })))).rejects.toThrow(/no list in/);
    const swapped = join(home, "swapped.lmdb");
    const wrong = Array.from({ length: 8 }, (_, at) => ({
      key: Buffer.from(String(at)),
      value: encodePickle([pickleTuple([5000, 0.9])]),
    }));
    await writeLmdb(swapped, wrong, { subdir: false });
    await expect(take("bad", join(home, "lists", "t2i.lmdb"), swapped)).rejects.toThrow(/cannot tell whose lists/);
    await expect(access(minedFolder(pool.folder, "bad"))).rejects.toThrow();
    await writeFile(join(home, "no.lmdb"), "x");
    await expect(take("bad", join(home, "no.lmdb"))).rejects.toThrow();
  });

  it("are not replaced without force, and not made twice", async () => {
    const again = (force: boolean, split = "train") =>
      exportLists(pool, mined, { output: join(home, "lists"), split, force, progress: silentProgress });
    expect(await again(false)).toMatchObject({ reused: true, refs: 9, images: 8 });
    await expect(again(false, "val")).rejects.toThrow(/holds other lists/);
    await expect(
      exportLists(pool, mined, { output: join(home, "x"), split: "nope", force: false, progress: silentProgress }),
    ).rejects.toThrow(/no refs of split "nope"/);
  });
});
