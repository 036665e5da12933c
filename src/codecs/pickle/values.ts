/**
 * What a pickle of plain data holds, as JavaScript values.
 *
 * int → number, or bigint beyond ±2^53; str and Python 2's unicode → string; bytes and bytearray → Uint8Array;
 * list → Array; tuple → PickleTuple; dict → Map; set and frozenset → Set; None → null.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleSet;

/** A Python dict in insertion order. Keys compare as in `Map`: tuples and bytes by identity. */
export type PickleDict = Map<PickleValue, PickleValue>;

/** A Python set or frozenset. */
export type PickleSet = Set<PickleValue>;

/** A Python tuple: an Array in every respect (`Array.isArray` is true), told apart from a list by `instanceof`. */
export class PickleTuple extends Array<PickleValue> {
  /** `map`, `slice` and the like give ordinary arrays. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

/** Makes a tuple of `items`, which it copies. */
export function pickleTuple(items: readonly PickleValue[]): PickleTuple {
  const tuple = new PickleTuple();
  for (const item of items) tuple.push(item);
  return tuple;
}
