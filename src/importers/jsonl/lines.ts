import { createReadStream } from "node:fs";
import { parseJson, refuseUtf16, utf8Text } from "../../codecs/index.ts";
import { fail, NemosaicError } from "../../model/index.ts";
import { withReadErrors } from "../places.ts";

/** One line that is not blank, by its number from 1: its value, or why it is no JSON. */
export type JsonLine =
  | { readonly line: number; readonly value: unknown }
  | { readonly line: number; readonly error: NemosaicError };

/** A longer line is no line of this format; what looks like one is some other file. */
const maxLineBytes = 64 * 2 ** 20;
const lineFeed = 10;

/**
 * Streams a file's lines; one that is no JSON does not end the stream. A byte order mark and blank lines are skipped and
 * counted. Holds one line at a time.
 * Errors: "bad-input" for a file without lines, for a line over 64 MB and for what is no UTF-8; "io".
 */
export async function* jsonLines(path: string): AsyncGenerator<JsonLine> {
  let line = 0;
  let start = 0;
  let isEmpty = true;
  for await (const bytes of rawLines(path)) {
    line++;
    if (line === 1) refuseUtf16(bytes, `"${path}"`);
    const from = start;
    start += bytes.length + 1;
    const whole = utf8Text(bytes, (index) => `line ${line}, byte ${from + index} of "${path}"`);
    const text = line === 1 ? whole.replace(/^\uFEFF/, "") : whole;
    if (text.trim() === "") continue;
    isEmpty = false;
    yield parsedLine(text, line);
  }
  if (isEmpty) fail("bad-input", `expected a JSON object on each line of "${path}", found no line`);
}

function parsedLine(text: string, line: number): JsonLine {
  try {
    return { line, value: parseJson(text, "it") };
  } catch (error) {
    if (error instanceof NemosaicError) return { line, error };
    throw error;
  }
}

async function* rawLines(path: string): AsyncGenerator<Buffer> {
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let parts: Buffer[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value: chunk } = await withReadErrors(path, () => chunks.next());
      if (done === true) break;
      let start = 0;
      for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
        yield Buffer.concat([...parts, chunk.subarray(start, end)]);
        parts = [];
        length = 0;
        start = end + 1;
      }
      parts.push(chunk.subarray(start));
      length += chunk.length - start;
      if (length > maxLineBytes)
        fail("bad-input", `expected lines of at most 64 MB in "${path}"; it is no JSON lines file`);
    }
    if (length > 0) yield Buffer.concat(parts);
  } finally {
    stream.destroy();
  }
}
