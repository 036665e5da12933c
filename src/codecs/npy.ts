import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { halfToFloat } from "../kernels/index.ts";
import { fail, quoteValue } from "../model/index.ts";
import { openForReading, readFully } from "./file.ts";
import {
  type ColumnMajor,
  maxHeaderBytes,
  type NpyArray,
  type NpyDtype,
  npyArray,
  npyHeader,
  npyItemSize,
  npyView,
  readNpyHeader,
} from "./npy-header.ts";

/** An array in memory with its shape, row-major. */
export interface Npy {
  readonly dtype: NpyDtype;
  readonly shape: number[];
  /** float16 as raw bits in a Uint16Array. */
  readonly data: NpyArray;
}

/**
 * A .npy file read by position: rows (the first axis) are fetched as asked for, never the whole matrix. Holds a file
 * descriptor until `close`. Reads do not disturb each other.
 */
export class NpyReader {
  readonly path: string;
  /** All axes; rows are `shape[0]`. */
  readonly shape: number[];
  readonly dtype: NpyDtype;
  /** Numbers in one row: the product of the axes behind the first. */
  readonly rowLength: number;
  readonly #handle: FileHandle;
  readonly #dataOffset: number;

  private constructor(path: string, handle: FileHandle, shape: number[], dtype: NpyDtype, dataOffset: number) {
    this.path = path;
    this.#handle = handle;
    this.shape = shape;
    this.dtype = dtype;
    this.#dataOffset = dataOffset;
    this.rowLength = shape.slice(1).reduce((product, size) => product * size, 1);
  }

  /** Opens `path` and checks its header against its size. Errors: "not-found", and those of `readNpyHeader`. */
  static async open(path: string): Promise<NpyReader> {
    const handle = await openForReading(path, ".npy file");
    try {
      const { size } = await handle.stat();
      const head = new Uint8Array(Math.min(size, maxHeaderBytes));
      await readFully(handle, head, 0, path);
      const { dtype, shape, dataOffset } = readNpyHeader(head, size, quoteValue(path));
      return new NpyReader(path, handle, shape, dtype, dataOffset);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * `count` rows from `start` on, end to end, into `into` (of the array type of `dtype`, `count * rowLength` numbers or
   * more) or a new array. Errors: "usage" for rows that are not there; "bad-input" where the file has shrunk.
   */
  async rows(start: number, count: number, into?: NpyArray): Promise<NpyArray> {
    const target = this.#target(start, count, into);
    await readFully(this.#handle, bytesOf(target), this.#position(start), this.path);
    return target;
  }

  /** As `rows`, without leaving the thread. */
  rowsSync(start: number, count: number, into?: NpyArray): NpyArray {
    const target = this.#target(start, count, into);
    const bytes = bytesOf(target);
    const position = this.#position(start);
    for (let done = 0; done < bytes.length; ) {
      const read = readSync(this.#handle.fd, bytes, done, Math.min(bytes.length - done, 2 ** 30), position + done);
      if (read === 0)
        fail(
          "bad-input",
          `expected ${bytes.length} bytes at byte ${position} of ${quoteValue(this.path)}; it has shrunk`,
        );
      done += read;
    }
    return target;
  }

  /** As `rows`, converted to float32 whatever the file holds (64-bit numbers are rounded). */
  async rowsAsFloat32(start: number, count: number, into?: Float32Array): Promise<Float32Array> {
    if (this.dtype === "float32") return (await this.rows(start, count, into)) as Float32Array;
    this.#checkRoom(count, into);
    return toFloat32(await this.rows(start, count), this.dtype, into);
  }

  /** As `rowsAsFloat32`, without leaving the thread. */
  rowsAsFloat32Sync(start: number, count: number, into?: Float32Array): Float32Array {
    if (this.dtype === "float32") return this.rowsSync(start, count, into) as Float32Array;
    this.#checkRoom(count, into);
    return toFloat32(this.rowsSync(start, count), this.dtype, into);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #position(row: number): number {
    return this.#dataOffset + row * this.rowLength * npyItemSize(this.dtype);
  }

  #target(start: number, count: number, into: NpyArray | undefined): NpyArray {
    const rows = this.shape[0] ?? 1;
    if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0 || count < 0 || start + count > rows) {
      fail("usage", `expected rows among the ${rows} of ${quoteValue(this.path)}, got ${start} to ${start + count}`);
    }
    const length = count * this.rowLength;
    if (into === undefined) return npyArray(this.dtype, length);
    this.#checkRoom(count, into);
    if (into.constructor !== npyArray(this.dtype, 0).constructor) {
      fail("usage", `expected an array for ${this.dtype}, got ${into.constructor.name}`);
    }
    return into.subarray(0, length);
  }

  #checkRoom(count: number, into: NpyArray | undefined): void {
    const length = count * this.rowLength;
    if (into !== undefined && into.length < length)
      fail("usage", `expected room for ${length} numbers, got ${into.length}`);
  }
}

/**
 * A whole .npy file of `array` with `shape`, byte for byte what `numpy.save` writes. `dtype` is that of the array's
 * type unless given: "float16" for a Uint16Array of raw halves, "bool" for a Uint8Array of 0 and 1.
 *
 * Errors: "usage" where shape and array disagree.
 */
export function encodeNpy(array: NpyArray, shape: readonly number[], dtype: NpyDtype = dtypeOf(array)): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== array.length)
    fail("usage", `expected ${count} numbers for the shape ${quoteValue(shape)}, got ${array.length}`);
  if (npyArray(dtype, 0).constructor !== array.constructor) {
    fail("usage", `expected an array for ${dtype}, got ${array.constructor.name}`);
  }
  const header = npyHeader(dtype, shape);
  const bytes = new Uint8Array(header.length + array.byteLength);
  bytes.set(header);
  bytes.set(bytesOf(array), header.length);
  return bytes;
}

/**
 * Reads a whole .npy file that is in memory, copying its numbers. Column-major numbers are refused, or with
 * `columnMajor: "transpose"` put into row-major order. Errors as `readNpyHeader`.
 */
export function decodeNpy(
  bytes: Uint8Array,
  where = "a .npy file",
  options: { readonly columnMajor?: ColumnMajor } = {},
): Npy {
  const { dtype, shape, dataOffset, isColumnMajor } = readNpyHeader(bytes, bytes.length, where, options.columnMajor);
  const copy = new Uint8Array(bytes.length - dataOffset);
  copy.set(bytes.subarray(dataOffset));
  const data = npyView(dtype, copy.buffer);
  return { dtype, shape, data: isColumnMajor ? rowMajor(data, shape, dtype) : data };
}

/** A copy in row-major order of numbers that lie with the first axis running fastest. */
function rowMajor(data: NpyArray, shape: readonly number[], dtype: NpyDtype): NpyArray {
  const ordered = npyArray(dtype, data.length);
  const steps = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  const position = shape.map(() => 0);
  for (let to = 0, from = 0; to < ordered.length; to++) {
    ordered[to] = data[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis] = (position[axis] ?? 0) + 1;
      from += steps[axis] ?? 0;
      if ((position[axis] ?? 0) < (shape[axis] ?? 0)) break;
      from -= (shape[axis] ?? 0) * (steps[axis] ?? 0);
      position[axis] = 0;
    }
  }
  return ordered;
}

function toFloat32(values: NpyArray, dtype: NpyDtype, into?: Float32Array): Float32Array {
  const target = into?.subarray(0, values.length) ?? new Float32Array(values.length);
  if (dtype === "float16" && values instanceof Uint16Array) return halfToFloat(values, target);
  for (let i = 0; i < values.length; i++) target[i] = Number(values[i]);
  return target;
}

function dtypeOf(array: NpyArray): NpyDtype {
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Int8Array) return "int8";
  if (array instanceof Int16Array) return "int16";
  if (array instanceof Uint16Array) return "uint16";
  if (array instanceof Int32Array) return "int32";
  if (array instanceof Uint32Array) return "uint32";
  if (array instanceof BigInt64Array) return "int64";
  return array instanceof BigUint64Array ? "uint64" : "uint8";
}

function bytesOf(array: NpyArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
