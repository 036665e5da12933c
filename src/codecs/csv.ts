/**
 * Comma-separated values, RFC 4180: cells apart by a comma (or a semicolon or a tab, whichever the first line has most
 * of), a cell that holds one of them, a quote or a line end in double quotes, a quote in it doubled. Lines end in LF or
 * CR LF; a byte order mark and blank lines are skipped.
 */
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { fail, quoteValue } from "../model/index.ts";
import { openForReading } from "./file.ts";
import { refuseEncoding, refuseUtf16 } from "./utf8.ts";

/** One row; `line` is where it begins, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

const maxBytes = 2 ** 29 - 24;

/**
 * Reads a file's rows, the header among them. Errors: "not-found"; "bad-input" with the line for what is no UTF-8 and for
 * a quote that does not end; "unsupported" beyond 512 MB.
 */
export async function readCsv(path: string): Promise<CsvRow[]> {
  const handle = await openForReading(path, "CSV file");
  try {
    const { size } = await handle.stat();
    if (size > maxBytes)
      fail(
        "unsupported",
        `expected a CSV file of at most ${maxBytes} bytes, ${quoteValue(path)} has ${size}; use Parquet`,
      );
    const bytes = await readFile(handle);
    refuseUtf16(bytes, quoteValue(path));
    if (!isUtf8(bytes)) await refuseEncoding(bytes, path, 0);
    return parseCsv(bytes.toString("utf8").replace(/^\uFEFF/, ""), quoteValue(path));
  } finally {
    await handle.close();
  }
}

/** The rows of a CSV text; `where` names it in errors. */
export function parseCsv(text: string, where: string): CsvRow[] {
  const separator = separatorOf(text);
  const rows: CsvRow[] = [];
  let [at, line] = [0, 1];
  while (at < text.length) {
    const start = line;
    const cells: string[] = [];
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        const from = line;
        for (at++; ; at++) {
          const char = text[at];
          if (char === undefined) fail("bad-input", `expected the quote of line ${from} of ${where} to end`);
          if (char === '"' && text[at + 1] !== '"') break;
          if (char === '"') at++;
          if (char === "\n") line++;
          cell += char;
        }
        at++;
      }
      const end = endOfCell(text, at, separator);
      cell += text.slice(at, end);
      at = end;
      const isLast = text[at] !== separator;
      cells.push(isLast ? cell.replace(/\r$/, "") : cell);
      at++;
      if (isLast) break;
    }
    line++;
    if (cells.length > 1 || cells[0]?.trim() !== "") rows.push({ line: start, cells });
  }
  return rows;
}

function endOfCell(text: string, from: number, separator: string): number {
  let at = from;
  while (at < text.length && text[at] !== separator && text[at] !== "\n") at++;
  return at;
}

function separatorOf(text: string): string {
  const head = text.slice(0, Math.max(0, text.indexOf("\n")) || text.length);
  const counts = [",", ";", "\t"].map((char) => [char, head.split(char).length] as const);
  return counts.reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
