/**
 * A tar archive (POSIX ustar with pax records): entries in blocks of 512 bytes, each a header block and its data
 * filled up with zeros; two blocks of zeros end the archive. A header block:
 *
 *     0  name, 100 bytes      100  mode, 8      108  user id, 8    116  group id, 8
 *   124  size, 12             136  mtime, 12    148  checksum, 8   156  type, 1
 *   157  link name, 100       257  "ustar\0"    263  "00"          265  user, 32
 *   297  group, 32            329  device, 16   345  prefix, 155 (stands before the name, with "/")
 *
 * Numbers are octal text (GNU: the first bit set, then base 256). The checksum is the sum of the block's bytes with the
 * checksum itself as spaces. Type "0" or NUL is a file, "5" a folder, "x" pax records for the next entry
 * ("<length> <key>=<value>\n", UTF-8; path and size matter), "g" pax records for all, "L" GNU's long name.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block".
 */
import { fail, quoteValue } from "../../model/index.ts";

/** Bytes of a block. */
export const blockBytes = 512;

/** The fields of a header that matter here. */
export interface TarHeader {
  readonly name: string;
  readonly size: number;
  /** One letter; "0" for files. */
  readonly type: string;
}

const largestOctalSize = 8 ** 11 - 1;

/** The header blocks of a file: ustar alone where name and size fit it, else with pax records before it. */
export function tarHeader(name: string, size: number, mode: number, mtime: number): Uint8Array {
  const split = splitName(name);
  if (split !== undefined && size <= largestOctalSize) return ustar(split, size, "0", mode, mtime);
  const records = Buffer.from(
    (split === undefined ? paxRecord("path", name) : "") +
      (size > largestOctalSize ? paxRecord("size", String(size)) : ""),
  );
  const short = split ?? {
    prefix: "",
    name: Buffer.from(name)
      .subarray(0, 100)
      .toString("latin1")
      .replace(/[^\x20-\x7e]/g, "_"),
  };
  return Buffer.concat([
    ustar({ prefix: "", name: "PaxHeader" }, records.length, "x", mode, mtime),
    records,
    Buffer.alloc(padding(records.length)),
    ustar(short, Math.min(size, largestOctalSize), "0", mode, mtime),
  ]);
}

/** Zeros that follow `size` bytes of data. */
export function padding(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

/** Reads a header block; undefined for a block of zeros. `place` names file and byte for errors. */
export function readTarHeader(block: Buffer, place: () => string): TarHeader | undefined {
  const stated = octal(block, 148, 8);
  let sum = 8 * 0x20;
  for (let i = 0; i < blockBytes; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  if (sum === 8 * 0x20 && block[148] === 0) return undefined;
  if (stated !== sum)
    fail("bad-input", `expected a tar header ${place()}, but its checksum is wrong; the file is damaged or no tar`);
  const size = (block[124] ?? 0) >= 0x80 ? base256(block, 124, 12) : octal(block, 124, 12);
  if (!(size >= 0) || !Number.isSafeInteger(size))
    fail("bad-input", `expected a size in the tar header ${place()}, got ${quoteValue(text(block, 124, 12))}`);
  const type = String.fromCharCode(block[156] ?? 0);
  const isUstar = block.toString("latin1", 257, 262) === "ustar" && block[262] === 0;
  const prefix = isUstar ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  return { name: prefix === "" ? name : `${prefix}/${name}`, size, type: type === "\0" || type === "7" ? "0" : type };
}

/** The path and size of pax records, where they are stated. */
export function readPax(records: Buffer, place: () => string): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < records.length; ) {
    const space = records.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(records.toString("latin1", at, space));
    const end = at + length;
    const equals = records.indexOf(0x3d, space);
    if (
      !Number.isInteger(length) ||
      end > records.length ||
      end <= space + 1 ||
      equals < 0 ||
      equals >= end ||
      records[end - 1] !== 0x0a
    ) {
      fail("bad-input", `expected pax records ${place()}; the file is damaged`);
    }
    const key = records.toString("utf8", space + 1, equals);
    const value = records.toString("utf8", equals + 1, end - 1);
    if (key === "path") found.path = value;
    if (key === "size") {
      if (!/^\d{1,15}$/.test(value))
        fail("bad-input", `expected a size in the pax records ${place()}, got ${quoteValue(value)}`);
      found.size = Number(value);
    }
    at = end;
  }
  return found;
}

function ustar(
  name: { prefix: string; name: string },
  size: number,
  type: string,
  mode: number,
  mtime: number,
): Buffer {
  const block = Buffer.alloc(blockBytes);
  block.write(name.name, 0, 100, "latin1");
  block.write(`${octalText(mode, 7)}\0${octalText(0, 7)}\0${octalText(0, 7)}\0`, 100, "latin1");
  block.write(`${octalText(size, 11)}\0${octalText(mtime, 11)}\0        ${type}`, 124, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(`${octalText(0, 7)}\0${octalText(0, 7)}\0`, 329, "latin1");
  block.write(name.prefix, 345, 155, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octalText(sum, 6)}\0 `, 148, "latin1");
  return block;
}

/** The name in ustar's two fields, or undefined where it does not fit: not ASCII, or no "/" at the right place. */
function splitName(name: string): { prefix: string; name: string } | undefined {
  if (/[^\x20-\x7e]/.test(name)) return undefined;
  if (name.length <= 100) return { prefix: "", name };
  for (let at = name.indexOf("/", name.length - 101); at > 0 && at <= 155; at = name.indexOf("/", at + 1)) {
    if (at < name.length - 1) return { prefix: name.slice(0, at), name: name.slice(at + 1) };
  }
  return undefined;
}

/** A record states its own length, digits included. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function octalText(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function octal(block: Buffer, at: number, length: number): number {
  const digits = block
    .toString("latin1", at, at + length)
    .replace(/[\0 ]+$/, "")
    .trim();
  if (digits === "") return 0;
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function base256(block: Buffer, at: number, length: number): number {
  let value = (block[at] ?? 0) & 0x7f;
  for (let i = 1; i < length; i++) value = value * 256 + (block[at + i] ?? 0);
  return value;
}

function text(block: Buffer, at: number, length: number): string {
  const end = block.indexOf(0, at);
  return block.toString("utf8", at, end >= at && end < at + length ? end : at + length);
}
