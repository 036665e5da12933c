import { mkdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pythonHas, runPythonBytes } from "../../../test/peers.ts";
import type { Progress } from "../../io/index.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { allRecords, expectOneError, expectSoundOrder, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import { cocoName, makeCrisLmdb, maskPng } from "../sample-datasets.contract.ts";
import { isPyarrowSerialized } from "./pyarrow.ts";

const folder = freshFolder();

describe("the CRIS LMDB importer", () => {
  it("streams images with their bytes once, masks as run lengths, and the split from the file's name", async () => {
    const records = await allRecords(await makeCrisLmdb(folder()), "cris-lmdb");
    const images = records.filter((record) => record.type === "image");
    expect(images.map(({ id }) => id)).toEqual([cocoName(11), cocoName(22)]);
    expect(Buffer.from(images[0]?.bytes ?? []).toString()).toBe("JPEG bytes of 11");
    expect(images[0]).toMatchObject({ file: cocoName(11) });
    expect(records.filter((record) => record.type === "ref")).toMatchObject([
      { id: "300", imageId: cocoName(11), annotationIds: ["300"], split: "train" },
      { id: "301", imageId: cocoName(11), split: "train" },
      { id: "302", imageId: cocoName(22), split: "val" },
    ]);
    expect(records.flatMap((record) => (record.type === "expression" ? [record.sent] : []))).toEqual([
      "the car",
      "car",
      "a dog",
      "person",
    ]);
    expect(records.filter((record) => record.type === "annotation").map(({ category }) => category)).toEqual([
      "car",
      "dog",
      "person",
    ]);
  });

  it("hashes what is used of a file that is as long as its map, with progress, and reads it", async () => {
    const options = await makeCrisLmdb(folder());
    const path = join(folder(), "refcoco/train.lmdb");
    const sound = await findImporter("cris-lmdb").open(options);
    // 24 GiB long; the file system keeps no block of the hole.
    truncateSync(path, 24 * 2 ** 30);
    const labels: string[] = [];
    const progress: Progress = {
      begin: (label, total, unit) => {
        labels.push(`${label} ${total} ${unit}`);
        return { advance: () => undefined, note: () => undefined, end: () => undefined };
      },
    };
    const sparse = await findImporter("cris-lmdb").open(options, progress);
    expect(sparse.files).toEqual(sound.files);
    expect(labels).toEqual(["hash the dataset 1 MB"]);
    expect((await allRecords(options, "cris-lmdb")).filter(({ type }) => type === "ref")).toHaveLength(3);
  });

  it("says of --images that it is not read", async () => {
    const options = { ...(await makeCrisLmdb(folder())), images: folder() };
    expect((await findImporter("cris-lmdb").open(options)).warnings.join()).toMatch(/images are inside/);
  });
});

const writer = `
import lmdb, pickle, struct, sys, io
def values(kind):
    folder, png = sys.argv[1], sys.stdin.buffer.read()
    base = {"img": b"jpeg A", "mask": png, "cat": 2, "seg_id": 7, "img_name": "a.jpg", "num_sents": 1, "sents": ["the car"]}
    return base, [dict(base, seg_id=7 + n, sents=["car %d" % n]) for n in range(12)]
def write(path, items, keys="listed", subdir=False, dumps=lambda v: pickle.dumps(v, 5)):
    env = lmdb.open(path, subdir=subdir, map_size=1 << 30)
    with env.begin(write=True) as txn:
        names = [b"%d" % n for n in range(len(items))]
        for name, item in zip(names, items): txn.put(name, dumps(item))
        if keys == "listed":
            txn.put(b"__keys__", dumps(names)); txn.put(b"__len__", dumps(len(names)))
    env.close()
`;

describe.skipIf(!pythonHas("lmdb"))("files that Python's lmdb writes", () => {
  const run = async (body: string): Promise<void> => {
    runPythonBytes(`${writer}\nbase, many = values(0)\nfolder = sys.argv[1]\n${body}`, [folder()], await maskPng());
  };
  const read = (name: string): Promise<DatasetRecord[]> => allRecords({ source: join(folder(), name) }, "cris-lmdb");
  const refIds = (records: readonly DatasetRecord[]): string[] =>
    records.flatMap((record) => (record.type === "ref" ? [record.id] : []));

  it("reads CRIS's own shape, in the order of __keys__ (10 after 9, as no key order has it)", async () => {
    await run(`write(folder + "/train.lmdb", many)`);
    const records = await read("train.lmdb");
    expect(refIds(records)).toEqual(Array.from({ length: 12 }, (_, n) => String(7 + n)));
    expect(records.filter((record) => record.type === "bad" || record.type === "note")).toEqual([]);
    expectSoundOrder(records);
  });

  it("reads files without __keys__, in a sub-directory, of pickle protocols 2 to 5", async () => {
    mkdirSync(join(folder(), "refcoco"));
    await run(`
for protocol in (2, 3, 4, 5):
    write(folder + "/refcoco/p%d.lmdb" % protocol, many[protocol:protocol + 1], keys="none", subdir=protocol > 3, dumps=lambda v: pickle.dumps(v, protocol))`);
    const records = await allRecords({ source: join(folder(), "refcoco") }, "cris-lmdb");
    expect(records.flatMap((record) => (record.type === "ref" ? [[record.id, record.split]] : []))).toEqual([
      ["9", "p2"],
      ["10", "p3"],
      ["11", "p4"],
      ["12", "p5"],
    ]);
    expect(
      (await findImporter("cris-lmdb").open({ source: join(folder(), "refcoco/p5.lmdb") })).files[0]?.path,
    ).toMatch(/data\.mdb$/);
  });

  it("names images by content and refs by key where img_name and seg_id are not there", async () => {
    await run(`
bare = {key: base[key] for key in ("img", "mask", "sents")}
write(folder + "/train.lmdb", [bare, dict(bare, seg_id=[1, 2], sents=[{"sent": "x", "sent_id": 5}])])`);
    const records = await read("train.lmdb");
    expect(refIds(records)).toEqual(["0", "1"]);
    expect(records.filter((record) => record.type === "image")).toHaveLength(1);
    expect(records.at(-1)).toMatchObject({ type: "expression", id: "5", sent: "x" });
  });

  it("calls damaged values bad, other images of one name too, and goes on", async () => {
    await run(`
write(folder + "/train.lmdb", [1, dict(base, mask=b"no png"), dict(base, img=None), dict(base, sents="x"), dict(base, img_name="../x"),
  dict(base, sents=[""]), base, dict(base, seg_id=8, img=b"jpeg B"), dict(base), dict(base, seg_id=9)])
env = lmdb.open(folder + "/train.lmdb", subdir=False, map_size=1 << 30)
with env.begin(write=True) as txn:
    txn.put(b"0", b"\\x80\\x05 not a pickle"); txn.delete(b"1")`);
    const records = await read("train.lmdb");
    expect(records.flatMap((record) => (record.type === "bad" ? [record.reason] : []))).toEqual([
      "unreadable value",
      "missing field",
      "unreadable value",
      "wrong type",
      "unsafe file name",
      "empty sentence",
      "image differs",
      "duplicate ref id",
    ]);
    expect(refIds(records)).toEqual(["7", "9"]);
    expectSoundOrder(records);
  });

  it("refuses a pickle that could run code", async () => {
    await run(`
class Evil:
    def __reduce__(self): return (exec, ("pass",))
write(folder + "/train.lmdb", [base, Evil()])`);
    await expectOneError(() => read("train.lmdb"), "refused", /train\.lmdb/);
  });

  it.skipIf(!pythonHas("pyarrow"))("says what pyarrow.serialize's output is and how to get rid of it", async () => {
    // pyarrow.serialize is gone; its output is counts and an Arrow stream, which pyarrow still writes.
    await run(`
import pyarrow as pa
def serialized(counts, stream_of):
    def dumps(value):
        sink = io.BytesIO()
        batch = pa.record_batch([pa.array([[1, 2]])], names=["list"])
        with pa.ipc.new_stream(sink, batch.schema, options=pa.ipc.IpcWriteOptions(use_legacy_format=stream_of == "legacy")) as out: out.write_batch(batch)
        return struct.pack("<%di" % len(counts), *counts) + sink.getvalue()
    return dumps
write(folder + "/old.lmdb", [1, 2], dumps=serialized((0, 0, 0, 2), "legacy"))
write(folder + "/new.lmdb", [1, 2], dumps=serialized((0, 0, 0, 0, 0, 0, 2), "new"))`);
    for (const name of ["old.lmdb", "new.lmdb"]) {
      await expectOneError(() => read(name), "unsupported", /pyarrow\.serialize.*pickle\.dumps.*nemosaic import cris/);
    }
  });
});

describe("telling pyarrow.serialize's output from others", () => {
  it("does not take pickles, text or noise for it", () => {
    for (const bytes of [
      "(dp0\nS'img'\np1\nS'aaaaaaaaaaaaaaaaaaaaaaaa'\n",
      "plain text that is long enough to be looked at",
      "]q\u0000(K\u0001K\u0002e.      padding here too",
    ]) {
      expect(isPyarrowSerialized(Buffer.from(bytes, "latin1"))).toBe(false);
    }
    expect(isPyarrowSerialized(Buffer.from([0x80, 5, 0x95, ...new Array(60).fill(0)]))).toBe(false);
    expect(isPyarrowSerialized(new Uint8Array(200))).toBe(false);
    expect(isPyarrowSerialized(new Uint8Array(3))).toBe(false);
  });
});
