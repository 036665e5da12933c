import { parquetReadObjects, parquetSchema } from "hyparquet";
import { fail, quoteValue, unknownName } from "../../model/index.ts";
import { openParquet, parquetStep } from "./file.ts";

/** Which part of a file `readRows` reads. */
export interface ReadRowsOptions {
  /** Top-level columns; all of them where undefined. */
  readonly columns?: readonly string[];
  /** First row. Default 0. */
  readonly rowStart?: number;
  /** Row behind the last. Default all. */
  readonly rowEnd?: number;
}

/**
 * Reads the rows of a Parquet file of any producer as objects, nested as the file nests them: structs are objects, lists
 * arrays, text strings, raw bytes Uint8Array (views; copy what you keep), 64-bit integers bigint, dates Date, nulls
 * null. Holds one row group at a time.
 *
 * Errors: "not-found"; "bad-input" for a damaged file or an unknown column, with the rows that were being read;
 * "usage" for a range that is none.
 */
export async function* readRows(path: string, options: ReadRowsOptions = {}): AsyncGenerator<Record<string, unknown>> {
  const file = await openParquet(path);
  try {
    const total = Number(file.metadata.num_rows);
    const first = options.rowStart ?? 0;
    const last = Math.min(options.rowEnd ?? total, total);
    if (!(first >= 0)) fail("usage", `expected rowStart to be 0 or more, got ${first}`);
    const known = parquetSchema(file.metadata).children.map((node) => node.element.name);
    for (const name of options.columns ?? []) {
      if (!known.includes(name))
        fail("bad-input", `${unknownName("column", name, known).message} (in ${quoteValue(path)})`);
    }
    let groupStart = 0;
    for (const group of file.metadata.row_groups) {
      const groupEnd = groupStart + Number(group.num_rows);
      const start = Math.max(first, groupStart);
      const end = Math.min(last, groupEnd);
      if (start < end) {
        const rows = await parquetStep(path, `its rows ${start} to ${end}`, () =>
          parquetReadObjects({
            file: file.buffer,
            metadata: file.metadata,
            ...(options.columns === undefined ? {} : { columns: [...options.columns] }),
            rowStart: start,
            rowEnd: end,
            compressors: file.compressors,
            utf8: false,
            geoparquet: false,
          }),
        );
        if (rows.length !== end - start) {
          fail(
            "bad-input",
            `expected ${end - start} rows from row ${start} of ${quoteValue(path)}, got ${rows.length}`,
          );
        }
        for (const row of rows) yield nullForMissing(row);
      }
      groupStart = groupEnd;
    }
  } finally {
    await file.close();
  }
}

function nullForMissing(row: Record<string, unknown>): Record<string, unknown> {
  for (const key of Object.keys(row)) if (row[key] === undefined) row[key] = null;
  return row;
}
