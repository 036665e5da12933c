import type { Box } from "../model/index.ts";

/** A record as its file gives it: a JSON object, or a dict of a pickle. */
export type Dict = ReadonlyMap<unknown, unknown> | { readonly [name: string]: unknown };

/** True for JSON objects and pickled dicts; false for lists, bytes, sets and null. */
export function isDict(value: unknown): value is Dict {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return value instanceof Map || !(ArrayBuffer.isView(value) || value instanceof Set);
}

/** A dict's own member; undefined where it has none of that name. */
export function field(dict: Dict, name: string): unknown {
  if (dict instanceof Map) return dict.get(name);
  return Object.hasOwn(dict, name) ? (dict as { readonly [name: string]: unknown })[name] : undefined;
}

/** A dict's member names that are text. */
export function fieldNames(dict: Dict): string[] {
  if (dict instanceof Map) return [...dict.keys()].filter((key): key is string => typeof key === "string");
  return Object.keys(dict);
}

/**
 * An id as text, digit for digit: integers up to 2^53, bigints beyond, and text as it is. Undefined for anything else:
 * fractions, booleans, empty text, and numbers so large that JSON.parse has rounded them.
 */
export function exactId(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === "bigint") return value.toString();
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The complaint about a value that `exactId` refuses. */
export function idComplaint(name: string, value: unknown): { expected: string; came: unknown; remedy: string } {
  const isRounded = typeof value === "number" && Number.isInteger(value);
  return {
    expected: isRounded ? `"${name}" to be an integer below 2^53 or text` : `"${name}" to be an integer or text`,
    came: value,
    remedy: isRounded ? "write it as a quoted string" : "give every record an id of its own",
  };
}

/** A finite number, bigints included; undefined for anything else. */
export function finite(value: unknown): number | undefined {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** [x, y, width, height] of four finite numbers, sides of 0 or more; undefined for anything else. */
export function boxOf(value: unknown): Box | undefined {
  const numbers = numbersOf(value);
  if (numbers?.length !== 4) return undefined;
  const [x = 0, y = 0, width = 0, height = 0] = numbers;
  return width >= 0 && height >= 0 ? [x, y, width, height] : undefined;
}

/** A list (or typed array) of finite numbers, copied; undefined for anything else. */
export function numbersOf(value: unknown): number[] | undefined {
  if (!Array.isArray(value) && !isNumericArray(value)) return undefined;
  const numbers: number[] = new Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const number = finite(value[i]);
    if (number === undefined) return undefined;
    numbers[i] = number;
  }
  return numbers;
}

/** A whole number of pixels, 1 or more; undefined for anything else. */
export function pixelsOf(value: unknown): number | undefined {
  const number = finite(value);
  return number !== undefined && Number.isInteger(number) && number >= 1 ? number : undefined;
}

/**
 * True for a relative path that stays in its folder: no drive, no leading slash, no "..", no NUL. A backslash parts names
 * as "/" does: datasets made on Windows have them, and an `ImageFinder` finds their files.
 */
export function isInnerPath(path: string): boolean {
  if (path.includes("\0") || /^[A-Za-z]:/.test(path)) return false;
  return !path.split(/[/\\]/).some((part) => part === ".." || part === "");
}

/** A record's member that is a path inside a folder; undefined where it is anything else. */
export function innerPathOf(record: unknown, key: string): string | undefined {
  const path = isDict(record) ? field(record, key) : undefined;
  return typeof path === "string" && isInnerPath(path) ? path : undefined;
}

function isNumericArray(value: unknown): value is Float64Array {
  return value instanceof Float64Array || value instanceof Float32Array || value instanceof Int32Array;
}
