import { fail, shown } from "../../model/index.ts";
import type { PickleValue } from "./values.ts";

/** Limits of `pickleToPlain`. */
export interface PicklePlainOptions {
  /** The file's name for error lines. */
  readonly where?: string;
  /** Containers inside containers; deeper is an error, as is a value that holds itself. Default 100. */
  readonly maxDepth?: number;
}

/**
 * The JSON-like shape of a decoded pickle: dicts as objects without prototype (keys: text, or a number or boolean as
 * text), tuples and sets as arrays; the rest as is (bytes stay Uint8Array, big integers bigint). A part that the
 * pickle shares stays one shared object, so the work is bounded by the pickle's size. Does not modify `value`.
 *
 * Errors: "bad-input" for a value that holds itself, nests too deeply, or has a key of another type.
 */
export function pickleToPlain(value: PickleValue, options: PicklePlainOptions = {}): unknown {
  const where = options.where ?? "a pickle";
  const maxDepth = options.maxDepth ?? 100;
  const done = new Map<object, unknown>();
  const heights = new Map<object, number>();
  const inProgress = new Set<object>();

  /** Returns the plain value; `heights` keeps how deep each container is, so that a shared one counts in full. */
  function convert(item: PickleValue, depth: number): unknown {
    if (typeof item !== "object" || item === null || item instanceof Uint8Array) return item;
    if (inProgress.has(item))
      fail("bad-input", `expected data without cycles in ${where}, got a value that holds itself`);
    if (depth + (heights.get(item) ?? 1) > maxDepth) {
      fail("bad-input", `expected at most ${maxDepth} containers inside each other in ${where}`);
    }
    const known = done.get(item);
    if (known !== undefined) return known;
    inProgress.add(item);
    let height = 0;
    const child = (inner: PickleValue): unknown => {
      const plain = convert(inner, depth + 1);
      if (typeof inner === "object" && inner !== null) height = Math.max(height, heights.get(inner) ?? 0);
      return plain;
    };
    let plain: unknown;
    if (item instanceof Map) {
      const object: Record<string, unknown> = Object.create(null);
      for (const [key, inner] of item) object[keyText(key, where)] = child(inner);
      plain = object;
    } else {
      const array: unknown[] = [];
      for (const inner of item) array.push(child(inner));
      plain = array;
    }
    inProgress.delete(item);
    heights.set(item, height + 1);
    done.set(item, plain);
    return plain;
  }

  return convert(value, 0);
}

function keyText(key: PickleValue, where: string): string {
  if (typeof key === "string") return key;
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean") return String(key);
  fail("bad-input", `expected a dict's key to be text or a number in ${where}, got ${shown(key)}`);
}
