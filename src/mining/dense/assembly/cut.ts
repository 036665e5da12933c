/**
 * Cutting a list: its best `depth` entries stay, or those and what is near them. Entries move to the front in order; one that does not
 * stay is written all the same, and the next one over it, which saves a jump that nobody could predict.
 *
 * By hand, of scores 5 1 4 4 4 to a depth of 2: the score found is 4; 5 is above it, so one tie stays, the first: 5 4. With a
 * margin of 2 all above 4 - 2 = 2 stay: 5 4 4 4.
 */
import { columnShift, listHeaderBytes, thresholdAt } from "./list-layout.ts";
import { searchList } from "./scores.ts";

/** Cuts a list to `depth` entries and a few more (at most a sixteenth of the depth); ties keep the earlier ones. Moves scores and ids. */
export function cut(list: usize, capacity: usize, depth: i32): void {
  const length = load<i32>(list);
  if (length <= depth) return;
  const width = capacity << columnShift;
  const scores = list + listHeaderBytes;
  const end = scores + (length << 2);
  const low = searchList(scores, length, depth);
  let ties = depth;
  for (let at = scores; at < end; at += 4) ties -= i32(load<f32>(at) > low);
  let to = scores;
  for (let at = scores; at < end; at += 4) {
    const score = load<f32>(at);
    const isTie = i32(score === low);
    store<f32>(to, score);
    store<i32>(to + width, load<i32>(at + width));
    to += ((isTie & i32(ties > 0)) | i32(score > low)) << 2;
    ties -= isTie;
  }
  store<i32>(list, (to - scores) >> 2);
  store<f32>(list, low, thresholdAt);
}

/** Leaves only what is within the margin of the `depth` best. Moves scores and ids. */
export function cutToMargin(list: usize, capacity: usize, depth: i32, margin: f32): void {
  const length = load<i32>(list);
  if (length <= depth) return;
  const width = capacity << columnShift;
  const scores = list + listHeaderBytes;
  const end = scores + (length << 2);
  const low = searchList(scores, length, depth) - margin;
  let to = scores;
  for (let at = scores; at < end; at += 4) {
    const score = load<f32>(at);
    store<f32>(to, score);
    store<i32>(to + width, load<i32>(at + width));
    to += i32(score > low) << 2;
  }
  store<i32>(list, (to - scores) >> 2);
  store<f32>(list, low, thresholdAt);
}
