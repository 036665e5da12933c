/**
 * The best of a list in order. Scores go into as many buckets as there are, evenly over their range: they spread well, so that each holds
 * few. Then insertion puts right what is left.
 *
 * By hand, of 0.1 0.9 0.5 0.8: (0.9 - score) · (3.5 / 0.8) gives the buckets 3 0 1 0; with 2 1 0 1 in them these end at 2 3 3 4.
 * In order of buckets that is 0.9 0.8 0.5 0.1, in which nothing has to move.
 *
 * In `work`: buckets (int32 × capacity) · counts, then ends of the buckets (int32 × (capacity + 4)) · addresses of scores in
 * order (int32 × capacity). Steps of four write up to three behind the last.
 */
import { columnShift, listHeaderBytes } from "./list-layout.ts";
import { extremesOf, fill } from "./scores.ts";

/** Entries of a bucket that are moved to their places one by one: more of them in one, and the list is left to a radix sort. */
const crowded = 24;

/**
 * Writes the ids of the `depth` best of a list, best first, ties in order, to `ids`, and two of its columns to `first` and `second`;
 * returns 1. The list has at least `depth` entries, all of them numbers. Where scores crowd it writes nothing and returns 0.
 */
export function rank(
  list: usize,
  capacity: usize,
  depth: i32,
  work: usize,
  ids: usize,
  first: usize,
  second: usize,
  firstColumn: usize,
  secondColumn: usize,
): i32 {
  const width = capacity << columnShift;
  const counts = work + width;
  const order = counts + width + 16;
  const scores = list + listHeaderBytes;
  const length = load<i32>(list);
  chooseBuckets(scores, length, work);
  if (!countBuckets(work, length, counts, order)) return 0;
  scatter(work, length, counts, scores);
  insert(order, order + (length << 2), scores);
  const end = order + (depth << 2);
  const firstOffset = width * firstColumn;
  const secondOffset = width * secondColumn;
  for (let at = order; at < end; at += 4) {
    const score = load<usize>(at);
    store<i32>(ids, load<i32>(score + width));
    store<i32>(first, load<i32>(score + firstOffset));
    store<i32>(second, load<i32>(score + secondOffset));
    ids += 4;
    first += 4;
    second += 4;
  }
  return 1;
}

/** The bucket of each score, the highest in bucket 0. */
function chooseBuckets(scores: usize, length: i32, work: usize): void {
  const end = scores + (((length + 3) & -4) << 2);
  fill(scores + (length << 2), end, load<f32>(scores));
  const extremes = extremesOf(scores, end);
  const lowest = f32x4.extract_lane(extremes, 0);
  const highest = f32x4.extract_lane(extremes, 1);
  const tops = f32x4.splat(highest);
  const share = f32x4.splat((f32(length) - 0.5) / (highest - lowest));
  // Without a range all are in the first bucket; what rounding puts beyond the last belongs to it.
  const last = f32x4.splat(f32(length) - 1);
  for (let at = scores; at < end; at += 16) {
    const bucket = f32x4.min(f32x4.mul(f32x4.sub(tops, v128.load(at)), share), last);
    v128.store(work, i32x4.trunc_sat_f32x4_s(bucket));
    work += 16;
  }
}

/** Where in `order` each bucket begins; false where one of them holds too many. */
function countBuckets(work: usize, length: i32, counts: usize, order: usize): bool {
  const end = counts + (length << 2);
  for (let at = counts; at < end; at += 16) v128.store(at, i32x4.splat(0));
  const workEnd = work + (length << 2);
  for (let at = work; at < workEnd; at += 4) {
    const count = counts + (load<i32>(at) << 2);
    store<i32>(count, load<i32>(count) + 1);
  }
  let start = order;
  let isCrowded = 0;
  for (let at = counts; at < end; at += 4) {
    const count = load<i32>(at);
    isCrowded |= i32(count > crowded);
    store<usize>(at, start);
    start += count << 2;
  }
  return isCrowded === 0;
}

/** Puts the addresses of scores where their buckets are. */
function scatter(work: usize, length: i32, counts: usize, scores: usize): void {
  const end = work + (length << 2);
  for (let at = work; at < end; at += 4) {
    const bucket = counts + (load<i32>(at) << 2);
    const to = load<usize>(bucket);
    store<usize>(to, scores);
    store<usize>(bucket, to + 4);
    scores += 4;
  }
}

/** Sorts by insertion. Buckets are in order, so nothing moves out of its own; equal scores stay as they came. */
function insert(order: usize, end: usize, scores: usize): void {
  // The one before the first is looked at, and never followed.
  store<usize>(order - 4, scores);
  for (let at = order + 4; at < end; at += 4) {
    const address = load<usize>(at);
    const score = load<f32>(address);
    let to = at;
    if (load<f32>(load<usize>(to - 4)) < score) {
      do {
        store<usize>(to, load<usize>(to - 4));
        to -= 4;
      } while (i32(to > order) & i32(load<f32>(load<usize>(to - 4)) < score));
      store<usize>(to, address);
    }
  }
}
