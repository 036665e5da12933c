import { join } from "node:path";
import { nullableTableColumn, readTable, type TableColumn, tableColumn, writeTableTo } from "../codecs/index.ts";
import { hashFile, openAtomic } from "../io/index.ts";
import { type TableName, tableNames } from "./manifest.ts";
import type { PoolRows } from "./rows.ts";
import { segmentationText } from "./segmentation-text.ts";

/** What the manifest says of one table. */
export interface TableFacts {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes the four tables into `folder` (each atomically) and returns what the manifest says of them. */
export async function writeTables(folder: string, rows: PoolRows): Promise<Record<TableName, TableFacts>> {
  const facts = {} as Record<TableName, TableFacts>;
  for (const name of tableNames) {
    const path = join(folder, `${name}.parquet`);
    const file = await openAtomic(path);
    let bytes = 0;
    try {
      const write = async (chunk: Uint8Array): Promise<void> => {
        bytes += chunk.length;
        await file.write(chunk);
      };
      await writeTableTo(write, columnsOf[name](rows), {
        metadata: { format: "nemosaic-pool", version: "1", table: name },
      });
      await file.commit();
    } finally {
      await file.abort();
    }
    facts[name] = { file: `${name}.parquet`, rows: rows[name].length, bytes, sha256: await hashFile(path) };
  }
  return facts;
}

/** Reads all rows of a pool's tables back, as `writeTables` took them; segmentations stay text. */
export async function readRows(folder: string): Promise<PoolRows> {
  const table = (name: TableName) => readTable(join(folder, `${name}.parquet`));
  const [images, annotations, refs, expressions] = [
    await table("images"),
    await table("annotations"),
    await table("refs"),
    await table("expressions"),
  ];
  const decoder = new TextDecoder();

  const root = tableColumn(images, "root", "int32");
  const path = tableColumn(images, "path", "string");
  const width = tableColumn(images, "width", "int32");
  const height = tableColumn(images, "height", "int32");
  const bytes = tableColumn(images, "bytes", "int64");
  const offset = tableColumn(images, "offset", "int64");
  const hash = tableColumn(images, "hash", "string");

  const image = tableColumn(annotations, "image", "int32");
  const source = tableColumn(annotations, "source", "string");
  const id = tableColumn(annotations, "id", "string");
  const category = tableColumn(annotations, "category", "string");
  const segmentation = tableColumn(annotations, "segmentation", "bytes");
  const area = nullableTableColumn(annotations, "area", "double");
  const x = nullableTableColumn(annotations, "x", "double");
  const box = (["y", "box_width", "box_height"] as const).map(
    (name) => nullableTableColumn(annotations, name, "double").values,
  );
  const isCrowd = tableColumn(annotations, "iscrowd", "boolean");

  const refLists = tableColumn(refs, "annotations", "int32-list");
  const refSource = tableColumn(refs, "source", "string");
  const refId = tableColumn(refs, "id", "string");
  const refImage = tableColumn(refs, "image", "int32");
  const split = tableColumn(refs, "split", "string");

  const ref = tableColumn(expressions, "ref", "int32");
  const sentence = tableColumn(expressions, "id", "string");
  const raw = tableColumn(expressions, "raw", "string");
  const sent = tableColumn(expressions, "sent", "string");

  const n = (value: number | undefined): number => value ?? 0;
  return {
    images: path.map((file, at) => ({
      root: n(root[at]),
      path: file,
      width: n(width[at]),
      height: n(height[at]),
      bytes: Number(bytes[at]),
      offset: Number(offset[at]),
      hash: hash[at] ?? "",
    })),
    annotations: id.map((key, at) => ({
      image: n(image[at]),
      source: source[at] ?? "",
      id: key,
      category: category[at] ?? "",
      segmentation: decoder.decode(segmentation[at]),
      area: area.valid?.[at] === 0 ? null : n(area.values[at]),
      box: x.valid?.[at] === 0 ? null : [n(x.values[at]), n(box[0]?.[at]), n(box[1]?.[at]), n(box[2]?.[at])],
      isCrowd: isCrowd[at] === 1,
    })),
    refs: refId.map((key, at) => ({
      source: refSource[at] ?? "",
      id: key,
      image: n(refImage[at]),
      annotations: Array.from(refLists.values.subarray(refLists.offsets[at], refLists.offsets[at + 1])),
      split: split[at] ?? "",
    })),
    expressions: sentence.map((key, at) => ({ ref: n(ref[at]), id: key, raw: raw[at] ?? "", sent: sent[at] ?? "" })),
  };
}

const encoder = new TextEncoder();

const columnsOf: Record<TableName, (rows: PoolRows) => TableColumn[]> = {
  images: ({ images }) => [
    { name: "root", type: "int32", values: images.map((row) => row.root) },
    { name: "path", type: "string", values: images.map((row) => row.path) },
    { name: "width", type: "int32", values: images.map((row) => row.width) },
    { name: "height", type: "int32", values: images.map((row) => row.height) },
    { name: "bytes", type: "int64", values: images.map((row) => row.bytes) },
    { name: "offset", type: "int64", values: images.map((row) => row.offset) },
    { name: "hash", type: "string", values: images.map((row) => row.hash) },
  ],
  annotations: ({ annotations }) => [
    { name: "image", type: "int32", values: annotations.map((row) => row.image) },
    { name: "source", type: "string", values: annotations.map((row) => row.source) },
    { name: "id", type: "string", values: annotations.map((row) => row.id) },
    { name: "category", type: "string", values: annotations.map((row) => row.category) },
    {
      name: "segmentation",
      type: "bytes",
      values: annotations.map(({ segmentation }) =>
        encoder.encode(typeof segmentation === "string" ? segmentation : segmentationText(segmentation)),
      ),
    },
    { name: "area", type: "double", nullable: true, values: annotations.map((row) => row.area) },
    { name: "x", type: "double", nullable: true, values: annotations.map((row) => row.box?.[0] ?? null) },
    { name: "y", type: "double", nullable: true, values: annotations.map((row) => row.box?.[1] ?? null) },
    { name: "box_width", type: "double", nullable: true, values: annotations.map((row) => row.box?.[2] ?? null) },
    { name: "box_height", type: "double", nullable: true, values: annotations.map((row) => row.box?.[3] ?? null) },
    { name: "iscrowd", type: "boolean", values: annotations.map((row) => row.isCrowd) },
  ],
  refs: ({ refs }) => [
    { name: "source", type: "string", values: refs.map((row) => row.source) },
    { name: "id", type: "string", values: refs.map((row) => row.id) },
    { name: "image", type: "int32", values: refs.map((row) => row.image) },
    { name: "annotations", type: "int32-list", values: refs.map((row) => row.annotations) },
    { name: "split", type: "string", values: refs.map((row) => row.split) },
  ],
  expressions: ({ expressions }) => [
    { name: "ref", type: "int32", values: expressions.map((row) => row.ref) },
    { name: "id", type: "string", values: expressions.map((row) => row.id) },
    { name: "raw", type: "string", values: expressions.map((row) => row.raw) },
    { name: "sent", type: "string", values: expressions.map((row) => row.sent) },
  ],
};
