/**
 * Offering scores to a list: what exceeds its threshold is appended, 16 scores or 64 bytes a step; where another step might not fit,
 * the list is cut, which raises the threshold, so that ever fewer scores are appended.
 *
 * By hand, a depth of 2 and a capacity of 20 entries: 17 scores of 1 and three of 3 come in two steps. After the first 16 the list
 * could overflow, is cut to 2 (ties: the first two), and its threshold is 1; of the second step only the three exceed it.
 *
 * `shortlist` keeps all that is within `margin` of the `depth` best instead. A list with too many of these is marked as overflowed,
 * emptied, and takes nothing more.
 */
import { cut, cutToMargin } from "./cut.ts";
import { columnShift, listHeaderBytes, overflowedAt, thresholdAt } from "./list-layout.ts";
import { mostOf, search } from "./scores.ts";

/** In place of a margin: the list is cut to its depth. */
const noMargin: f32 = -1;
const step = 16;
const byteStep = 64;

/**
 * Offers `count` scores at `scores`, with ids from `firstId` on: the `depth` best are kept. An empty list first takes its threshold from
 * the scores themselves.
 */
export function offer(list: usize, capacity: usize, depth: i32, scores: usize, count: i32, firstId: i32): void {
  if (load<i32>(list) === 0 && count > depth << 1) {
    const found = search(scores, scores + ((count & -4) << 2), depth, mostOf(depth));
    // Unless there is something that is not a number, or without bounds.
    if (found > -Infinity) store<f32>(list, nextBelow(found), thresholdAt);
  }
  append(list, capacity, depth, noMargin, scores, count, firstId);
}

/** As `offer`, of approximate scores: keeps what is within `margin` of the `depth` best, or marks the list as overflowed. */
export function shortlist(
  list: usize,
  capacity: usize,
  depth: i32,
  margin: f32,
  scores: usize,
  count: i32,
  firstId: i32,
): void {
  if (load<f32>(list, thresholdAt) === -Infinity && load<i32>(list) === 0 && count > depth << 1) {
    const found = search(scores, scores + ((count & -4) << 2), depth, mostOf(depth));
    store<f32>(list, found - margin, thresholdAt);
  }
  append(list, capacity, depth, margin, scores, count, firstId);
}

/**
 * As `shortlist`, of `count` scores that are bytes, 64 a step, for a list that began with a guess: bytes that exceed the threshold,
 * and never those of 0. Of 64 bytes one or two exceed the threshold: one jump that is guessed wrong for all of them.
 */
export function shortlistBytes(
  list: usize,
  capacity: usize,
  depth: i32,
  margin: f32,
  bytes: usize,
  count: usize,
  firstId: usize,
): void {
  const width = capacity << columnShift;
  const first = list + listHeaderBytes;
  const end = bytes + count;
  let length = load<i32>(list);
  let level = levelOf(list);
  let id = firstId;
  for (let at = bytes; at < end; at += byteStep) {
    let above = (u64(signsOfTwo(at + 32, level)) << 32) | u64(signsOfTwo(at, level));
    if (above !== 0) {
      let to = first + (length << 2);
      do {
        const lane = usize(ctz(above));
        store<f32>(to, f32(i32(load<u8>(at + lane))));
        store<i32>(to + width, id + lane);
        to += 4;
        above &= above - 1;
      } while (above !== 0);
      length = i32((to - first) >> 2);
      if (isFull(length, capacity, byteStep)) {
        store<i32>(list, length);
        makeSpace(list, capacity, depth, margin, byteStep);
        length = load<i32>(list);
        level = levelOf(list);
      }
    }
    id += byteStep;
  }
  store<i32>(list, length);
}

function append(list: usize, capacity: usize, depth: i32, margin: f32, at: usize, count: i32, id: i32): void {
  const width = capacity << columnShift;
  const first = list + listHeaderBytes;
  const end = at + (count << 2);
  const stop = at + ((count & -step) << 2);
  let length = load<i32>(list);
  let threshold = load<f32>(list, thresholdAt);
  let bound = f32x4.splat(threshold);
  for (; at < stop; at += step * 4) {
    const a = f32x4.gt(v128.load(at), bound);
    const b = f32x4.gt(v128.load(at, 16), bound);
    const c = f32x4.gt(v128.load(at, 32), bound);
    const d = f32x4.gt(v128.load(at, 48), bound);
    if (v128.any_true(v128.or(v128.or(a, b), v128.or(c, d)))) {
      let bits = i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
      do {
        const lane = ctz(bits);
        const to = first + (length << 2);
        store<f32>(to, load<f32>(at + (lane << 2)));
        store<i32>(to + width, id + lane);
        length++;
        bits &= bits - 1;
      } while (bits !== 0);
      if (isFull(length, capacity, step)) {
        store<i32>(list, length);
        makeSpace(list, capacity, depth, margin, step);
        length = load<i32>(list);
        threshold = load<f32>(list, thresholdAt);
        bound = f32x4.splat(threshold);
      }
    }
    id += step;
  }
  for (; at < end; at += 4, id++) {
    if (load<f32>(at) > threshold) {
      const to = first + (length << 2);
      store<f32>(to, load<f32>(at));
      store<i32>(to + width, id);
      length++;
    }
  }
  store<i32>(list, length);
  if (isFull(length, capacity, step)) makeSpace(list, capacity, depth, margin, step);
}

/** Whether another step might not fit. */
function isFull(length: i32, capacity: usize, size: i32): bool {
  return length > i32(capacity) - size;
}

function makeSpace(list: usize, capacity: usize, depth: i32, margin: f32, size: i32): void {
  if (margin === noMargin) {
    cut(list, capacity, depth);
    return;
  }
  cutToMargin(list, capacity, depth, margin);
  if (!isFull(load<i32>(list), capacity, size)) return;
  // Nothing exceeds infinity: an overflowed list takes no more.
  store<i32>(list, 1, overflowedAt);
  store<f32>(list, Infinity, thresholdAt);
  store<i32>(list, 0);
}

/** A byte exceeds the threshold where it exceeds the whole number below. */
function levelOf(list: usize): v128 {
  return i8x16.splat(i8(i32(min(max(load<f32>(list, thresholdAt), 0), 255))));
}

/** Whether 32 bytes exceed the level, bit by bit. */
function signsOfTwo(at: usize, level: v128): u32 {
  const low = i8x16.bitmask(i8x16.gt_u(v128.load(at), level));
  return u32(low | (i8x16.bitmask(i8x16.gt_u(v128.load(at, 16), level)) << 16));
}

/** The next smaller float: what exceeds it reaches `value`. */
function nextBelow(value: f32): f32 {
  if (value === 0) return reinterpret<f32>(0x80000001);
  const bits = reinterpret<i32>(value);
  return reinterpret<f32>(value > 0 ? bits - 1 : bits + 1);
}
