import { fail } from "../../model/index.ts";
import { readVarint, readZigzag } from "./thrift.ts";

/*
 * Parquet's two encodings of small integers, walked without decoding them where that is enough.
 *
 *   hybrid   runs: a varint h; h even: one value (ceil(width / 8) bytes) that repeats h / 2 times;
 *            h odd: (h - 1) / 2 groups of 8 values of `width` bits each, packed
 *   delta    varints: values of a block, miniblocks of a block, count, zigzag first value; then blocks: zigzag smallest
 *            delta, a width in bits for each miniblock, the miniblocks' packed deltas
 *
 * Source: apache/parquet-format, Encodings.md.
 */

/** Writers pad a last run to whole groups; one that is longer than its values by more is damage. */
const slack = 512;

/**
 * Checks the runs that a reader of `count` values from byte `at` will meet: none is longer than what is left, so that
 * its loops end. With `open`, fewer values may be there (as many as are not null).
 * Errors: "bad-input".
 */
export function checkHybrid(bytes: Uint8Array, at: number, width: number, count: number, open = false): void {
  if (width > 32) failDamaged(`a value of ${width} bits`);
  const cursor = { bytes, at };
  for (let seen = 0; seen < count; ) {
    if (open && cursor.at >= bytes.length) return;
    const head = readVarint(cursor);
    const isPacked = head % 2 === 1;
    const run = isPacked ? ((head - 1) / 2) * 8 : head / 2;
    if (run > count - seen + slack) failDamaged(`a run of ${run} values where ${count - seen} are left`);
    cursor.at += isPacked ? (run / 8) * width : Math.ceil(width / 8);
    if (cursor.at > bytes.length + slack) failDamaged("a run that ends behind its page");
    seen += run;
  }
}

/** Decodes `count` hybrid values of `width` bits, at most 32. Errors: "bad-input". */
export function hybridValues(bytes: Uint8Array, at: number, width: number, count: number): Int32Array {
  const values = new Int32Array(count);
  const cursor = { bytes, at };
  for (let seen = 0; seen < count; ) {
    const head = readVarint(cursor);
    if (head % 2 === 0) {
      const run = Math.min(head / 2, count - seen);
      const value = packedBits(bytes, cursor.at * 8, Math.ceil(width / 8) * 8);
      cursor.at += Math.ceil(width / 8);
      values.fill(value, seen, seen + run);
      seen += run;
      continue;
    }
    const run = ((head - 1) / 2) * 8;
    for (let i = 0; i < run && seen + i < count; i++)
      values[seen + i] = packedBits(bytes, cursor.at * 8 + i * width, width);
    cursor.at += (run / 8) * width;
    seen += run;
  }
  return values;
}

/** Checks the head of a delta-encoded stream, on which a reader's progress depends. Errors: "bad-input". */
export function checkDelta(bytes: Uint8Array, at: number): void {
  deltaHead(bytes, at);
}

/** Decodes a delta-encoded stream of `count` 32-bit integers; `end` is the byte behind it. Errors: "bad-input". */
export function deltaValues(
  bytes: Uint8Array,
  at: number,
  count: number,
): { readonly values: Int32Array; readonly end: number } {
  const { cursor, perMiniblock, miniblocks, first } = deltaHead(bytes, at);
  const values = new Int32Array(count);
  let value = first;
  if (count > 0) values[0] = value;
  for (let seen = 1; seen < count; ) {
    const least = readZigzag(cursor);
    const widths = bytes.subarray(cursor.at, cursor.at + miniblocks);
    if (widths.length < miniblocks) failDamaged("a block that ends behind its page");
    cursor.at += miniblocks;
    for (let block = 0; block < miniblocks && seen < count; block++) {
      const width = widths[block] ?? 0;
      if (width > 32) failDamaged(`a difference of ${width} bits`);
      for (let i = 0; i < perMiniblock && seen < count; i++) {
        value = (value + least + packedBits(bytes, cursor.at * 8 + i * width, width)) | 0;
        values[seen++] = value;
      }
      cursor.at += (perMiniblock * width) / 8;
    }
  }
  return { values, end: cursor.at };
}

function deltaHead(bytes: Uint8Array, at: number) {
  const cursor = { bytes, at };
  const blockSize = readVarint(cursor);
  const miniblocks = readVarint(cursor);
  readVarint(cursor);
  const first = readZigzag(cursor);
  const perMiniblock = blockSize / miniblocks;
  if (!(blockSize >= 8 && blockSize <= 2 ** 20 && miniblocks >= 1 && Number.isInteger(perMiniblock / 8)))
    failDamaged(`blocks of ${blockSize} values in ${miniblocks} parts`);
  return { cursor, perMiniblock, miniblocks, first };
}

/** `width` bits from bit `start` on, least significant first. */
function packedBits(bytes: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let got = 0; got < width; ) {
    const bit = start + got;
    const byte = bytes[bit >> 3] ?? failDamaged("a value behind the end of its page");
    const take = Math.min(8 - (bit & 7), width - got);
    value |= ((byte >> (bit & 7)) & ((1 << take) - 1)) << got;
    got += take;
  }
  return value;
}

function failDamaged(what: string): never {
  return fail("bad-input", `expected sound Parquet pages, got ${what}`);
}
