import { fail, quoteValue } from "../../model/index.ts";
import { ByteSink } from "../byte-sink.ts";
import { op } from "./opcodes.ts";
import { PickleTuple, type PickleValue } from "./values.ts";

/** What `encodePickle` takes: every `PickleValue`, read-only arrays, and plain objects (written as dicts). */
export type Picklable =
  | PickleValue
  | readonly Picklable[]
  | ReadonlyMap<PickleValue, Picklable>
  | ReadonlySet<PickleValue>
  | { readonly [key: string]: Picklable };

/** How `encodePickle` writes. */
export interface EncodePickleOptions {
  /** 2 is the newest that Python 2 reads; 5 (default) needs Python 3.8. */
  readonly protocol?: 2 | 3 | 4 | 5;
}

/** As deep as Python's own pickler goes with its default recursion limit, about. */
const maxDepth = 500;
const batch = 1000;

/**
 * Writes a value as a pickle that Python's `pickle.loads` gives back; the same value gives the same bytes.
 *
 * Whole numbers within ±2^53 become int, as do bigints of any size; other numbers (and -0) float. Strings become str
 * (Python 2: unicode), Uint8Array bytes (protocol 2: by the call to `_codecs.encode` that Python 3 writes), arrays
 * lists, PickleTuple tuples, Map and plain objects dicts in their own order, Set sets. The writer keeps no track of
 * shared parts: each is written again. Does not modify `value`.
 *
 * Errors: "usage" for a value that is none of these (undefined, a function, another class), nests deeper than 500,
 * or holds itself.
 */
export function encodePickle(value: Picklable, options: EncodePickleOptions = {}): Uint8Array {
  const protocol = options.protocol ?? 5;
  const writer = new PickleWriter(protocol);
  return writer.write(value);
}

class PickleWriter {
  readonly #protocol: number;
  readonly #sink = new ByteSink();
  readonly #keys = new Map<string, number>();

  constructor(protocol: number) {
    this.#protocol = protocol;
  }

  write(value: unknown): Uint8Array {
    this.#sink.uint8(op.PROTO);
    this.#sink.uint8(this.#protocol);
    this.#value(value, 0);
    this.#sink.uint8(op.STOP);
    return this.#sink.toBytes();
  }

  #value(value: unknown, depth: number): void {
    const sink = this.#sink;
    if (value === null) sink.uint8(op.NONE);
    else if (typeof value === "boolean") sink.uint8(value ? op.NEWTRUE : op.NEWFALSE);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#bigint(value);
    else if (typeof value === "string") this.#text(value);
    else if (value instanceof Uint8Array) this.#bytes(value);
    else if (typeof value === "object") {
      if (depth >= maxDepth) {
        fail(
          "usage",
          `expected a value to pickle with at most ${maxDepth} containers inside each other; does it hold itself?`,
        );
      }
      this.#container(value, depth + 1);
    } else fail("usage", `expected a value to pickle (numbers, strings, bytes, containers), got ${quoteValue(value)}`);
  }

  #container(value: object, depth: number): void {
    if (value instanceof PickleTuple) this.#tuple(value, depth);
    else if (Array.isArray(value)) this.#list(value, depth);
    else if (value instanceof Map) this.#dict(value, depth);
    else if (value instanceof Set) this.#set(value, depth);
    else {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== null && prototype !== Object.prototype) {
        fail(
          "usage",
          `expected a plain object, array, Map or Set to pickle, got a ${value.constructor?.name ?? "class"}`,
        );
      }
      this.#dict(new Map(Object.entries(value)), depth);
    }
  }

  #number(value: number): void {
    const sink = this.#sink;
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      sink.uint8(op.BINFLOAT);
      sink.float64BigEndian(value);
    } else if (value >= 0 && value < 0x100) {
      sink.uint8(op.BININT1);
      sink.uint8(value);
    } else if (value >= 0 && value < 0x10000) {
      sink.uint8(op.BININT2);
      sink.uint16(value);
    } else if (value === (value | 0)) {
      sink.uint8(op.BININT);
      sink.int32(value);
    } else this.#bigint(BigInt(value));
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) {
      this.#number(Number(value));
      return;
    }
    const bytes = twosComplement(value);
    if (bytes.length < 0x100) {
      this.#sink.uint8(op.LONG1);
      this.#sink.uint8(bytes.length);
    } else {
      this.#sink.uint8(op.LONG4);
      this.#sink.int32(bytes.length);
    }
    this.#sink.bytes(bytes);
  }

  #text(text: string): void {
    const sink = this.#sink;
    const bytes = encodeUtf8(text);
    if (this.#protocol >= 4 && bytes.length < 0x100) {
      sink.uint8(op.SHORT_BINUNICODE);
      sink.uint8(bytes.length);
    } else {
      sink.uint8(op.BINUNICODE);
      sink.uint32(bytes.length);
    }
    sink.bytes(bytes);
  }

  /** A dict's key is written once and recalled by its number afterwards: tables repeat their keys in every row. */
  #key(key: unknown, depth: number): void {
    if (typeof key !== "string") {
      this.#value(key, depth);
      return;
    }
    const sink = this.#sink;
    const known = this.#keys.get(key);
    if (known === undefined) {
      const index = this.#keys.size;
      this.#keys.set(key, index);
      this.#text(key);
      sink.uint8(index < 0x100 ? op.BINPUT : op.LONG_BINPUT);
      if (index < 0x100) sink.uint8(index);
      else sink.uint32(index);
    } else {
      sink.uint8(known < 0x100 ? op.BINGET : op.LONG_BINGET);
      if (known < 0x100) sink.uint8(known);
      else sink.uint32(known);
    }
  }

  #bytes(bytes: Uint8Array): void {
    const sink = this.#sink;
    if (this.#protocol < 3) {
      this.#global("_codecs", "encode");
      this.#text(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"));
      this.#text("latin1");
      sink.uint8(op.TUPLE2);
      sink.uint8(op.REDUCE);
      return;
    }
    if (bytes.length < 0x100) {
      sink.uint8(op.SHORT_BINBYTES);
      sink.uint8(bytes.length);
    } else {
      sink.uint8(op.BINBYTES);
      sink.uint32(bytes.length);
    }
    sink.bytes(bytes);
  }

  #tuple(items: readonly unknown[], depth: number): void {
    const sink = this.#sink;
    if (items.length === 0) {
      sink.uint8(op.EMPTY_TUPLE);
      return;
    }
    if (items.length > 3) sink.uint8(op.MARK);
    for (const item of items) this.#value(item, depth);
    sink.uint8([op.TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3][items.length] ?? op.TUPLE);
  }

  #list(items: readonly unknown[], depth: number): void {
    this.#sink.uint8(op.EMPTY_LIST);
    this.#inBatches(items, op.APPENDS, (item) => this.#value(item, depth));
  }

  #dict(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#sink.uint8(op.EMPTY_DICT);
    this.#inBatches([...map], op.SETITEMS, ([key, value]) => {
      this.#key(key, depth);
      this.#value(value, depth);
    });
  }

  #set(set: ReadonlySet<unknown>, depth: number): void {
    if (this.#protocol >= 4) {
      this.#sink.uint8(op.EMPTY_SET);
      this.#inBatches([...set], op.ADDITEMS, (item) => this.#value(item, depth));
      return;
    }
    this.#global(this.#protocol < 3 ? "__builtin__" : "builtins", "set");
    this.#list([...set], depth);
    this.#sink.uint8(op.TUPLE1);
    this.#sink.uint8(op.REDUCE);
  }

  #inBatches<T>(items: readonly T[], close: number, write: (item: T) => void): void {
    for (let start = 0; start < items.length; start += batch) {
      this.#sink.uint8(op.MARK);
      for (const item of items.slice(start, start + batch)) write(item);
      this.#sink.uint8(close);
    }
  }

  #global(module: string, name: string): void {
    this.#sink.uint8(op.GLOBAL);
    this.#sink.bytes(Buffer.from(`${module}\n${name}\n`, "latin1"));
  }
}

/** The shortest little-endian two's complement. */
function twosComplement(value: bigint): Uint8Array {
  const magnitude = value < 0n ? -value - 1n : value;
  const length = Math.floor(magnitude.toString(2).length / 8) + 1;
  const hex = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, "0");
  return Buffer.from(hex, "hex").reverse();
}

/** UTF-8; a lone surrogate is kept in three bytes, as Python's "surrogatepass" does. */
function encodeUtf8(text: string): Uint8Array {
  if (!/\p{Surrogate}/u.test(text)) return Buffer.from(text, "utf8");
  return Buffer.concat(
    [...text].map((char) => {
      const code = char.codePointAt(0) ?? 0;
      const alone = code >= 0xd800 && code <= 0xdfff;
      return alone
        ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
        : Buffer.from(char);
    }),
  );
}
