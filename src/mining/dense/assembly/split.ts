/**
 * A list in two, so that fewer entries need an exact score. The near entries, among which the `depth` best probably are, are scored
 * exactly first. They tell a score T that `depth` candidates reach. A far one whose approximate score is more than one bound below
 * T cannot be among the best, and only the others are scored:
 *
 *   split → near list, far list → rescore the near → prune the far → rescore the far → merge → one list
 *
 * Without that, all within two bounds of the `depth`-th approximate score would be: one bound for each of the two scores compared.
 * The far list lies in the two columns that the near list has no use for, and is a list itself: its header takes the last four of
 * the near list's ids. A full list has space for 16 entries more, so nobody misses them.
 *
 * By hand, a depth of 1 and scores off by at most 1, so a margin of 2: approximate 7 5.5 5.2 4 split into near 7 and far 5.5 5.2
 * (4 is not within the margin). The near one's exact score is 6.4 = T: 5.2 + 1 cannot reach it and is pruned, 5.5 + 1 can. Its
 * exact score is 6.5: merged, the list holds 6.4 6.5.
 */
import { columnShift, listHeaderBytes, thresholdAt, twoColumnsShift } from "./list-layout.ts";
import { searchList } from "./scores.ts";

/**
 * Leaves in a list the near entries, those that reach a score which at least `depth` reach and few more do, and makes a list of the far
 * ones, which are within the margin. `lanes` is where the `laneTable` lies. Four entries at a time: each vector is stored whole,
 * and what follows writes over the rest of it.
 */
export function split(list: usize, capacity: usize, depth: i32, margin: f32, lanes: usize): void {
  const width = capacity << columnShift;
  const scores = list + listHeaderBytes;
  const farList = list + (capacity << twoColumnsShift);
  const farScores = farList + listHeaderBytes;
  const length = load<i32>(list);
  let far = farScores;
  if (length > depth) {
    const middle = searchList(scores, length, depth);
    const low = middle - margin;
    const middles = f32x4.splat(middle);
    const lows = f32x4.splat(low);
    // Up to there only -∞ is behind the last entry.
    const end = scores + (((length + 3) & -4) << 2);
    let to = scores;
    for (let at = scores; at < end; at += 16) {
      const four = v128.load(at);
      const ids = v128.load(at + width);
      const near = f32x4.ge(four, middles);
      const kept = v128.andnot(f32x4.gt(four, lows), near);
      to += storeLanes(to, width, four, ids, i32x4.bitmask(near), lanes);
      far += storeLanes(far, width, four, ids, i32x4.bitmask(kept), lanes);
    }
    store<i32>(list, (to - scores) >> 2);
    store<f32>(list, low, thresholdAt);
  }
  store<i32>(farList, (far - farScores) >> 2);
}

/**
 * Takes T, a score that at least `depth` of the near entries reach, keeps it as the list's threshold, and drops the far ones that score
 * less than (T - slack) · scale approximately, but none of 255 or more. A list without far ones stays as it is.
 */
export function prune(list: usize, capacity: usize, depth: i32, slack: f32, scale: f32): void {
  const far = list + (capacity << twoColumnsShift);
  if (load<i32>(far) === 0) return;
  const reached = searchList(list + listHeaderBytes, load<i32>(list), depth);
  store<f32>(list, reached, thresholdAt);
  dropBelow(far, capacity << columnShift, min((reached - slack) * scale, 255));
}

/** Moves the far entries that reach the list's threshold exactly into the list, where their ids belong. */
export function merge(list: usize, capacity: usize): void {
  const far = list + (capacity << twoColumnsShift);
  if (load<i32>(far) === 0) return;
  const width = capacity << columnShift;
  dropBelow(far, width, load<f32>(list, thresholdAt));
  const count = load<i32>(far);
  const length = load<i32>(list);
  store<i32>(list, length + count);
  // From the last entry to the first, so that none is written over before it is read.
  const before = list + listHeaderBytes - 4;
  const farBefore = far + listHeaderBytes - 4;
  let near = before + (length << 2);
  let at = farBefore + (count << 2);
  let to = near + (count << 2);
  while (at > farBefore) {
    let from = at;
    if (near > before && load<i32>(near + width) > load<i32>(at + width)) {
      from = near;
      near -= 4;
    } else at -= 4;
    store<f32>(to, load<f32>(from));
    store<i32>(to + width, load<i32>(from + width));
    to -= 4;
  }
}

/** Drops a list's entries below `low`. */
function dropBelow(list: usize, width: usize, low: f32): void {
  const scores = list + listHeaderBytes;
  const end = scores + (load<i32>(list) << 2);
  let to = scores;
  for (let at = scores; at < end; at += 4) {
    const score = load<f32>(at);
    store<f32>(to, score);
    store<i32>(to + width, load<i32>(at + width));
    to += i32(!(score < low)) << 2;
  }
  store<i32>(list, (to - scores) >> 2);
}

/** Stores the entries that `bits` names in order, and returns their bytes. */
function storeLanes(to: usize, width: usize, scores: v128, ids: v128, bits: i32, lanes: usize): usize {
  const order = v128.load(lanes + (bits << 4));
  v128.store(to, i8x16.swizzle(scores, order));
  v128.store(to + width, i8x16.swizzle(ids, order));
  return popcnt(bits) << 2;
}
