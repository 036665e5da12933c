import type { WasmKernel } from "../../kernels/index.ts";
import { cellBytes, taskBytes } from "./assembly/table-layout.ts";
import { type DenseKernel, openDense } from "./compiled/dense.ts";
import { laneTable, laneTableBytes } from "./lane-table.ts";
import { bytesOfList, Lists } from "./lists.ts";
import type { ScreenShape } from "./screen.ts";

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
  /** What `rescore` works with. */
  readonly table: number;
  /** What `rank` works with, and where what it finds is kept: [rows, depth] of each. */
  readonly ranking: number;
  readonly ids: number;
  readonly t2i: number;
  readonly i2i: number;
}

/** The memory of a miner: lists, vectors, a block of scores; taken once. */
export class DenseMemory {
  readonly kernel: WasmKernel<DenseKernel>;
  readonly places: Places;
  readonly lists: Lists;
  /** The one list at `places.cellList`, with an entry for each of the candidates in `places.cells`. */
  readonly cellList: Lists;
  /** Bytes of a vector, padded to whole steps. */
  readonly stride: number;
  /** Candidates whose vectors lie in `places.cells` at a time, and of those the ones that are scored at a time. */
  readonly cells: number;
  readonly run: number;

  /** Space for `rows` lists of `depth` entries and those that are near, as many vectors of either side, and a block of scores. */
  constructor(rows: number, depth: number, shape: ScreenShape) {
    const capacity = capacityFor(depth);
    const stride = Math.ceil(shape.dimension / partialSums) * partialSums * 4;
    const run = Math.max(64, Math.floor(cacheBytes / stride / 16) * 16);
    const cells = Math.min(shape.columns, run * 8);
    [this.stride, this.run, this.cells] = [stride, run, cells];
    const widest = Math.max(shape.columns, shape.sampleSize);
    let end = 0;
    const take = (bytes: number): number => {
      const place = end;
      end += Math.ceil(bytes / 64) * 64;
      return place;
    };
    take(rows * bytesOfList(capacity));
    this.places = {
      texts: take(rows * stride),
      images: take(rows * stride),
      vectors: take(rows * 4),
      scales: take(widest * 4),
      offsets: take(widest * 4),
      lanes: take(laneTableBytes),
      scores: take(shape.rows * widest * 4),
      cells: take(cells * stride),
      cellList: take(bytesOfList(cells)),
      table: take(tableBytes(cells)),
      ranking: take(rankBytes(capacity)),
      ids: take(rows * depth * 4),
      t2i: take(rows * depth * 4),
      i2i: take(rows * depth * 4),
    };
    this.kernel = openDense(end);
    const { buffer } = this.kernel.bytes;
    this.lists = new Lists(buffer, capacity);
    this.cellList = new Lists(buffer, cells, this.places.cellList);
    this.kernel.bytes.set(laneTable(), this.places.lanes);
  }

  /** Tells the kernel the vector of each list. */
  aim(side: Side, vectors: Int32Array): void {
    const [to, base] = [this.places.vectors / 4, this.places[side]];
    for (let at = 0; at < vectors.length; at++) this.kernel.ints[to + at] = base + vectors[at]! * this.stride;
  }

  /** Vector `row` of a side, without its padding; valid until other vectors are put there. */
  vector(side: Side, row: number, dimension: number): Float32Array {
    const start = (this.places[side] + row * this.stride) / 4;
    return this.kernel.floats.subarray(start, start + dimension);
  }

  /** Puts vectors of `dimension` entries, end to end in `data`, to `place`, zeros behind each. */
  put(data: Float32Array, dimension: number, place: number): void {
    const width = this.stride / 4;
    const from = place / 4;
    const into = this.kernel.floats.subarray(from, from + (data.length / dimension) * width);
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
  return bytesOfList(capacityFor(depth)) + depth * 12;
}

/** Bytes that `rescore` needs for runs of at most `cells` candidates: what it pads the last three products with is one or two more. */
export function tableBytes(cells: number): number {
  return cells * cellBytes + (cells + 3) * taskBytes;
}

/** Bytes that `rank` works in, for lists of at most `capacity` entries. */
export function rankBytes(capacity: number): number {
  return 4 * (3 * capacity + 8);
}

function capacityFor(depth: number): number {
  return Math.ceil((depth * 2 + spareEntries) / 16) * 16;
}

/** Entries beyond twice the depth, for candidates that are near. */
const spareEntries = 1536;
/** Entries of a vector that `rescore` sums apart; vectors are padded to a multiple of them. */
const partialSums = 8;
/** Candidates' vectors that are scored at a time: they stay in a second-level cache, or near it. */
const cacheBytes = 2 ** 20;
