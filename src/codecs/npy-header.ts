/**
 * NumPy's .npy file: one array, its numbers as they lie in memory behind a text header.
 *
 *   bytes 0-5    "\x93NUMPY"
 *   byte 6, 7    version, major and minor: 1.0, 2.0 or 3.0
 *   bytes 8-9    length of the header text, u16 little-endian (versions 2 and 3: bytes 8-11, u32)
 *   then         the header text, a Python dict: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 *                padded with spaces and ended with "\n", so that the data begins at a multiple of 64
 *   then         the numbers, row-major, little-endian
 *
 * Source: NumPy's numpy/lib/format.py and NEP 1.
 */
import { fail, quoteValue } from "../model/index.ts";

/** The kinds of number that are read and written. float16 is held as its raw 16 bits, bool as 0 and 1. */
export type NpyDtype =
  | "float16"
  | "float32"
  | "float64"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "bool";

/** A typed array that a .npy file's numbers are read into and written from. */
export type NpyArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** What the header of a .npy file says. `dataOffset` is where the numbers begin. */
export interface NpyHeader {
  readonly dtype: NpyDtype;
  readonly shape: number[];
  readonly dataOffset: number;
  /** The numbers lie with the first axis running fastest (`fortran_order`), along more than one axis. */
  readonly isColumnMajor: boolean;
}

/** What is done with column-major numbers: refused, or told in the header for the reader to put in order. */
export type ColumnMajor = "refuse" | "transpose";

const descriptions: Readonly<Record<NpyDtype, string>> = {
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  bool: "|b1",
};

/** Room that NumPy leaves behind the header so that the first axis may grow in place. */
const growthDigits = 21;
/** The most bytes that a header is read of: far beyond any real one. */
export const maxHeaderBytes = 65536;

/** Bytes of one number. */
export function npyItemSize(dtype: NpyDtype): number {
  return Number(descriptions[dtype].slice(2));
}

/** Makes an array of `length` zeros that holds numbers of `dtype`. */
export function npyArray(dtype: NpyDtype, length: number): NpyArray {
  return npyView(dtype, new ArrayBuffer(length * npyItemSize(dtype)));
}

/** Views the whole of `buffer` as numbers of `dtype`. */
export function npyView(dtype: NpyDtype, buffer: ArrayBuffer): NpyArray {
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
    case "int8":
      return new Int8Array(buffer);
    case "uint8":
    case "bool":
      return new Uint8Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint16":
    case "float16":
      return new Uint16Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "uint64":
      return new BigUint64Array(buffer);
  }
}

/** The header that `numpy.save` writes before an array of `dtype` and `shape`: version 1.0, a multiple of 64 bytes. */
export function npyHeader(dtype: NpyDtype, shape: readonly number[]): Uint8Array {
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0)
      fail("usage", `expected a shape of whole numbers, got ${quoteValue(shape)}`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const room = shape.length === 0 ? 0 : growthDigits - String(shape[0]).length;
  const text = dict + " ".repeat(room);
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  if (length > 0xffff) fail("usage", `expected a shape of fewer dimensions, got ${shape.length}`);
  const bytes = Buffer.alloc(10 + length, 0x20);
  bytes.write("\x93NUMPY\x01\x00", "latin1");
  bytes.writeUInt16LE(length, 8);
  bytes.write(text, 10, "latin1");
  bytes[bytes.length - 1] = 0x0a;
  return new Uint8Array(bytes);
}

/**
 * Reads the header at the beginning of `bytes` (the file's first bytes, up to 64 KB) of a file of `fileSize` bytes, and
 * checks that the file is as long as it says.
 *
 * Errors: "bad-input" for what is no .npy file, damaged or cut short; "unsupported" for column-major order (unless it is to be transposed), big-endian
 * numbers, Python objects, structured and other types.
 */
export function readNpyHeader(
  bytes: Uint8Array,
  fileSize: number = bytes.length,
  where = "a .npy file",
  columnMajor: ColumnMajor = "refuse",
): NpyHeader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 10 || buffer.toString("latin1", 0, 6) !== "\x93NUMPY") {
    fail("bad-input", `expected ${where} to begin with "\\x93NUMPY"; it is no .npy file, or cut short`);
  }
  const major = buffer[6];
  if (major !== 1 && major !== 2 && major !== 3) {
    fail("unsupported", `expected .npy version 1, 2 or 3 in ${where}, got ${major}`);
  }
  const start = major === 1 ? 10 : 12;
  if (buffer.length < start) fail("bad-input", `expected a header in ${where}, but the file ends before it`);
  const length = major === 1 ? buffer.readUInt16LE(8) : buffer.readUInt32LE(8);
  if (start + length > Math.min(fileSize, maxHeaderBytes)) {
    fail(
      "bad-input",
      `expected a header inside the ${fileSize} bytes of ${where}, got a length of ${length}; cut short?`,
    );
  }
  const text = buffer.toString("latin1", start, start + length);
  const header = { ...parseDict(text, where, columnMajor), dataOffset: start + length };
  const count = header.shape.reduce((product, size) => product * size, 1);
  const expected = header.dataOffset + count * npyItemSize(header.dtype);
  if (!Number.isSafeInteger(expected) || expected !== fileSize) {
    const size = `${header.shape.join(" x ") || "one"} ${header.dtype}`;
    fail(
      "bad-input",
      `expected ${expected} bytes in ${where} for ${size}, got ${fileSize}; the file is cut short or damaged`,
    );
  }
  return header;
}

function parseDict(text: string, where: string, columnMajor: ColumnMajor): Omit<NpyHeader, "dataOffset"> {
  const order = /['"]fortran_order['"]\s*:\s*(True|False)\b/.exec(text)?.[1];
  const shape = /['"]shape['"]\s*:\s*\(([\dL,\s]*)\)/.exec(text)?.[1];
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|(\[))/.exec(text);
  if (order === undefined || shape === undefined || descr === null) {
    fail(
      "bad-input",
      `expected descr, fortran_order and shape in the header of ${where}, got ${quoteValue(text.trim())}`,
    );
  }
  const dtype = parseDescription(descr[1], where);
  const sizes = shape.split(",").map((size) => size.trim().replace(/L$/, ""));
  if (sizes.at(-1) === "") sizes.pop();
  if (sizes.length > 32 || !sizes.every((size) => /^\d{1,15}$/.test(size))) {
    fail("bad-input", `expected a shape of whole numbers in ${where}, got ${quoteValue(`(${shape})`)}`);
  }
  const isColumnMajor = order === "True" && sizes.length > 1;
  if (isColumnMajor && columnMajor === "refuse") {
    fail(
      "unsupported",
      `expected row-major order in ${where}, got fortran_order: save it with numpy.ascontiguousarray`,
    );
  }
  return { dtype, shape: sizes.map(Number), isColumnMajor };
}

function parseDescription(descr: string | undefined, where: string): NpyDtype {
  if (descr === undefined)
    fail("unsupported", `expected plain numbers in ${where}, got a structured dtype: save one field`);
  if (descr.includes("O")) {
    fail("unsupported", `expected plain numbers in ${where}, got Python objects (a pickle, which could run code)`);
  }
  if (descr.startsWith(">")) {
    fail(
      "unsupported",
      `expected little-endian numbers in ${where}, got ${quoteValue(descr)}: save it with array.astype("<…")`,
    );
  }
  const plain = descr.replace(/^[=|<]/, "");
  const found = Object.entries(descriptions).find(([, known]) => known.slice(1) === plain)?.[0];
  if (found === undefined) {
    fail(
      "unsupported",
      `expected one of ${Object.keys(descriptions).join(", ")} in ${where}, got dtype ${quoteValue(descr)}`,
    );
  }
  return found as NpyDtype;
}
