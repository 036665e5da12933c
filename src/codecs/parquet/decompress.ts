import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Compressors } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { fail } from "../../model/index.ts";

/** A page beyond this is refused by its header. */
const largestPage = 2 ** 30;
/** Above this a page must not be more than 1000 times its compressed size: what is, is made to fill memory. */
const unsuspected = 2 ** 26;

/**
 * Decompressors for the Parquet library that take no more memory than the page's header states, and for which that size
 * was found acceptable. Errors: "refused" for a decompression bomb, "bad-input" for damaged data.
 */
export function boundedCompressors(): Compressors {
  const bounded = (decompress: (input: Uint8Array, size: number) => Uint8Array) => {
    return (input: Uint8Array, size: number): Uint8Array => {
      checkPageSize(input.length, size);
      return decompress(input, size);
    };
  };
  const known = (name: "SNAPPY" | "ZSTD" | "LZ4" | "LZ4_RAW") =>
    compressors[name] ?? fail("internal", `no decompressor for ${name}`);
  return {
    SNAPPY: bounded(known("SNAPPY")),
    GZIP: bounded((input, size) => gunzipSync(input, { maxOutputLength: size + 1 })),
    BROTLI: bounded((input, size) => brotliDecompressSync(input, { maxOutputLength: size + 1 })),
    ZSTD: bounded((input, size) => {
      checkZstd(input, size);
      return known("ZSTD")(input, size);
    }),
    LZ4: bounded(known("LZ4")),
    LZ4_RAW: bounded(known("LZ4_RAW")),
  };
}

/** Refuses a page by the sizes in its header. Errors: "refused", "bad-input" for sizes that are none. */
export function checkPageSize(compressed: number, uncompressed: number): void {
  if (!(uncompressed >= 0)) fail("bad-input", `expected the size of a Parquet page, got ${uncompressed} bytes`);
  if (uncompressed > largestPage || (uncompressed > unsuspected && uncompressed > 1000 * compressed)) {
    fail(
      "refused",
      `expected a Parquet page of a sensible size, got one that grows from ${compressed} to ${uncompressed} bytes`,
    );
  }
}

const zstdBlock = 2 ** 17;

/**
 * The library takes memory for every block and window that a Zstandard frame announces: they must fit the page.
 *
 *   frame   magic 28 B5 2F FD; a flag byte: bits 6-7 size of the content size, bit 5 single segment, bit 2 checksum,
 *           bits 0-1 size of the dictionary's id; window byte (unless single segment), dictionary's id, content size;
 *           blocks: 3 bytes (bit 0 last, bits 1-2 type, 21 bits size), then `size` bytes (type 1: one byte, repeated)
 *
 * Source: RFC 8878.
 */
function checkZstd(input: Uint8Array, size: number): void {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const bad = (what: string): never =>
    fail("bad-input", `expected sound Zstandard data in a Parquet page, got ${what}`);
  let blocks = 0;
  let frames = 0;
  for (let at = 0; at < input.length; ) {
    if (at + 8 > input.length) bad("a frame that is cut short");
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === 0x184d2a5) {
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    if (magic !== 0xfd2fb528) bad("a frame without its mark");
    const flags = input[at + 4]!;
    const isSingle = (flags & 32) !== 0;
    const windowByte = input[at + 5]!;
    if (!isSingle && (windowByte >> 3) + 10 > 27) bad("a window of more than 128 MB");
    at += 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][flags & 3]!;
    const width = flags >> 6 === 0 ? (isSingle ? 1 : 0) : 1 << (flags >> 6);
    if (at + width > input.length) bad("a frame that is cut short");
    const stated =
      width === 1
        ? input[at]!
        : width === 2
          ? view.getUint16(at, true) + 256
          : width === 4
            ? view.getUint32(at, true)
            : width === 8
              ? Number(view.getBigUint64(at, true))
              : 0;
    if (stated > size) bad(`a frame of ${stated} bytes in a page of ${size}`);
    at += width;
    if (++frames > 1 + size) bad("more frames than bytes");
    for (let isLast = false; !isLast; ) {
      if (at + 3 > input.length) bad("a block that is cut short");
      const head = input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16);
      isLast = (head & 1) === 1;
      const length = head >> 3;
      if (length > zstdBlock) bad(`a block of ${length} bytes`);
      at += 3 + (((head >> 1) & 3) === 1 ? 1 : length);
      blocks++;
    }
    if ((flags & 4) !== 0) at += 4;
    if (at > input.length) bad("a block that is cut short");
  }
  if ((blocks - frames) * zstdBlock > 8 * size + 2 ** 24) bad(`${blocks} blocks in a page of ${size} bytes`);
}
