import { fail, quoteValue } from "../../model/index.ts";
import { utf8 } from "./text.ts";

/** Longest integer that is read, in bytes or half its digits: reading one takes time quadratic in its length. */
const maxLongBytes = 2048;

/** A position in a pickle: reads the arguments of opcodes, each checked against the bytes that are left. */
export class PickleCursor {
  readonly buffer: Buffer;
  position = 0;
  /** Where the opcode now being obeyed stands. */
  start = 0;
  readonly #numbers: DataView;
  readonly #where: string;

  constructor(bytes: Uint8Array, where: string) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
  }

  /** "at byte N of <file>", for error lines. */
  at(position: number): string {
    return `at byte ${position} of ${this.#where}`;
  }

  /** Throws: the opcode now being obeyed finds something that it cannot work on. */
  damaged(reason: string): never {
    fail("bad-input", `${reason} ${this.at(this.start)}; the pickle is damaged`);
  }

  opcode(): number {
    this.start = this.position;
    const code = this.buffer[this.position];
    if (code === undefined) {
      const what = this.position === 0 ? "the file is empty" : "the file ends before its STOP opcode";
      fail("bad-input", `expected a pickle in ${this.#where}, but ${what}; it may be cut short`);
    }
    this.position++;
    return code;
  }

  /** Moves over `length` bytes and returns where they begin. */
  take(length: number): number {
    const start = this.position;
    const left = this.buffer.length - start;
    if (length > left) {
      fail(
        "bad-input",
        `expected ${length} bytes ${this.at(start)}, but only ${left} are left; the file may be cut short`,
      );
    }
    this.position = start + length;
    return start;
  }

  uint8(): number {
    return this.#numbers.getUint8(this.take(1));
  }

  uint16(): number {
    return this.#numbers.getUint16(this.take(2), true);
  }

  int32(): number {
    return this.#numbers.getInt32(this.take(4), true);
  }

  uint32(): number {
    return this.#numbers.getUint32(this.take(4), true);
  }

  /** Exact to 2^53; anything above is longer than any file and stays so when rounded. */
  uint64(): number {
    return Number(this.#numbers.getBigUint64(this.take(8), true));
  }

  float64(): number {
    return this.#numbers.getFloat64(this.take(8), false);
  }

  /** A length that its format stores with a sign. */
  signedLength(): number {
    const length = this.int32();
    if (length < 0)
      fail("bad-input", `expected a length ${this.at(this.position - 4)}, got ${length}; the pickle is damaged`);
    return length;
  }

  /** The next bytes, not copied. */
  view(length: number): Buffer {
    const start = this.take(length);
    return this.buffer.subarray(start, start + length);
  }

  bytes(length: number): Uint8Array {
    const start = this.take(length);
    return new Uint8Array(this.buffer.subarray(start, start + length));
  }

  text(length: number): string {
    const start = this.take(length);
    const text = utf8(this.buffer, start, start + length);
    if (text === undefined) fail("bad-input", `expected UTF-8 text ${this.at(start)}; the pickle is damaged`);
    return text;
  }

  /** The argument of PROTO. */
  protocol(): void {
    const version = this.uint8();
    if (version > 5) fail("unsupported", `expected pickle protocol 0 to 5 in ${this.#where}, got ${version}`);
  }

  /** A frame only promises that so many bytes follow. */
  frame(length: number): void {
    const start = this.position;
    this.take(length);
    this.position = start;
  }

  /** Latin-1 text up to the next newline, which it consumes. */
  line(): string {
    const start = this.position;
    const end = this.buffer.indexOf(0x0a, start);
    if (end < 0) fail("bad-input", `expected a line that ends ${this.at(start)}; the file may be cut short`);
    this.position = end + 1;
    return this.buffer.toString("latin1", start, end);
  }

  /** The line of INT (where "00" and "01" are booleans) or LONG. */
  decimal(booleans: boolean): number | bigint | boolean {
    const start = this.position;
    const line = this.line().trim();
    if (booleans && (line === "00" || line === "01")) return line === "01";
    const digits = line.endsWith("L") ? line.slice(0, -1) : line;
    if (digits.length > 2 * maxLongBytes) this.#tooLong(digits.length, start);
    if (!/^[-+]?\d+$/.test(digits))
      fail("bad-input", `expected a whole number ${this.at(start)}, got ${quoteValue(line)}`);
    return narrow(BigInt(digits.startsWith("+") ? digits.slice(1) : digits));
  }

  floatLine(): number {
    const start = this.position;
    const line = this.line().trim().toLowerCase();
    const infinite = /^([-+]?)(inf|infinity|nan)$/.exec(line);
    if (infinite !== null) {
      if (infinite[2] === "nan") return Number.NaN;
      return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    }
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/.test(line)) {
      fail("bad-input", `expected a number ${this.at(start)}, got ${quoteValue(line)}`);
    }
    return Number(line);
  }

  /** The line of PUT or GET. */
  indexLine(): number {
    const start = this.position;
    const line = this.line().trim();
    if (!/^\d{1,15}$/.test(line)) fail("bad-input", `expected a memo index ${this.at(start)}, got ${quoteValue(line)}`);
    return Number(line);
  }

  twosComplement(length: number): number | bigint {
    const start = this.take(length);
    if (length > maxLongBytes) this.#tooLong(length, start);
    if (length === 0) return 0;
    if (length <= 6) return this.buffer.readIntLE(start, length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.buffer[start + i] ?? 0);
    return narrow(BigInt.asIntN(length * 8, value));
  }

  #tooLong(length: number, at: number): never {
    fail(
      "unsupported",
      `expected a whole number of at most ${maxLongBytes} bytes ${this.at(at)}, got a length of ${length}`,
    );
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
