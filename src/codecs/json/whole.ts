import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { fail, quoteValue } from "../../model/index.ts";
import { openForReading } from "../file.ts";
import { refuseEncoding, refuseUtf16 } from "../utf8.ts";
import { failJson } from "./syntax-error.ts";

/** V8's longest string is 2^29 - 24 units; a file of so many bytes may need as many. */
const maxBytes = 2 ** 29 - 24;

/**
 * Reads a JSON file whole; a byte order mark is skipped.
 *
 * Errors: "not-found"; "bad-input" with line and column, for what is no UTF-8 with line and byte; "unsupported" beyond
 * 512 MB, which no JavaScript string can hold (`readJsonArrays` and `readJsonList` read such files element by element).
 */
export async function readJson(path: string): Promise<unknown> {
  const handle = await openForReading(path, "JSON file");
  try {
    const { size } = await handle.stat();
    if (size > maxBytes)
      fail("unsupported", `expected a JSON file of at most ${maxBytes} bytes, ${quoteValue(path)} has ${size}`);
    const bytes = await readFile(handle);
    refuseUtf16(bytes, quoteValue(path));
    if (!isUtf8(bytes)) await refuseEncoding(bytes, path, 0);
    return parseJson(bytes.toString("utf8"), quoteValue(path));
  } finally {
    await handle.close();
  }
}

/** Parses a JSON text; the error names `where`, line and column. A byte order mark is skipped. */
export function parseJson(text: string, where: string): unknown {
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    return JSON.parse(body);
  } catch (error) {
    failJson(body, (index) => `in ${where}, ${lineAndColumn(body, index)}`, error);
  }
}

function lineAndColumn(text: string, index: number): string {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < index; at = text.indexOf("\n", at + 1)) {
    line++;
    start = at + 1;
  }
  return `line ${line}, column ${index - start + 1}`;
}
