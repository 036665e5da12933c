import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { fail, quoteValue } from "../model/index.ts";

/**
 * Text of UTF-8 bytes. `place` names where a byte of `bytes` stands, "line 3, byte 41 of "a.json"" say.
 * Errors: "bad-input" with that place for anything else (GBK, Windows-1252, UTF-16): nothing is replaced or guessed.
 */
export function utf8Text(bytes: Buffer, place: (index: number) => string): string {
  if (!isUtf8(bytes)) refuse(place(invalidAt(bytes)));
  return bytes.toString("utf8");
}

/**
 * A whole file's text, without its byte order mark; `where` names the file as it is to be read. Errors: "bad-input" with
 * line and byte for what is no UTF-8, and for UTF-16 by name.
 */
export function wholeUtf8Text(bytes: Buffer, where: string): string {
  refuseUtf16(bytes, where);
  const lineAt = (index: number): number =>
    bytes.subarray(0, index).reduce((n, byte) => n + (byte === 0x0a ? 1 : 0), 1);
  return utf8Text(bytes, (index) => `line ${lineAt(index)}, byte ${index} of ${where}`).replace(/^\uFEFF/, "");
}

/**
 * The error for bytes that are no UTF-8 and begin at `offset` of the file at `path`, which is read again for the line.
 * Errors: "bad-input", always.
 */
export async function refuseEncoding(bytes: Buffer, path: string, offset: number): Promise<never> {
  const byte = offset + invalidAt(bytes);
  return refuse(`line ${await lineOfByte(path, byte)}, byte ${byte} of ${quoteValue(path)}`);
}

/**
 * Refuses a file that begins as UTF-16 does: with its byte order mark, or with a zero beside an ASCII character.
 * Errors: "bad-input".
 */
export function refuseUtf16(head: Uint8Array, where: string): void {
  const [a = -1, b = -1] = head;
  const isMarked = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
  const isBare = (a === 0 && b > 0) || (b === 0 && a > 0);
  if (isMarked || isBare) {
    fail("bad-input", `expected UTF-8 text in line 1, byte 0 of ${where}, got UTF-16; save the file as UTF-8`);
  }
}

function refuse(place: string): never {
  return fail(
    "bad-input",
    `expected UTF-8 text in ${place}, got another encoding (GBK or Windows-1252, say); save the file as UTF-8`,
  );
}

/** The first byte that is no UTF-8. Slow beside `isUtf8`. */
function invalidAt(bytes: Buffer): number {
  let [from, to] = [0, bytes.length];
  // The longest sound beginning, by halves; a character that the cut splits is no fault.
  while (from < to) {
    const middle = (from + to + 1) >> 1;
    if (isUtf8(bytes.subarray(0, characterEnd(bytes, middle)))) from = middle;
    else to = middle - 1;
  }
  // Stray continuation bytes were taken for the end of a character: on over the sound ones before them.
  let at = characterEnd(bytes, from);
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (!isUtf8(bytes.subarray(at, at + length))) continue;
    at += length;
    length = 0;
  }
  return Math.min(at, bytes.length - 1);
}

/** `end` moved back over a character that it would split. */
function characterEnd(bytes: Buffer, end: number): number {
  if (end >= bytes.length) return end;
  for (let back = 0; back < 4 && end - back > 0; back++) {
    const byte = bytes[end - back] ?? 0;
    if ((byte & 0xc0) !== 0x80) return end - back;
  }
  return end;
}

async function lineOfByte(path: string, byte: number): Promise<number> {
  const handle = await open(path, "r");
  try {
    const chunk = Buffer.alloc(1 << 20);
    let line = 1;
    for (let at = 0; at < byte; ) {
      const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.length, byte - at), at);
      if (bytesRead === 0) break;
      for (let i = chunk.indexOf(0x0a); i >= 0 && i < bytesRead; i = chunk.indexOf(0x0a, i + 1)) line++;
      at += bytesRead;
    }
    return line;
  } finally {
    await handle.close();
  }
}
