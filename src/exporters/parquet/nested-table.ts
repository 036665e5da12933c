import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";

/** A column of a table with images: `image` is a struct {bytes, path}, `strings` a list of strings; every value may be null. */
export interface NestedColumn {
  readonly name: string;
  readonly kind: "image" | "strings" | "string" | "int32" | "int64";
}

/**
 * Writes a Parquet file row group by row group through `append`, with the metadata that `datasets` reads its features
 * from. Memory: one group. Images are compressed already and are stored as they are.
 */
export async function writeNestedTable(
  append: (bytes: Uint8Array) => Promise<void>,
  columns: readonly NestedColumn[],
  groups: AsyncIterable<readonly Record<string, unknown>[]>,
): Promise<void> {
  const sink = new ByteWriter(2 ** 20);
  const flush = async (): Promise<void> => {
    const bytes = sink.getBytes().slice();
    sink.index = 0;
    if (bytes.length > 0) await append(bytes);
  };
  const writer = new ParquetWriter({
    writer: sink,
    schema: [{ name: "schema", num_children: columns.length }, ...columns.flatMap(schemaOf)],
    kvMetadata: [{ key: "huggingface", value: JSON.stringify({ info: { features: featuresOf(columns) } }) }],
    createdBy: "nemosaic",
  });
  for await (const rows of groups) {
    const columnData = columns.map(({ name, kind }) => ({
      name,
      data: rows.map((row) => row[name] ?? undefined),
      ...(kind === "image" ? { codec: "UNCOMPRESSED" as const, encoding: "PLAIN" as const, statistics: false } : {}),
    }));
    await writer.write({ columnData, rowGroupSize: rows.length });
    await flush();
  }
  await writer.finish();
  await flush();
}

function schemaOf({ name, kind }: NestedColumn): SchemaElement[] {
  const text = { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } } as const;
  const optional = { repetition_type: "OPTIONAL" } as const;
  switch (kind) {
    case "image":
      return [
        { name, ...optional, num_children: 2 },
        { name: "bytes", type: "BYTE_ARRAY", ...optional },
        { name: "path", ...text, ...optional },
      ];
    case "strings":
      return [
        { name, ...optional, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", ...text, ...optional },
      ];
    case "string":
      return [{ name, ...text, ...optional }];
    case "int32":
      return [{ name, type: "INT32", ...optional }];
    case "int64":
      return [{ name, type: "INT64", ...optional }];
  }
}

/** As `datasets` writes them: {"image": {"_type": "Image"}, "sentences": {"feature": …, "_type": "Sequence"}, …}. */
function featuresOf(columns: readonly NestedColumn[]): Record<string, unknown> {
  const value = (dtype: string): unknown => ({ dtype, _type: "Value" });
  return Object.fromEntries(
    columns.map(({ name, kind }) => {
      if (kind === "image") return [name, { _type: "Image" }];
      if (kind === "strings") return [name, { feature: value("string"), _type: "Sequence" }];
      return [name, value(kind)];
    }),
  );
}
