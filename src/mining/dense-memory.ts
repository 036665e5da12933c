import { dotsTableBytes, partialSums } from "./dots-kernel.ts";
import { laneTable } from "./part-kernel.ts";
import { rankBytes } from "./ranking-kernel.ts";
import type { ScreenShape } from "./screen.ts";
import { createScreenKernel, type ScreenKernel, screenListBytes } from "./screen-kernel.ts";
import { listHeaderBytes } from "./selection-kernel.ts";

/** Where the kernel's lists keep the scores that are not ranked by. */
export const [t2iColumn, i2iColumn] = [2, 3];

export type Side = "texts" | "images";

/** Byte addresses in the kernel's memory; lists begin at 0. */
interface Places {
  readonly texts: number;
  readonly images: number;
  /** Addresses of the lists' vectors. */
  readonly vectors: number;
  readonly scales: number;
  readonly offsets: number;
  /** The `laneTable`. */
  readonly lanes: number;
  readonly scores: number;
  readonly cells: number;
  readonly cellList: number;
  /** What `dots` works with. */
  readonly table: number;
  /** What `rank` works with, and where what it finds is kept: [rows, depth] of each. */
  readonly ranking: number;
  readonly ids: number;
  readonly t2i: number;
  readonly i2i: number;
}

/** The memory of a miner: lists, vectors, a block of scores; taken once. */
export class DenseMemory {
  readonly kernel: ScreenKernel;
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
  readonly ints: Int32Array;
  readonly bits: Uint32Array;
  readonly places: Places;
  /** Entries of a list. */
  readonly capacity: number;
  /** Bytes of a vector, padded to whole steps. */
  readonly stride: number;
  /** Candidates whose vectors lie in `places.cells` at a time, and of those the ones that are scored at a time. */
  readonly cells: number;
  readonly run: number;

  /** Room for `rows` lists of `depth` entries and those that are near, as many vectors of either side, and a block of scores. */
  constructor(rows: number, depth: number, shape: ScreenShape) {
    const capacity = capacityFor(depth);
    const stride = Math.ceil(shape.dimension / partialSums) * partialSums * 4;
    const run = Math.max(64, Math.floor(cacheBytes / stride / 16) * 16);
    const cells = Math.min(shape.columns, run * 8);
    [this.capacity, this.stride, this.run, this.cells] = [capacity, stride, run, cells];
    const widest = Math.max(shape.columns, shape.scouts);
    let end = Math.ceil((rows * screenListBytes(capacity)) / 64) * 64;
    const take = (bytes: number): number => {
      const place = end;
      end += Math.ceil(bytes / 64) * 64;
      return place;
    };
    this.places = {
      texts: take(rows * stride),
      images: take(rows * stride),
      vectors: take(rows * 4),
      scales: take(widest * 4),
      offsets: take(widest * 4),
      lanes: take(256),
      scores: take(shape.rows * widest * 4),
      cells: take(cells * stride),
      cellList: take(screenListBytes(cells)),
      table: take(dotsTableBytes(cells)),
      ranking: take(rankBytes(capacity)),
      ids: take(rows * depth * 4),
      t2i: take(rows * depth * 4),
      i2i: take(rows * depth * 4),
    };
    this.kernel = createScreenKernel(end);
    const { buffer } = this.kernel.memory;
    this.bytes = new Uint8Array(buffer);
    this.floats = new Float32Array(buffer);
    this.ints = new Int32Array(buffer);
    this.bits = new Uint32Array(buffer);
    this.bytes.set(laneTable(), this.places.lanes);
  }

  /** The address of list `at`. */
  list(at: number): number {
    return at * screenListBytes(this.capacity);
  }

  /** Empties list `at`. */
  reset(at: number, threshold: number): void {
    const header = this.list(at) / 4;
    this.ints.fill(0, header, header + 4);
    this.floats[header + 1] = threshold;
  }

  copyList(from: number, to: number): void {
    if (from !== to) this.bytes.copyWithin(this.list(to), this.list(from), this.list(from + 1));
  }

  /** Gives the entries of a list the mean of their two columns as scores. */
  average(list: number, capacity = this.capacity): void {
    const { floats, ints } = this;
    const start = (list + listHeaderBytes) / 4;
    const length = ints[list / 4] as number;
    for (let at = start; at < start + length; at++) {
      const [t2i, i2i] = [floats[at + capacity * t2iColumn] as number, floats[at + capacity * i2iColumn] as number];
      floats[at] = Math.fround(t2i + i2i) / 2;
    }
  }

  /** Tells the kernel the vector of each list. */
  aim(side: Side, vectors: Int32Array): void {
    const [to, base] = [this.places.vectors / 4, this.places[side]];
    for (let at = 0; at < vectors.length; at++) this.ints[to + at] = base + (vectors[at] as number) * this.stride;
  }

  /** Puts vectors of `dimension` entries, end to end in `data`, to `place`, zeros behind each. */
  put(data: Float32Array, dimension: number, place: number): void {
    const width = this.stride / 4;
    const from = place / 4;
    const into = this.floats.subarray(from, from + (data.length / dimension) * width);
    if (width === dimension) {
      into.set(data);
      return;
    }
    for (let at = 0, to = 0; at < data.length; at += dimension, to += width) {
      into.set(data.subarray(at, at + dimension), to);
      into.fill(0, to + dimension, to + width);
    }
  }
}

/** Bytes that an expression of a step takes: its list, and what is kept of that in the end. */
export function listBytes(depth: number): number {
  return screenListBytes(capacityFor(depth)) + depth * 12;
}

function capacityFor(depth: number): number {
  return Math.ceil((depth * 2 + spareEntries) / 16) * 16;
}

/** Room beyond twice the depth for candidates that are near. */
const spareEntries = 1536;
/** Candidates' vectors that are scored at a time: they stay in a second-level cache, or near it. */
const cacheBytes = 2 ** 20;
