import { NemosaicError } from "../../model/index.ts";
import type { PickleValue } from "./values.ts";

/** Bytes from latin-1 text and numbers, for streams written by hand. */
export function bytes(...parts: (string | number | readonly number[])[]): Uint8Array {
  return new Uint8Array(
    parts.flatMap((part) =>
      typeof part === "string" ? [...Buffer.from(part, "latin1")] : typeof part === "number" ? [part] : [...part],
    ),
  );
}

export const u32 = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];

export function errorOf(run: () => unknown): NemosaicError {
  try {
    run();
  } catch (error) {
    if (error instanceof NemosaicError) return error;
    throw error;
  }
  throw new Error("expected an error");
}

/** The JSON-like shape of a decoded pickle without cycles: dicts as objects without prototype, tuples and sets as arrays. */
export function plainPickle(value: PickleValue, done = new Map<object, unknown>()): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  const plain =
    value instanceof Map
      ? Object.assign(
          Object.create(null) as object,
          Object.fromEntries([...value].map(([key, inner]) => [String(key), plainPickle(inner, done)])),
        )
      : [...value].map((inner) => plainPickle(inner, done));
  done.set(value, plain);
  return plain;
}
