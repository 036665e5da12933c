import {
  columnShift,
  fourColumnsShift,
  listHeaderBytes,
  nextAt,
  overflowedAt,
  thresholdAt,
  twoColumnsShift,
} from "./assembly/list-layout.ts";

/** The columns of a list: what it is ranked by, ids, and the scores that it is not ranked by. */
export const [scoreColumn, idColumn, t2iColumn, i2iColumn] = [0, 1, 2, 3];

/** Bytes of a list of `capacity` entries. */
export function bytesOfList(capacity: number): number {
  return listHeaderBytes + (capacity << fourColumnsShift);
}

/** Lists of `capacity` entries in a kernel's memory, one behind the other, by number: `assembly/list-layout.ts` has their bytes. */
export class Lists {
  readonly capacity: number;
  /** Of the far list that a list holds once it was split, behind the list's own address. */
  readonly farOffset: number;
  readonly #start: number;
  readonly #bytes: Uint8Array;
  readonly #ints: Int32Array;
  readonly #floats: Float32Array;

  constructor(memory: ArrayBufferLike, capacity: number, start = 0) {
    this.capacity = capacity;
    this.farOffset = capacity << twoColumnsShift;
    this.#start = start;
    this.#bytes = new Uint8Array(memory);
    this.#ints = new Int32Array(memory);
    this.#floats = new Float32Array(memory);
  }

  address(list: number): number {
    return this.#start + list * bytesOfList(this.capacity);
  }

  length(list: number): number {
    return this.#ints[this.address(list) >> 2]!;
  }

  threshold(list: number): number {
    return this.#floats[(this.address(list) + thresholdAt) >> 2]!;
  }

  /** Whether a list had no space for all that came near. */
  overflowed(list: number): boolean {
    return this.#ints[(this.address(list) + overflowedAt) >> 2] === 1;
  }

  markOverflowed(list: number): void {
    this.#ints[(this.address(list) + overflowedAt) >> 2] = 1;
  }

  /** Empties a list; what exceeds `threshold` will be taken. */
  reset(list: number, threshold: number): void {
    const header = this.address(list);
    this.#ints[header >> 2] = 0;
    this.#floats[(header + thresholdAt) >> 2] = threshold;
    this.#ints[(header + overflowedAt) >> 2] = 0;
    this.#ints[(header + nextAt) >> 2] = 0;
  }

  /** Says that a list has no far entries. */
  resetFar(list: number): void {
    this.#ints[(this.address(list) + this.farOffset) >> 2] = 0;
  }

  /** Makes a list of the ids 0 … length-1, without scores. */
  count(list: number, length: number): void {
    this.#ints[this.address(list) >> 2] = length;
    const ids = this.#placeOf(list, idColumn);
    for (let entry = 0; entry < length; entry++) this.#ints[ids + entry] = entry;
  }

  copy(from: number, to: number): void {
    if (from !== to) this.#bytes.copyWithin(this.address(to), this.address(from), this.address(from + 1));
  }

  /** Gives the entries of a list the mean of their text-to-image and image-to-image scores as what they are ranked by. */
  average(list: number): void {
    const floats = this.#floats;
    const [to, t2i, i2i] = [
      this.#placeOf(list, scoreColumn),
      this.#placeOf(list, t2iColumn),
      this.#placeOf(list, i2iColumn),
    ];
    for (let entry = 0, length = this.length(list); entry < length; entry++)
      floats[to + entry] = Math.fround(floats[t2i + entry]! + floats[i2i + entry]!) / 2;
  }

  /** The ids of a list's entries, which may change with the list. */
  ids(list: number): Int32Array {
    const start = this.#placeOf(list, idColumn);
    return this.#ints.subarray(start, start + this.length(list));
  }

  /** As `ids`, one of the columns of scores. */
  scores(list: number, column: number): Float32Array {
    const start = this.#placeOf(list, column);
    return this.#floats.subarray(start, start + this.length(list));
  }

  /** The address of the first score of a list. */
  scoresAddress(list: number): number {
    return this.address(list) + listHeaderBytes;
  }

  /** Where a column begins, in numbers of 32 bits. */
  #placeOf(list: number, column: number): number {
    return (this.address(list) + listHeaderBytes + (this.capacity << columnShift) * column) >> 2;
  }
}
