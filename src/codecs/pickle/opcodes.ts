/**
 * The instruction set of Python's pickle, protocols 0 to 5.
 *
 * A pickle is a program for a stack machine: one byte of opcode, then its argument, until STOP. The values are
 * built on a stack, MARK remembers a position on it, a memo keeps values under a number so that they can be
 * pushed again. Arguments, little-endian unless said otherwise:
 *
 *   line    text up to "\n" (protocol 0)      u1, u2, i4, u4, u8   integers
 *   f8be    double, big-endian                s(uN)                a length of N bytes, then so many bytes
 *
 * The opcodes that import a name or call something (`unsafe`) are what makes a pickle dangerous.
 * Source: CPython's Lib/pickletools.py, PEP 307, 3154 and 574.
 */
export const op = {
  MARK: 0x28,
  STOP: 0x2e,
  POP: 0x30,
  POP_MARK: 0x31,
  DUP: 0x32,
  FLOAT: 0x46, // line: repr of a float
  INT: 0x49, // line: decimal; "00" and "01" are False and True
  BININT: 0x4a, // i4
  BININT1: 0x4b, // u1
  LONG: 0x4c, // line: decimal, "L" at its end
  BININT2: 0x4d, // u2
  NONE: 0x4e,
  PERSID: 0x50, // line
  BINPERSID: 0x51,
  REDUCE: 0x52,
  STRING: 0x53, // line: repr of a Python 2 str
  BINSTRING: 0x54, // s(i4): Python 2 str
  SHORT_BINSTRING: 0x55, // s(u1)
  UNICODE: 0x56, // line: raw-unicode-escape
  BINUNICODE: 0x58, // s(u4): UTF-8
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  BUILD: 0x62,
  GLOBAL: 0x63, // line, line: module, name
  DICT: 0x64,
  APPENDS: 0x65,
  GET: 0x67, // line: decimal
  BINGET: 0x68, // u1
  INST: 0x69, // line, line
  LONG_BINGET: 0x6a, // u4
  LIST: 0x6c,
  OBJ: 0x6f,
  PUT: 0x70, // line: decimal
  BINPUT: 0x71, // u1
  LONG_BINPUT: 0x72, // u4
  SETITEM: 0x73,
  TUPLE: 0x74,
  SETITEMS: 0x75,
  EMPTY_DICT: 0x7d,
  EMPTY_TUPLE: 0x29,
  BINFLOAT: 0x47, // f8be
  BINBYTES: 0x42, // s(u4), protocol 3
  SHORT_BINBYTES: 0x43, // s(u1), protocol 3
  PROTO: 0x80, // u1, protocol 2
  NEWOBJ: 0x81,
  EXT1: 0x82, // u1
  EXT2: 0x83, // u2
  EXT4: 0x84, // i4
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a, // s(u1): two's complement, little-endian
  LONG4: 0x8b, // s(i4)
  SHORT_BINUNICODE: 0x8c, // s(u1), protocol 4
  BINUNICODE8: 0x8d, // s(u8)
  BINBYTES8: 0x8e, // s(u8)
  EMPTY_SET: 0x8f,
  ADDITEMS: 0x90,
  FROZENSET: 0x91,
  NEWOBJ_EX: 0x92,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95, // u8
  BYTEARRAY8: 0x96, // s(u8), protocol 5
  NEXT_BUFFER: 0x97,
  READONLY_BUFFER: 0x98,
} as const;

const names = new Map<number, string>(Object.entries(op).map(([name, code]) => [code, name]));

/** An opcode's name for an error line, such as "REDUCE", or its hexadecimal byte where it is none. */
export function opcodeName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16).padStart(2, "0")}`;
}
