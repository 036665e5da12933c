import { readCsv, readRows } from "../../codecs/index.ts";
import { NemosaicError } from "../../model/index.ts";
import { jsonLines } from "../jsonl/lines.ts";
import { folderName } from "../places.ts";

/** One row of a table: where it stands, its number from 0, and its cells by column, or why it cannot be read. */
export type TableRow =
  | { readonly where: string; readonly number: number; readonly value: unknown }
  | { readonly where: string; readonly number: number; readonly error: NemosaicError };

/** Streams a table's rows. Errors: those of its reader. */
export async function* tableRows(path: string): AsyncGenerator<TableRow> {
  const file = folderName(path);
  let number = 0;
  if (/\.parquet$/i.test(path)) {
    for await (const value of readRows(path)) yield { where: `${file}, row ${number}`, number: number++, value };
  } else if (/\.(jsonl|ndjson)$/i.test(path)) {
    for await (const line of jsonLines(path)) yield { where: `${file}, line ${line.line}`, number: number++, ...line };
  } else {
    const [header, ...rows] = await readCsv(path);
    const names = header?.cells.map((name) => name.trim()) ?? [];
    if (rows.length === 0) yield { where: `${file}, line 1`, number, value: nameCells(names, []) };
    for (const { line, cells } of rows) {
      const where = `${file}, line ${line}`;
      if (cells.length === names.length) yield { where, number: number++, value: nameCells(names, cells) };
      else {
        const message = `${names.length} cells as in the header, got ${cells.length}`;
        yield { where, number: number++, error: new NemosaicError("bad-input", message) };
      }
    }
  }
}

function nameCells(names: readonly string[], cells: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ""]));
}
