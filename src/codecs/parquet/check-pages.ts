import type { ColumnMetaData, Compressors, SchemaTree } from "hyparquet";
import { fail } from "../../model/index.ts";
import { checkPageSize } from "./decompress.ts";
import { checkDelta, checkHybrid, deltaValues, hybridValues } from "./hybrid-runs.ts";
import { readThrift, type ThriftStruct } from "./thrift.ts";

/*
 * A column chunk is a row of pages, each a header and its data:
 *
 *   header   thrift: 1 type (0 data, 2 dictionary, 3 data v2), 2 size, 3 size as stored, then one of
 *            5 data {1 values, 2 encoding}, 7 dictionary {1 values},
 *            8 data v2 {1 values, 2 nulls, 3 rows, 4 encoding, 5 and 6 bytes of definition and repetition levels, 7 is compressed}
 *   data     repetition levels, definition levels (v1: each a u32 length and hybrid runs; absent where the schema has
 *            none), then values; v1 is compressed whole, v2 but for its levels
 *
 * The library that decodes pages believes their numbers: a changed byte can make it loop for hours or ask for gigabytes.
 * So the numbers that its loops and allocations rest on are checked first. The values themselves are not looked at.
 *
 * Source: apache/parquet-format, README.md and parquet.thrift.
 */

/** What is known of a column chunk before its bytes are. */
export interface ChunkFacts {
  readonly meta: ColumnMetaData;
  /** From the schema's root to the column. */
  readonly path: readonly SchemaTree[];
  /** Values that the chunk may hold. */
  readonly values: number;
}

/** Below this, a count needs no bytes to back it: a run of equal values takes six, whatever its length. */
const unsuspectedValues = 2 ** 24;

const encodings = { plain: 0, plainDictionary: 2, rle: 3, delta: 5, deltaLength: 6, deltaBytes: 7, dictionary: 8 };

/** Refuses a count of values that a page or chunk of `bytes` bytes does not make credible. Errors: "refused". */
export function checkCount(count: number, bytes: number, what: string): void {
  if (!Number.isSafeInteger(count) || count < 0)
    fail("bad-input", `expected a number of values in ${what}, got ${count}`);
  if (count > unsuspectedValues && count > 64 * bytes)
    fail("refused", `expected a credible number of values in ${what} of ${bytes} bytes, got ${count}`);
}

/**
 * Checks the pages of a column chunk, so that decoding them ends and takes memory in proportion to what they hold.
 * Errors: "bad-input" for damage; "refused" for sizes made to fill memory.
 */
export function checkPages(bytes: Uint8Array, facts: ChunkFacts, compressors: Compressors): void {
  const cursor = { bytes, at: 0 };
  let seen = 0;
  while (cursor.at < bytes.length - 1 && seen < facts.values) {
    const header = readThrift(cursor);
    const [type, size, stored] = [requireWhole(header, 1), requireWhole(header, 2), requireWhole(header, 3)];
    if (stored > bytes.length - cursor.at)
      fail(
        "bad-input",
        `expected Parquet pages inside their column, got one of ${stored} bytes where ${bytes.length - cursor.at} are left`,
      );
    checkPageSize(stored, size);
    const data = bytes.subarray(cursor.at, cursor.at + stored);
    cursor.at += stored;
    if (type === 0) seen += checkDataPage(data, size, part(header, 5), facts, compressors);
    else if (type === 3) seen += checkDataPageV2(data, size, part(header, 8), facts, compressors);
    else if (type === 2) checkCount(requireWhole(part(header, 7), 1), size, "a dictionary");
    if (seen > facts.values) fail("bad-input", `expected ${facts.values} values in a column, got pages of ${seen}`);
  }
}

function checkDataPage(
  stored: Uint8Array,
  size: number,
  header: ThriftStruct,
  { meta, path }: ChunkFacts,
  compressors: Compressors,
): number {
  const count = requireWhole(header, 1);
  checkCount(count, size, "a page");
  const data = unpackPage(stored, size, meta, compressors);
  const { repetition, definition } = maxLevels(path);
  let at = 0;
  let nulls = 0;
  for (const level of path.length > 1 ? [repetition, definition] : [definition]) {
    if (level === 0) continue;
    const end = at + 4 + lengthAt(data, at);
    checkHybrid(data, at + 4, widthOf(level), count);
    if (level === definition && requireWhole(header, 2) >= encodings.delta)
      nulls = nullsIn(hybridValues(data, at + 4, widthOf(level), count), level);
    at = end;
  }
  const encoding = requireWhole(header, 2);
  checkValues(data, at, encoding, count - nulls, meta.type === "BOOLEAN");
  return count;
}

function checkDataPageV2(
  stored: Uint8Array,
  size: number,
  header: ThriftStruct,
  { meta, path }: ChunkFacts,
  compressors: Compressors,
): number {
  const [count, nulls, definitionBytes, repetitionBytes] = [
    requireWhole(header, 1),
    requireWhole(header, 2),
    requireWhole(header, 5),
    requireWhole(header, 6),
  ];
  checkCount(count, size, "a page");
  const levels = definitionBytes + repetitionBytes;
  if (levels > stored.length || levels > size || nulls > count)
    fail(
      "bad-input",
      `expected levels inside their Parquet page of ${stored.length} bytes, got ${levels} bytes, ${nulls} of ${count} values null`,
    );
  const { repetition, definition } = maxLevels(path);
  if (repetition > 0) checkHybrid(stored, 0, widthOf(repetition), count);
  if (definition > 0) checkHybrid(stored, repetitionBytes, widthOf(definition), count);
  const isCompressed = header.get(7) !== false;
  const rest = stored.subarray(levels);
  const data = isCompressed ? unpackPage(rest, size - levels, meta, compressors) : rest;
  const encoding = requireWhole(header, 4);
  checkValues(data, 0, encoding, count - nulls, encoding === encodings.rle);
  return count;
}

/** At most `count` values; `hasLength` = their runs are of single bits, behind a u32 length. */
function checkValues(data: Uint8Array, at: number, encoding: number, count: number, hasLength: boolean): void {
  if (count === 0) return;
  switch (encoding) {
    case encodings.plainDictionary:
    case encodings.dictionary:
    case encodings.rle: {
      if (hasLength) {
        lengthAt(data, at);
        checkHybrid(data, at + 4, 1, count, true);
        return;
      }
      const width = data[at] ?? fail("bad-input", "expected a Parquet page with values, got one that ends before them");
      if (width > 0 || at + 1 < data.length) checkHybrid(data, at + 1, width, count, true);
      return;
    }
    case encodings.delta:
    case encodings.deltaLength:
      checkDelta(data, at);
      return;
    case encodings.deltaBytes:
      checkDeltaBytes(data, at, count);
      return;
    default:
    // Plain values and byte streams are read by position: behind the end is an error, not a loop.
  }
}

/** Values that share their beginning with the one before: what they add up to has to be credible. */
function checkDeltaBytes(data: Uint8Array, at: number, count: number): void {
  const shared = deltaValues(data, at, count);
  const own = deltaValues(data, shared.end, count);
  let before = 0;
  let total = 0;
  for (let i = 0; i < count; i++) {
    const [prefix, suffix] = [shared.values[i]!, own.values[i]!];
    if (prefix < 0 || suffix < 0 || prefix > before || suffix > data.length)
      fail(
        "bad-input",
        `expected sound Parquet pages, got a value of ${prefix} + ${suffix} bytes after one of ${before}`,
      );
    before = prefix + suffix;
    total += before;
  }
  checkPageSize(data.length, total);
}

function unpackPage(stored: Uint8Array, size: number, meta: ColumnMetaData, compressors: Compressors): Uint8Array {
  if (meta.codec === "UNCOMPRESSED") return stored;
  const decompress = compressors[meta.codec];
  if (decompress === undefined) fail("unsupported", `expected a Parquet compression that is known, got ${meta.codec}`);
  return decompress(stored, size);
}

function maxLevels(path: readonly SchemaTree[]): { repetition: number; definition: number } {
  let [repetition, definition] = [0, 0];
  for (const [depth, { element }] of path.entries()) {
    if (element.repetition_type === "REPEATED") repetition++;
    if (depth > 0 && element.repetition_type !== "REQUIRED") definition++;
  }
  return { repetition, definition };
}

function widthOf(maxLevel: number): number {
  return 32 - Math.clz32(maxLevel);
}

function nullsIn(levels: Int32Array, definition: number): number {
  let nulls = 0;
  for (const level of levels) if (level !== definition) nulls++;
  return nulls;
}

function lengthAt(data: Uint8Array, at: number): number {
  if (at + 4 > data.length) fail("bad-input", "expected levels in a Parquet page, got one that ends before them");
  const length = new DataView(data.buffer, data.byteOffset).getUint32(at, true);
  if (length > data.length - at - 4)
    fail(
      "bad-input",
      `expected levels inside their Parquet page, got ${length} bytes where ${data.length - at - 4} are left`,
    );
  return length;
}

function requireWhole(struct: ThriftStruct, field: number): number {
  const value = struct.get(field);
  if (typeof value !== "number" || value < 0)
    fail("bad-input", `expected field ${field} of a Parquet page's header to be 0 or more, got ${String(value)}`);
  return value;
}

function part(struct: ThriftStruct, field: number): ThriftStruct {
  const value = struct.get(field);
  if (typeof value !== "object") fail("bad-input", `expected field ${field} in a Parquet page's header, found none`);
  return value;
}
