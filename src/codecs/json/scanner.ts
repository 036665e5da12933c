import { isUtf8 } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { fail, quoteValue } from "../../model/index.ts";
import { refuseEncoding, refuseUtf16 } from "../utf8.ts";

const chunkBytes = 4 * 2 ** 20;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/**
 * A window over a JSON file that finds where values begin and end without parsing them. Holds one value and a chunk of
 * some MB at a time; a value of more than `maxValueBytes` is an error.
 */
export class JsonScanner {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #maxValueBytes: number;
  #buffer = Buffer.alloc(0);
  #position = 0;
  #bufferStart = 0;
  #ended = false;

  constructor(handle: FileHandle, path: string, maxValueBytes: number) {
    this.#handle = handle;
    this.#path = path;
    this.#maxValueBytes = maxValueBytes;
  }

  /** The byte of the file that is read next. */
  get offset(): number {
    return this.#bufferStart + this.#position;
  }

  /** Skips white space and returns the next byte without taking it; undefined at the end. */
  async peek(): Promise<number | undefined> {
    for (;;) {
      while (this.#position < this.#buffer.length) {
        const byte = this.#buffer[this.#position] ?? 0;
        if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
        this.#position++;
      }
      if (!(await this.#more(this.#position))) return undefined;
    }
  }

  /** As `peek`, where the window already shows it; undefined where `peek` has to be asked. */
  peekNow(): number | undefined {
    const byte = this.#buffer[this.#position];
    return byte !== undefined && byte > 0x20 ? byte : undefined;
  }

  /** Moves over the byte that `peek` returned. */
  take(): void {
    this.#position++;
  }

  /** Skips a byte order mark at the beginning of the file. Errors: "bad-input" for UTF-16. */
  async skipByteOrderMark(): Promise<void> {
    await this.peek();
    refuseUtf16(this.#buffer, quoteValue(this.#path));
    if (this.#buffer[0] === 0xef && this.#buffer[1] === 0xbb && this.#buffer[2] === 0xbf) this.#position = 3;
  }

  /** Takes the value that begins at the next byte and returns its text, or nothing where `wanted` is false. */
  async value(wanted: boolean): Promise<string> {
    const scan = new ValueScan();
    let from = this.#position;
    for (;;) {
      const end = scan.run(this.#buffer, this.#position);
      if (end >= 0) {
        this.#position = end;
        if (!wanted) return "";
        const bytes = this.#buffer.subarray(from, end);
        if (!isUtf8(bytes)) await refuseEncoding(bytes, this.#path, this.#bufferStart + from);
        return bytes.toString("utf8");
      }
      this.#position = this.#buffer.length;
      if (!wanted) from = this.#position;
      else if (this.#position - from > this.#maxValueBytes) {
        fail(
          "bad-input",
          `expected values of at most ${this.#maxValueBytes} bytes in ${quoteValue(this.#path)}, got a longer one at byte ${this.#bufferStart + from}`,
        );
      }
      const kept = this.#position - from;
      if (!(await this.#more(from))) {
        fail(
          "bad-input",
          `expected the rest of a value at byte ${this.offset} of ${quoteValue(this.#path)}, but the file ends; it is cut short`,
        );
      }
      from = 0;
      this.#position = kept;
    }
  }

  /** Drops what lies before `keepFrom` and reads on; false at the end of the file. */
  async #more(keepFrom: number): Promise<boolean> {
    if (this.#ended) return false;
    const kept = this.#buffer.subarray(keepFrom);
    const next = Buffer.allocUnsafe(kept.length + Math.max(chunkBytes, kept.length));
    kept.copy(next);
    const { bytesRead } = await this.#handle.read(
      next,
      kept.length,
      next.length - kept.length,
      this.#bufferStart + this.#buffer.length,
    );
    this.#bufferStart += keepFrom;
    this.#position -= keepFrom;
    this.#buffer = next.subarray(0, kept.length + bytesRead);
    if (bytesRead === 0) this.#ended = true;
    return bytesRead > 0;
  }
}

/** How far the scan of one value has come: depth of braces, and whether inside a string. */
class ValueScan {
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Scans on from `start`; returns where the value ends, or -1 where `bytes` do not tell. */
  run(bytes: Buffer, start: number): number {
    let depth = this.#depth;
    let inString = this.#inString;
    let escaped = this.#escaped;
    for (let i = start; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) {
          inString = false;
          if (depth === 0) return i + 1;
        }
      } else if (byte === quote) inString = true;
      else if (byte === openBrace || byte === openBracket) depth++;
      else if (byte === closeBrace || byte === closeBracket) {
        // A closer at depth 0 belongs to the container around a number.
        if (depth === 0) return i;
        if (--depth === 0) return i + 1;
      } else if (depth === 0 && (byte === comma || byte <= 0x20)) return i;
    }
    this.#depth = depth;
    this.#inString = inString;
    this.#escaped = escaped;
    return -1;
  }
}
