/**
 * PNGs whose rows hold what a mask means: the indices of a palette, which image libraries replace by colours, and grey of 8 bits, which
 * they take four times as long for.
 *
 *   bytes 0-7    89 50 4E 47 0D 0A 1A 0A
 *   then chunks: u32 big-endian length, 4 letters, data, u32 CRC
 *     IHDR       first of all: width u32, height u32, bit depth, colour type (0 = grey, 3 = palette), compression 0, filter 0, interlace
 *     tRNS       of grey: the one value that is transparent
 *     IDAT       parts of one zlib stream: each row is a filter byte and its packed indices, most significant bit first
 *     IEND
 *
 * A row's filter predicts each byte from the byte to the left (a), above (b) and above left (c):
 * 0 none, 1 a, 2 b, 3 mean of a and b, 4 the one of a, b, c nearest to a + b - c ("Paeth").
 * Source: the PNG specification, third edition, 5 and 9.
 */
import { inflateSync } from "node:zlib";
import { fail } from "../../model/index.ts";
import type { DecodedMask } from "./decoded-mask.ts";

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Bits a sample. */
  readonly depth: number;
  readonly colours: "palette" | "grey" | "other";
  readonly isInterlaced: boolean;
}

/** The header of a PNG; undefined for another file, or one without a whole header at its front. */
export function readPngHeader(bytes: Uint8Array): PngHeader | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < 33 || !buffer.subarray(0, 8).equals(signature)) return undefined;
  if (buffer.readUInt32BE(8) !== 13 || buffer.toString("latin1", 12, 16) !== "IHDR") return undefined;
  const [width, height, type] = [buffer.readUInt32BE(16), buffer.readUInt32BE(20), buffer[25]];
  const colours = type === 3 ? "palette" : type === 0 ? "grey" : "other";
  return { width, height, depth: buffer[24] ?? 0, colours, isInterlaced: buffer[28] !== 0 };
}

const signature = Buffer.from("89504e470d0a1a0a", "hex");

/**
 * The numbers in the rows of a PNG of a palette, or of grey of 8 bits, one a pixel; undefined where grey has a transparent value. `where`
 * names it in errors. Errors: "bad-input", "unsupported" (interlaced).
 */
export function readPngBytes(
  bytes: Uint8Array,
  { width, height, depth, colours, isInterlaced }: PngHeader,
  where: string,
): Omit<DecodedMask, "isLossy"> | undefined {
  if (depth !== 8 && (colours !== "palette" || (depth !== 1 && depth !== 2 && depth !== 4))) {
    fail("bad-input", `expected a palette of 1, 2, 4 or 8 bits in ${where}, got one of ${depth} bits`);
  }
  if (isInterlaced)
    fail("unsupported", `expected a mask that is not interlaced in ${where}: save it again without interlacing`);
  const { packed, isTransparent } = readChunks(bytes, where);
  if (colours === "grey" && isTransparent) return undefined;
  const rowBytes = Math.ceil((width * depth) / 8);
  const rows = inflate(packed, (rowBytes + 1) * height, where);
  unfilter(rows, rowBytes, height, where);
  const data = new Uint8Array(width * height);
  if (depth === 8) {
    for (let y = 0; y < height; y++) {
      const start = y * (width + 1) + 1;
      data.set(rows.subarray(start, start + width), y * width);
    }
    return { width, height, data, depth };
  }
  const perByte = 8 / depth;
  const ones = (1 << depth) - 1;
  for (let y = 0; y < height; y++) {
    const row = y * (rowBytes + 1) + 1;
    for (let x = 0; x < width; x++) {
      const byte = rows[row + Math.floor(x / perByte)] ?? 0;
      data[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & ones;
    }
  }
  return { width, height, data, depth };
}

interface PngChunks {
  readonly packed: Uint8Array;
  readonly isTransparent: boolean;
}

function readChunks(bytes: Uint8Array, where: string): PngChunks {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  let isTransparent = false;
  for (let at = signature.length; ; ) {
    if (at + 12 > buffer.length) fail("bad-input", `expected an IEND chunk in ${where}, but the file ends before it`);
    const length = buffer.readUInt32BE(at);
    const name = buffer.toString("latin1", at + 4, at + 8);
    if (at + 12 + length > buffer.length) {
      fail(
        "bad-input",
        `expected ${length} bytes of ${name} at byte ${at} of ${where}, but the file ends before; it is cut short`,
      );
    }
    if (name === "IDAT") parts.push(buffer.subarray(at + 8, at + 8 + length));
    isTransparent ||= name === "tRNS";
    if (name === "IEND") break;
    at += 12 + length;
  }
  return { packed: parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts), isTransparent };
}

function inflate(packed: Uint8Array, size: number, where: string): Uint8Array {
  let rows: Uint8Array;
  try {
    rows = inflateSync(packed, { maxOutputLength: size + 1 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    fail("bad-input", `expected sound image data in ${where}, but it cannot be inflated: ${reason}`, error);
  }
  if (rows.length < size)
    fail("bad-input", `expected ${size} bytes of image data in ${where}, got ${rows.length}; it is cut short`);
  return rows;
}

/** Undoes the filters in place. Indices are at most a byte wide, so that "left" is always the byte before. */
function unfilter(rows: Uint8Array, rowBytes: number, height: number, where: string): void {
  const stride = rowBytes + 1;
  for (let y = 0; y < height; y++) {
    const start = y * stride + 1;
    const filter = rows[start - 1] ?? 0;
    if (filter > 4) fail("bad-input", `expected a filter of 0 to 4 in row ${y} of ${where}, got ${filter}`);
    if (filter === 0) continue;
    for (let i = 0; i < rowBytes; i++) {
      const left = i === 0 ? 0 : (rows[start + i - 1] ?? 0);
      const above = y === 0 ? 0 : (rows[start + i - stride] ?? 0);
      const corner = i === 0 || y === 0 ? 0 : (rows[start + i - stride - 1] ?? 0);
      const predicted = prediction(filter, left, above, corner);
      rows[start + i] = (rows[start + i] ?? 0) + predicted;
    }
  }
}

function prediction(filter: number, left: number, above: number, corner: number): number {
  if (filter === 1) return left;
  if (filter === 2) return above;
  return filter === 3 ? (left + above) >> 1 : paeth(left, above, corner);
}

function paeth(left: number, above: number, corner: number): number {
  const estimate = left + above - corner;
  const toLeft = Math.abs(estimate - left);
  const toAbove = Math.abs(estimate - above);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}
