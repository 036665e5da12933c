import { type TableColumn, type TableOptions, writeTableTo } from "./index.ts";

/** The bytes of a Parquet file with these columns. */
export async function tableBytes(columns: readonly TableColumn[], options: TableOptions = {}): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  await writeTableTo(async (part) => void parts.push(part), columns, options);
  return Buffer.concat(parts);
}
