/**
 * Exact scores of lists' entries: dot products of their candidates' vectors with the vector of each list.
 *
 * Products are rounded to float32 and summed in float32: entry k to partial sum k mod 8, in order; then sum l + sum (l+4) for l
 * from 0 to 3, and of these (0 + 1) + (2 + 3). So every machine gives the same bits. Three candidates at a time load the
 * list's vector once for all; more partial sums, or more candidates, and the engine runs out of registers.
 *
 * By hand: (1, 2, 0, …, 0) · (3, 4, 0, …, 0): partial sums 3, 8 and six of 0; (3 + 8) + (0 + 0) = 11.
 *
 * The table has a cell for each candidate of a run (whose score it has, as the address of a vector; the score), and behind them what is to be
 * computed (its cell, and where the score belongs). So neighbouring lists of the same vector share its products.
 */
import { columnShift, fourColumnsShift, listHeaderBytes, nextAt } from "./list-layout.ts";
import { sumOf } from "./scores.ts";
import { cellBytes, taskBytes } from "./table-layout.ts";

const noVector = -1;

/**
 * Scores entries of `lists` lists, one after the other from `list` on, those with ids from `firstId` up to `endId`: the dot products of
 * their candidates' vectors, of `stride` bytes (a multiple of 32) from `candidates` on, with the vector of each list, whose
 * address is in the int32s at `vectors`; into `column` (0 the scores, 2 and 3 the others). Ranges of ids must follow each
 * other, the first one beginning at 0. `table` has the bytes that `tableBytes` tells.
 */
export function rescore(
  list: usize,
  lists: i32,
  capacity: usize,
  firstId: i32,
  endId: i32,
  candidates: usize,
  stride: usize,
  vectors: usize,
  column: usize,
  table: usize,
): void {
  const width = capacity << columnShift;
  const tasks = table + ((endId - firstId) << 3);
  for (let cell = table; cell < tasks; cell += cellBytes) store<i32>(cell, noVector);
  for (; lists > 0; lists--) {
    const scores = list + listHeaderBytes;
    const ids = scores + width;
    const stop = ids + (load<i32>(list) << 2);
    const vector = load<usize>(vectors);
    let id = ids + (firstId === 0 ? 0 : load<usize>(list, nextAt) << 2);
    let entry = scores + width * column + (id - ids);
    let end = tasks;
    // Of the list's entries in this run, those whose products are there get them, and the others are noted.
    while (i32(id < stop) & i32(load<i32>(id) < endId)) {
      const cell = table + ((load<i32>(id) - firstId) << 3);
      if (load<usize>(cell) === vector) store<f32>(entry, load<f32>(cell, 4));
      else {
        store<usize>(cell, vector);
        store<usize>(end, cell);
        store<usize>(end, entry, 4);
        end += taskBytes;
      }
      id += 4;
      entry += 4;
    }
    multiply(tasks, end, table, candidates, stride, vector);
    store<usize>(list, (id - ids) >> 2, nextAt);
    list += (capacity << fourColumnsShift) + listHeaderBytes;
    vectors += 4;
  }
}

/**
 * The products from `task` to `end`, three at a time: the last one thrice where it comes to that. As a call of its own it would take a
 * twentieth longer. (Biome does not know such decorators and leaves this file alone.)
 */
// @ts-ignore: decorator
@inline
function multiply(task: usize, end: usize, table: usize, candidates: usize, stride: usize, vector: usize): void {
  if (task === end) return;
  const last = load<u64>(end - taskBytes);
  store<u64>(end, last);
  store<u64>(end, last, taskBytes);
  const stop = vector + stride;
  for (; task < end; task += 3 * taskBytes) {
    let a = candidates + ((load<usize>(task) - table) >> 3) * stride;
    let b = candidates + ((load<usize>(task, taskBytes) - table) >> 3) * stride;
    let c = candidates + ((load<usize>(task, 2 * taskBytes) - table) >> 3) * stride;
    let lowA = f32x4.splat(0);
    let highA = f32x4.splat(0);
    let lowB = f32x4.splat(0);
    let highB = f32x4.splat(0);
    let lowC = f32x4.splat(0);
    let highC = f32x4.splat(0);
    let at = vector;
    do {
      const low = v128.load(at);
      const high = v128.load(at, 16);
      lowA = f32x4.add(lowA, f32x4.mul(low, v128.load(a)));
      highA = f32x4.add(highA, f32x4.mul(high, v128.load(a, 16)));
      lowB = f32x4.add(lowB, f32x4.mul(low, v128.load(b)));
      highB = f32x4.add(highB, f32x4.mul(high, v128.load(b, 16)));
      lowC = f32x4.add(lowC, f32x4.mul(low, v128.load(c)));
      highC = f32x4.add(highC, f32x4.mul(high, v128.load(c, 16)));
      at += 32;
      a += 32;
      b += 32;
      c += 32;
    } while (at < stop);
    finish(task, sumOf(f32x4.add(lowA, highA)));
    finish(task + taskBytes, sumOf(f32x4.add(lowB, highB)));
    finish(task + 2 * taskBytes, sumOf(f32x4.add(lowC, highC)));
  }
}

function finish(task: usize, score: f32): void {
  store<f32>(load<usize>(task), score, 4);
  store<f32>(load<usize>(task, 4), score);
}
