import { fail, quoteValue } from "../../model/index.ts";
import { openForReading } from "../file.ts";
import { refuseUtf16, utf8Text } from "../utf8.ts";
import { failJson } from "./syntax-error.ts";

/** One value of a JSON Lines file with the number of its line, from 1. */
export interface JsonLine {
  readonly value: unknown;
  readonly line: number;
}

const chunkBytes = 2 ** 20;
const newline = 0x0a;

/**
 * Reads a JSON Lines file line by line in memory of a line's size. Lines end with LF or CRLF, the last one with or
 * without; a byte order mark and blank lines are skipped (and counted).
 *
 * Errors: "not-found"; "bad-input" with line and column for what is no JSON, and for a line of more than
 * `maxLineBytes` (default 64 MB), which is refused before it is read whole.
 */
export async function* readJsonLines(
  path: string,
  options: { readonly maxLineBytes?: number } = {},
): AsyncGenerator<JsonLine> {
  const maxLineBytes = options.maxLineBytes ?? 64 * 2 ** 20;
  const handle = await openForReading(path, "JSON Lines file");
  try {
    let line = 0;
    let lineStart = 0;
    let pending: Buffer[] = [];
    let pendingBytes = 0;
    const tooLong = (): never =>
      fail(
        "bad-input",
        `expected lines of at most ${maxLineBytes} bytes in ${quoteValue(path)}, line ${line + 1} is longer`,
      );
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      let start = 0;
      for (let end = chunk.indexOf(newline); end >= 0 && end < bytesRead; end = chunk.indexOf(newline, start)) {
        pending.push(chunk.subarray(start, end));
        if (pendingBytes + end - start > maxLineBytes) tooLong();
        start = end + 1;
        const parsed = parseLine(pending, ++line, lineStart, path);
        lineStart += pending.reduce((sum, part) => sum + part.length, 1);
        pending = [];
        pendingBytes = 0;
        if (parsed !== undefined) yield parsed;
      }
      pending.push(chunk.subarray(start, bytesRead));
      pendingBytes += bytesRead - start;
      if (pendingBytes > maxLineBytes) tooLong();
    }
    const last = parseLine(pending, ++line, lineStart, path);
    if (last !== undefined) yield last;
  } finally {
    await handle.close();
  }
}

function parseLine(parts: readonly Buffer[], line: number, start: number, path: string): JsonLine | undefined {
  const [only] = parts;
  const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  if (line === 1) refuseUtf16(bytes, quoteValue(path));
  const whole = utf8Text(bytes, (index) => `line ${line}, byte ${start + index} of ${quoteValue(path)}`);
  const text = line === 1 && whole.startsWith("\ufeff") ? whole.slice(1) : whole;
  if (text.trim() === "") return undefined;
  try {
    return { value: JSON.parse(text), line };
  } catch (error) {
    failJson(text, (index) => `in line ${line} of ${quoteValue(path)}, column ${index + 1}`, error);
  }
}
