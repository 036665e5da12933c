/**
 * Looking at many scores at once, four by four:
 *
 *   search   a score that at least `depth` of them reach and few more do, by bisection: count how many reach the middle of two scores,
 *            take the upper or the lower half, and stop as soon as the count is at most a sixteenth above the depth
 *
 * By hand: of 1, 2, …, 8 a score that 3 reach and no more than 3 do: 1 and 8 have the middle 4.5, which 4 reach: too low; 6.25,
 * which 2 reach: too high; 5.375, which 3 reach: found.
 */

/** How many entries a cut to `depth` may leave. */
export function mostOf(depth: i32): i32 {
  return depth + (depth >> 4);
}

/** The lowest of the scores from `at` to `end` in lane 0, the highest in lane 1. */
export function extremesOf(at: usize, end: usize): v128 {
  let lowest = v128.load(at);
  let highest = lowest;
  for (at += 16; at < end; at += 16) {
    const four = v128.load(at);
    lowest = f32x4.min(lowest, four);
    highest = f32x4.max(highest, four);
  }
  const low = min(f32x4.extract_lane(lowest, 0), f32x4.extract_lane(lowest, 1));
  const high = max(f32x4.extract_lane(highest, 0), f32x4.extract_lane(highest, 1));
  return f32x4.replace_lane(
    f32x4.splat(min(low, min(f32x4.extract_lane(lowest, 2), f32x4.extract_lane(lowest, 3)))),
    1,
    max(high, max(f32x4.extract_lane(highest, 2), f32x4.extract_lane(highest, 3))),
  );
}

/** Sums of neighbours, and their sum: always in this order, since float32 rounds. */
export function sumOf(four: v128): f32 {
  const first = f32x4.extract_lane(four, 0) + f32x4.extract_lane(four, 1);
  return first + (f32x4.extract_lane(four, 2) + f32x4.extract_lane(four, 3));
}

/**
 * A score that at least `depth` of the scores from `at` to `end` reach and at most `most` do; where ties forbid that, the largest
 * that at least `depth` reach; not a number where one of them is none.
 */
export function search(at: usize, end: usize, depth: i32, most: i32): f32 {
  return searchBetween(at, end, depth, most, extremesOf(at, end));
}

function searchBetween(at: usize, end: usize, depth: i32, most: i32, extremes: v128): f32 {
  let low = f32x4.extract_lane(extremes, 0);
  let high = f32x4.extract_lane(extremes, 1);
  // Bisection needs an upper end that fewer reach, and a finite one.
  if (countReaching(at, end, high) >= depth) low = high;
  high = min(high, f32.MAX_VALUE);
  if (low < high && countReaching(at, end, high) >= depth) low = high;
  let middle = middleOf(low, high);
  while (middle > low && middle < high) {
    const count = countReaching(at, end, middle);
    if (count < depth) high = middle;
    else {
      low = middle;
      if (count <= most) break;
    }
    middle = middleOf(low, high);
  }
  return low;
}

/**
 * As `search`, of the `length` scores from `scores` on, for the most that a cut may leave. Behind the last score it fills up a step
 * of four with -∞, which no bound counts.
 */
export function searchList(scores: usize, length: i32, depth: i32): f32 {
  const last = scores + (length << 2);
  const end = scores + (((length + 3) & -4) << 2);
  fill(last, end, load<f32>(scores));
  const extremes = extremesOf(scores, end);
  fill(last, end, -Infinity);
  return searchBetween(scores, end, depth, mostOf(depth), extremes);
}

/**
 * A score that at least `wanted` of the `count` (a multiple of 4) scores at `scores` reach, and few more do unless they are
 * equal; the lowest where there are fewer than that.
 */
export function reachedBy(scores: usize, count: i32, wanted: i32): f32 {
  return search(scores, scores + (count << 2), wanted, wanted + 2);
}

function countReaching(at: usize, end: usize, bound: f32): i32 {
  const bounds = f32x4.splat(bound);
  let sums = i32x4.splat(0);
  for (; at < end; at += 16) sums = i32x4.sub(sums, f32x4.ge(v128.load(at), bounds));
  const first = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1);
  return first + (i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3));
}

function middleOf(low: f32, high: f32): f32 {
  return low * 0.5 + high * 0.5;
}

export function fill(at: usize, end: usize, value: f32): void {
  for (; at < end; at += 4) store<f32>(at, value);
}
