import { fail } from "../../model/index.ts";

/*
 * Thrift's compact protocol, as far as Parquet's page headers need it.
 *
 *   struct   fields, then a zero byte
 *   field    a byte: upper 4 bits = step of the field's number (0: the number follows as a zigzag varint),
 *            lower 4 bits = type; then the value
 *   types    1 true, 2 false (no value), 3 byte, 4-6 zigzag varint, 7 eight bytes, 8 varint length + bytes,
 *            9 list: a byte (upper 4 bits = length, 15: a varint follows; lower 4 = type), then elements, 12 struct
 *
 * Source: apache/thrift, doc/specs/thrift-compact-protocol.md.
 */

/** The fields of a struct that page headers are made of: whole numbers, flags and structs; others are passed over. */
export type ThriftStruct = ReadonlyMap<number, number | boolean | ThriftStruct>;

/** Where reading is in `bytes`. */
export interface ThriftCursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** Structs inside structs beyond this are no Parquet. */
const deepest = 32;

/** Reads the struct at the cursor and moves behind it. Errors: "bad-input" for a struct that leaves the bytes. */
export function readThrift(cursor: ThriftCursor, depth = 0): ThriftStruct {
  if (depth > deepest) failDamaged(cursor, "structs are nested too deep");
  const fields = new Map<number, number | boolean | ThriftStruct>();
  let field = 0;
  for (;;) {
    const head = byteAt(cursor);
    const type = head & 15;
    if (type === 0) return fields;
    field = head >> 4 === 0 ? readZigzag(cursor) : field + (head >> 4);
    const value = readValue(cursor, type, depth);
    if (value !== undefined) fields.set(field, value);
  }
}

/**
 * Walks over the struct that `bytes` hold without keeping anything, so that a list's stated length is known to fit
 * before a library takes memory for it. Errors: "bad-input".
 */
export function checkThrift(bytes: Uint8Array): void {
  readThrift({ bytes, at: 0 });
}

/** An unsigned varint of at most 32 bits. Errors: "bad-input". */
export function readVarint(cursor: ThriftCursor): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = byteAt(cursor);
    if (shift < 35) value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
  return failDamaged(cursor, "a number is longer than 10 bytes");
}

/** A signed varint. Its low 32 bits; longer ones only where nobody needs them. */
export function readZigzag(cursor: ThriftCursor): number {
  const value = readVarint(cursor);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function readValue(cursor: ThriftCursor, type: number, depth: number): number | boolean | ThriftStruct | undefined {
  switch (type) {
    case 1:
      return true;
    case 2:
      return false;
    case 3:
      return byteAt(cursor);
    case 4:
    case 5:
    case 6:
      return readZigzag(cursor);
    case 7:
      skip(cursor, 8);
      return undefined;
    case 8:
      skip(cursor, readVarint(cursor));
      return undefined;
    case 9:
      skipList(cursor, depth);
      return undefined;
    case 12:
      return readThrift(cursor, depth + 1);
    default:
      return failDamaged(cursor, `a field is of the unknown type ${type}`);
  }
}

function skipList(cursor: ThriftCursor, depth: number): void {
  if (depth > deepest) failDamaged(cursor, "lists are nested too deep");
  const head = byteAt(cursor);
  const length = head >> 4 === 15 ? readVarint(cursor) : head >> 4;
  if (length > cursor.bytes.length - cursor.at) failDamaged(cursor, `a list claims ${length} elements`);
  const type = head & 15;
  for (let i = 0; i < length; i++) {
    if (type === 1 || type === 2) skip(cursor, 1);
    else readValue(cursor, type, depth + 1);
  }
}

function skip(cursor: ThriftCursor, bytes: number): void {
  if (!(bytes <= cursor.bytes.length - cursor.at)) failDamaged(cursor, `${bytes} bytes are announced`);
  cursor.at += bytes;
}

function byteAt(cursor: ThriftCursor): number {
  return cursor.bytes[cursor.at++] ?? failDamaged(cursor, "it ends");
}

function failDamaged(cursor: ThriftCursor, what: string): never {
  return fail(
    "bad-input",
    `expected a sound Parquet header, but at byte ${cursor.at} of ${cursor.bytes.length} ${what}`,
  );
}
