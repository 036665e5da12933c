/**
 * A small assembler for WebAssembly with 128-bit vectors, enough for hand-written kernels: each function returns the
 * bytes of an expression with its operands in front, so that code reads inside out as in the text format.
 *
 *   module = "\0asm" version 1, then sections (id, length, content): 1 types · 2 imports · 3 functions · 7 exports · 10 code
 */

/** Instruction bytes. */
export type Code = readonly number[];

/** A function type or body: value types of parameters, results and locals. */
export type ValueType = "i32" | "i64" | "f32" | "v128";

export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

const typeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, v128: 0x7b };

/** A module over one imported memory ("env" "memory"); function i of `functions` is `call(i, …)` and exported. */
export function wasmModule(functions: readonly WasmFunction[]): Uint8Array {
  const types = functions.map(({ parameters, results }) => [
    0x60,
    ...list(parameters.map(typeOf)),
    ...list(results.map(typeOf)),
  ]);
  const memory = [...name("env"), ...name("memory"), 0x02, 0x00, ...unsigned(1)];
  const bodies = functions.map(({ locals, body }) => {
    const code = [...list(locals.map((local) => [1, ...typeOf(local)])), ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([memory])),
    ...section(3, list(functions.map((_, at) => unsigned(at)))),
    ...section(7, list(functions.map((each, at) => [...name(each.name), 0x00, ...unsigned(at)]))),
    ...section(10, list(bodies)),
  ]);
}

export const sequence = (...parts: Code[]): Code => parts.flat();
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const call = (index: number, ...values: Code[]): Code => [...values.flat(), 0x10, ...unsigned(index)];

/** `block { … }`, left by `branchIf(0, …)` from its own level. */
export const block = (...body: Code[]): Code => [0x02, 0x40, ...body.flat(), 0x0b];
/** `loop { … }`, begun again by `branch`. */
export const loop = (...body: Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0b];
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, 0x40, ...body.flat(), 0x0b];
/** Inside `when`: what follows runs where the condition does not hold. */
export const otherwise: Code = [0x05];
export const branch = (depth: number): Code => [0x0c, ...unsigned(depth)];
export const branchIf = (depth: number, condition: Code): Code => [...condition, 0x0d, ...unsigned(depth)];
/** Repeats `body` while `condition` holds, tested first. */
export const repeat = (condition: Code, ...body: Code[]): Code =>
  block(loop(branchIf(1, i32.isZero(condition)), ...body, branch(0)));

const two =
  (code: number) =>
  (a: Code, b: Code): Code => [...a, ...b, code];
const vectorTwo =
  (code: number) =>
  (a: Code, b: Code): Code => [...a, ...b, 0xfd, ...unsigned(code)];
const vectorOne =
  (code: number) =>
  (a: Code): Code => [...a, 0xfd, ...unsigned(code)];

export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  load: (address: Code, offset = 0): Code => [...address, 0x28, 2, ...unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, 0x36, 2, ...unsigned(offset)],
  loadByte: (address: Code): Code => [...address, 0x2d, 0, 0],
  isZero: (a: Code): Code => [...a, 0x45],
  equal: two(0x46),
  lessSigned: two(0x48),
  less: two(0x49),
  greaterSigned: two(0x4a),
  greater: two(0x4b),
  trailingZeros: (a: Code): Code => [...a, 0x68],
  bitCount: (a: Code): Code => [...a, 0x69],
  add: two(0x6a),
  subtract: two(0x6b),
  multiply: two(0x6c),
  and: two(0x71),
  or: two(0x72),
  shiftLeft: two(0x74),
  shiftRight: two(0x76),
  bitsOf: (a: Code): Code => [...a, 0xbc],
  /** Towards zero; the nearest there is where it does not fit. */
  truncated: (a: Code): Code => [...a, 0xfc, 0x00],
  lowOf: (a: Code): Code => [...a, 0xa7],
};

export const i64 = {
  one: [0x42, 1] as Code,
  isZero: (a: Code): Code => [...a, 0x50],
  trailingZeros: (a: Code): Code => [...a, 0x7a],
  subtract: two(0x7d),
  and: two(0x83),
  /** The number of 64 bits of two of 32. */
  of: (low: Code, high: Code): Code => [...low, 0xad, ...high, 0xad, 0x42, 32, 0x86, 0x84],
};

export const f32 = {
  constant: (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)],
  load: (address: Code, offset = 0): Code => [...address, 0x2a, 2, ...unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, 0x38, 2, ...unsigned(offset)],
  equal: two(0x5b),
  less: two(0x5d),
  greater: two(0x5e),
  add: two(0x92),
  subtract: two(0x93),
  multiply: two(0x94),
  divide: two(0x95),
  minimum: two(0x96),
  maximum: two(0x97),
  of: (integer: Code): Code => [...integer, 0xb2],
};

/** Four numbers of 32 bits. Comparisons give a lane of ones or zeros. */
export const v128 = {
  load: (address: Code, offset = 0): Code => [...address, 0xfd, 0x00, 2, ...unsigned(offset)],
  store: (address: Code, value: Code): Code => [...address, ...value, 0xfd, 0x0b, 2, 0],
  zero: [0xfd, 0x0c, ...new Array<number>(16).fill(0)] as Code,
  lanesI32: (...lanes: readonly [number, number, number, number]): Code => [
    ...[0xfd, 0x0c],
    ...new Uint8Array(Int32Array.from(lanes).buffer),
  ],
  splatF32: vectorOne(0x13),
  /** Four bytes and zeros behind them. */
  loadFour: (address: Code): Code => [...address, 0xfd, 0x5c, 2, 0],
  /** Four bytes, four times. */
  loadFourSplat: (address: Code, offset = 0): Code => [...address, 0xfd, 0x09, 2, ...unsigned(offset)],
  /** Eight bytes and zeros behind them. */
  loadEight: (address: Code): Code => [...address, 0xfd, 0x5d, 0, 0],
  /** Eight bytes as numbers of 16 bits. */
  loadEightWide: (address: Code, offset = 0): Code => [...address, 0xfd, 0x02, 0, ...unsigned(offset)],
  /** Byte i of the result is byte lanes[i] of the 32 of a and b. */
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code => [...a, ...b, 0xfd, 0x0d, ...lanes],
  /** Byte i of the result is byte lanes[i] of a, or zero where that is above 15. */
  swizzle: vectorTwo(0x0e),
  splatI32: vectorOne(0x11),
  /** The signs of four lanes as 4 bits, first lane lowest. */
  signsOfFour: vectorOne(0xa4),
  addI32: vectorTwo(0xae),
  multiplyI32: vectorTwo(0xb5),
  shiftLeftI32: (a: Code, by: Code): Code => [...a, ...by, 0xfd, ...unsigned(0xab)],
  shiftRightI32: (a: Code, by: Code): Code => [...a, ...by, 0xfd, ...unsigned(0xac)],
  /** Four sums of products of two neighbours of 16 bits, signed. */
  dotI16: vectorTwo(0xba),
  /** Two times four numbers of 32 bits to eight of 16; two times eight of those to 16 bytes, 0 … 255. */
  narrowI32: vectorTwo(0x85),
  narrowI16Unsigned: vectorTwo(0x66),
  laneI32: (a: Code, lane: number): Code => [...a, 0xfd, 0x1b, lane],
  laneF32: (a: Code, lane: number): Code => [...a, 0xfd, 0x1f, lane],
  splatByte: vectorOne(0x0f),
  /** Of 16 bytes, 0 … 255. */
  greaterByte: vectorTwo(0x28),
  /** The signs of 16 bytes as 16 bits, first lane lowest. */
  signsOfBytes: vectorOne(0x64),
  greaterF32: vectorTwo(0x44),
  notLessF32: vectorTwo(0x46),
  /** a and not b. */
  andNot: vectorTwo(0x4f),
  or: vectorTwo(0x50),
  anyTrue: vectorOne(0x53),
  subtractI32: vectorTwo(0xb1),
  addF32: vectorTwo(0xe4),
  subtractF32: vectorTwo(0xe5),
  multiplyF32: vectorTwo(0xe6),
  /** Four signed integers as floats, rounded to nearest. */
  floatsOf: vectorOne(0xfa),
  /** Four floats as signed integers, cut; the nearest whole floats, halves to even. */
  integersOf: vectorOne(0xf8),
  nearestF32: vectorOne(0x6a),
  minimumF32: vectorTwo(0xe8),
  maximumF32: vectorTwo(0xe9),
  /** The signs of four vectors of four lanes as 16 bits, first lane lowest. */
  signs: (a: Code, b: Code, c: Code, d: Code): Code =>
    vectorOne(0x64)(vectorTwo(0x65)(vectorTwo(0x85)(a, b), vectorTwo(0x85)(c, d))),
};

function typeOf(type: ValueType): number[] {
  return [typeCodes[type]];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): number[] {
  return list([...new TextEncoder().encode(text)].map((byte) => [byte]));
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 63 || rest < -64) {
    bytes.push((rest & 127) | 128);
    rest >>= 7;
  }
  return [...bytes, rest & 127];
}

/** The part of the engine's interface used here; Node's types leave it to the browser's. */
interface Engine {
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer; grow(pages: number): number };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

export const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
