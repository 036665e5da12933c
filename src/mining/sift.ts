import { Tensor } from "onnxruntime-node";
import type { StageTimer } from "../io/index.ts";
import type { DenseMemory } from "./dense-memory.ts";
import type { ScoreScreen, ScreenBlock, ScreenRows, ScreenShape } from "./screen.ts";

/** What sifting works with: units are what lists are made for, expressions or images. */
export interface Sifting {
  readonly memory: DenseMemory;
  readonly shape: ScreenShape;
  readonly candidateCount: number;
  readonly blockCount: number;
  readonly depth: number;
  /** Whether lists are left in two parts: see `parted-lists.ts`. */
  readonly parts: boolean;
  /** Vectors [count, dimension] of units. */
  readonly vectorsOf: (first: number, count: number) => Float32Array;
  readonly timing: StageTimer;
  /** For each unit, in the end: see `narrow`. */
  readonly room: Float64Array;
  readonly unit: Float32Array;
}

/** More than float32 loses in the sum of a list's room and in its difference from a score: numbers of at most 4. */
export const roundings = 2 ** -20;

/**
 * Leaves in list u what may be among the best of unit u, by approximate scores. Lists that had no room for it are marked as
 * overflown. Each block of candidates is offered to all units at once: it may have to be read.
 */
export async function siftScores(screen: ScoreScreen, units: number, sifting: Sifting): Promise<void> {
  const { memory, shape, candidateCount, blockCount, depth, timing, room, unit } = sifting;
  const { kernel, capacity, places } = memory;
  const tiles: { readonly first: number; readonly count: number; readonly rows: ScreenRows }[] = [];
  for (let first = 0; first < units; first += screen.rows) {
    const count = Math.min(screen.rows, units - first);
    tiles.push({ first, count, rows: screen.prepare(sifting.vectorsOf(first, count), count) });
  }
  for (let at = 0; at < units; at++) memory.reset(at, Number.NEGATIVE_INFINITY);
  const scores = scoresTensor(memory, screen.raw, screen.rows, shape.columns);
  for (let index = 0, firstId = 0; index < blockCount; index++, firstId += shape.columns) {
    const loading = timing.now();
    const block = await screen.load(index);
    if (block !== undefined) placeFactors(memory, block);
    timing.since("reading", loading);
    const valid = Math.min(shape.columns, candidateCount - firstId);
    for (const { first, count, rows } of tiles) {
      const asked = timing.now();
      await screen.score(rows, scores);
      const made = timing.since("product", asked);
      for (let row = 0; row < count; row++) {
        const place = places.scores + row * shape.columns * 4;
        if (block !== undefined) {
          kernel.widen(place, shape.columns, places.scales, places.offsets, rows.scales[row] as number);
        }
        const margin = rows.margins[row] as number;
        kernel.sift(memory.list(first + row), capacity, depth, margin, place, valid, firstId);
      }
      timing.since("selection", made);
    }
  }
  const start = timing.now();
  for (const { first, count, rows } of tiles) {
    for (let row = 0; row < count; row++) {
      const margin = rows.margins[row] as number;
      const list = memory.list(first + row);
      endSift(sifting, list, margin);
      room[first + row] = (rows.shifts[row] as number) + margin / 2 + roundings;
      unit[first + row] = 1;
      if ((memory.ints[list / 4] as number) < depth) memory.ints[list / 4 + 2] = 1;
    }
  }
  timing.since("selection", start);
}

/** Leaves only what is within the margin of the `depth` best. */
export function endSift({ memory, depth, parts }: Sifting, list: number, margin: number): void {
  if (parts) memory.kernel.part(list, memory.capacity, depth, margin, memory.places.lanes);
  else memory.kernel.siftCut(list, memory.capacity, depth, margin);
}

/** The memory's scores as a tensor [rows, columns]. */
export function scoresTensor(
  { places, floats, ints }: DenseMemory,
  type: "int32" | "float32",
  rows: number,
  columns: number,
): Tensor {
  const [from, to] = [places.scores / 4, places.scores / 4 + rows * columns];
  return type === "int32"
    ? new Tensor(type, ints.subarray(from, to), [rows, columns])
    : new Tensor(type, floats.subarray(from, to), [rows, columns]);
}

/** Puts what turns raw scores into approximate ones where the kernel finds it. */
export function placeFactors({ floats, places }: DenseMemory, { scales, offsets }: ScreenBlock): void {
  floats.set(scales, places.scales / 4);
  floats.set(offsets, places.offsets / 4);
}
