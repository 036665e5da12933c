import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe } from "vitest";
import {
  decodeCocoRle,
  decodeImage,
  decodeImageAtLeast,
  decodeMask,
  decodeNpy,
  decodePickle,
  encodeJpeg,
  encodeNpy,
  encodePickle,
  encodePng,
  encodeWebp,
  imageSize,
  LmdbReader,
  NpyReader,
  readRows,
  readTable,
  readTableMetadata,
  readTar,
  TarWriter,
  writeLmdb,
} from "../../src/codecs/index.ts";
import { tableBytes } from "../../src/codecs/parquet/table-bytes.contract.ts";
import { rleFromCounts, rleFromPolygon, rleToMask, rleToString, rleUnion } from "../../src/kernels/index.ts";
import { parseSegmentation, segmentationParts } from "../../src/pool/segmentation-text.ts";
import { pythonHas, runPythonBytes } from "../peers.ts";
import { scratchFolder } from "../small-pool.ts";
import { drained, fuzz, placed } from "./fuzz.ts";
import { garbledBytes, hostileValues } from "./garble.ts";

let folder: string;
const samples: Record<string, Uint8Array[]> = {};
const of = (name: string) => garbledBytes(samples[name] ?? []);

beforeAll(async () => {
  folder = await scratchFolder();
  const refs = [
    { ref_id: 1, sent_ids: [1, 2], split: "train", file_name: "é_1.jpg", big: 2 ** 40, area: 1.5, none: null },
    { ref_id: 2, sentences: [{ sent: "a red box", tokens: ["a", "red", "box"] }], flag: true },
  ];
  samples.pickle = [0, 2, 4].map((protocol) => encodePickle(refs as never, { protocol: protocol as 2 }));
  const columns = [
    { name: "id", type: "int32" as const, values: [1, 2, 3, 4, 5, 6] },
    { name: "long", type: "int64" as const, values: [1, 2, 3, 4, 5, 2 ** 40] },
    { name: "area", type: "double" as const, nullable: true, values: [1.5, null, 2, 2, null, 7] },
    { name: "text", type: "string" as const, values: ["a", "b", "a", "a", "c", "é".repeat(40)] },
    { name: "flag", type: "boolean" as const, values: [true, false, true, true, true, false] },
    { name: "rows", type: "int32-list" as const, values: [[1], [], [2, 3], [4], [5, 6, 7], []] },
    { name: "raw", type: "bytes" as const, values: [1, 2, 3, 4, 5, 6].map((n) => new Uint8Array(n).fill(n)) },
  ];
  samples.parquet = [
    await tableBytes(columns, { compression: "none" }),
    await tableBytes(columns, { compression: "snappy", rowGroupSize: 4 }),
    ...pyarrowFiles(),
  ];
  samples.npy = [
    encodeNpy(
      Float32Array.from({ length: 12 }, (_, i) => i),
      [3, 4],
    ),
    encodeNpy(new Int32Array(5), [5]),
    encodeNpy(new Uint8Array(0), [0, 7]),
  ];
  const lmdb = join(folder, "sound.mdb");
  const entries = Array.from({ length: 60 }, (_, i) => ({
    key: Buffer.from(String(i).padStart(4, "0")),
    value: new Uint8Array(i * 90).fill(i),
  }));
  await writeLmdb(lmdb, entries, { subdir: false });
  samples.lmdb = [await readFile(lmdb).catch(() => readFile(join(lmdb, "data.mdb")))];
  const data = Uint8Array.from({ length: 20 * 14 * 3 }, (_, i) => (i * 37) % 256);
  const image = { width: 20, height: 14, channels: 3 as const, data };
  samples.image = [await encodeJpeg(image, 90), await encodePng(image), await encodeWebp(image)];
  samples.tar = [await tarBytes()];
});

describe("readers of binary formats answer garbage with one clear line", () => {
  fuzz(
    "pickle",
    () => of("pickle"),
    (bytes) => decodePickle(bytes, { where: "refs(unc).p" }),
    { place: "refs(unc).p" },
  );

  fuzz(
    "Parquet, as typed columns",
    () => of("parquet"),
    async (bytes) => {
      const path = placed(folder, "garbled.parquet", bytes);
      await readTableMetadata(path);
      await readTable(path);
    },
    { place: "garbled.parquet" },
  );

  fuzz(
    "Parquet, as nested rows",
    () => of("parquet"),
    (bytes) => drained(readRows(placed(folder, "nested.parquet", bytes))),
    { place: "nested.parquet" },
  );

  fuzz(
    "NPY in memory",
    () => of("npy"),
    (bytes) => decodeNpy(bytes, "x.npy"),
    { place: "x.npy" },
  );

  fuzz(
    "NPY by position",
    () => of("npy"),
    async (bytes) => {
      const reader = await NpyReader.open(placed(folder, "garbled.npy", bytes));
      try {
        if (reader.shape.length > 1) await reader.rowsAsFloat32(0, reader.shape[0] ?? 0);
      } finally {
        await reader.close();
      }
    },
    { place: "garbled.npy" },
  );

  fuzz(
    "LMDB",
    () => of("lmdb"),
    async (bytes) => {
      const reader = await LmdbReader.open(placed(folder, "garbled.mdb", bytes));
      try {
        reader.get(Buffer.from("0031"));
        await drained(reader.entriesInOrder());
      } finally {
        await reader.close();
      }
    },
    { place: "garbled.mdb" },
  );

  fuzz(
    "tar",
    () => of("tar"),
    (bytes) => drained(readTar(placed(folder, "garbled.tar", bytes))),
    { place: "garbled.tar" },
  );

  fuzz(
    "images",
    () => of("image"),
    async (bytes) => {
      const options = { where: "7.jpg", maxPixels: 10_000_000 };
      await imageSize(bytes, options);
      await decodeImageAtLeast(bytes, 5, 5, options);
      await decodeImage(bytes, options);
    },
    { place: "7.jpg" },
  );

  fuzz(
    "masks",
    () => of("image"),
    (bytes) => decodeMask(bytes, { where: "7.png", maxPixels: 10_000_000 }),
    { place: "7.png" },
  );
});

describe("readers of regions answer garbage with one clear line", () => {
  const sound = rleToString(rleFromCounts([5, 3, 2, 20, 70], 10, 10));
  const text = fc.oneof(
    garbledBytes([Buffer.from(sound)]).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.string({ maxLength: 40 }),
    fc.array(fc.integer({ min: 48, max: 111 }), { maxLength: 30 }).map((codes) => String.fromCharCode(...codes)),
  );
  const side = fc.oneof(fc.constantFrom(10, 0, 1, -1, 2 ** 31, 2 ** 53, 0.5, Number.NaN), fc.nat({ max: 50 }));

  fuzz(
    "run lengths",
    () => fc.tuple(text, side, side),
    ([counts, height, width]) => decodeCocoRle({ size: [height, width], counts }),
    { rangeErrors: true },
  );

  const coordinate = fc.oneof(
    fc.double({ min: -50, max: 150, noNaN: true }),
    fc.double(),
    fc.constantFrom(1e9, -1e9, 1e308, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY),
  );
  fuzz(
    "polygons",
    () => fc.array(coordinate, { maxLength: 24 }),
    (xy) => rleToMask(rleUnion([rleFromPolygon(xy, 60, 80)], 60, 80)),
    { rangeErrors: true },
  );

  fuzz(
    "a pool's segmentations",
    () =>
      fc.oneof(
        fc.tuple(text, side, side).map(([counts, height, width]) => JSON.stringify({ size: [height, width], counts })),
        fc.array(fc.array(coordinate, { maxLength: 9 }), { maxLength: 4 }).map((parts) => JSON.stringify(parts)),
        fc.constantFrom(...hostileValues).map((value) => JSON.stringify(value)),
        fc.string(),
      ),
    (json) => segmentationParts(parseSegmentation(json, "annotation x/1"), 10, 10, "annotation x/1"),
    { place: "annotation x/1" },
  );
});

async function tarBytes(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const tar = new TarWriter(async (bytes) => {
    chunks.push(bytes.slice());
  });
  await tar.add("000001.jpg", new Uint8Array(700).fill(7));
  await tar.add(`${"deep/".repeat(40)}é.json`, Buffer.from('{"a": 1}'));
  await tar.finish();
  return Buffer.concat(chunks);
}

/** Files of another writer, with the encodings that ours never writes. */
function pyarrowFiles(): Uint8Array[] {
  if (!pythonHas("pyarrow")) return [];
  const files = runPythonBytes(
    `
import io, json, struct, sys
import pyarrow as pa, pyarrow.parquet as pq
table = pa.table({
    "n": pa.array([1, 2, None, 4] * 20, pa.int32()),
    "t": ["a", "bb", None, "a"] * 20,
    "l": [[1, 2], [], None, [3]] * 20,
    "s": [{"bytes": b"xy", "path": "p"}, None] * 40,
    "b": [True, False] * 40,
})
def file(**options):
    out = io.BytesIO(); pq.write_table(table, out, **options); return out.getvalue()
delta = {"n": "DELTA_BINARY_PACKED", "t": "DELTA_BYTE_ARRAY", "l.list.element": "PLAIN", "s.bytes": "DELTA_LENGTH_BYTE_ARRAY", "s.path": "PLAIN", "b": "RLE"}
for data in [
    file(compression="zstd"), file(compression="gzip", data_page_version="2.0"), file(compression="brotli"), file(compression="lz4"),
    file(compression="none", use_dictionary=False, column_encoding=delta, data_page_version="2.0"),
    file(compression="snappy", use_dictionary=False, column_encoding=delta),
]:
    sys.stdout.buffer.write(struct.pack("<I", len(data)) + data)
`,
    [],
  );
  const found: Uint8Array[] = [];
  for (let at = 0; at < files.length; ) {
    const length = files.readUInt32LE(at);
    found.push(new Uint8Array(files.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return found;
}
