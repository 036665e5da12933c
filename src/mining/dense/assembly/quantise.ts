/**
 * A row in steps (see `row-quantiser.ts`), in float32. Memory, `bytes` a row:
 *
 *   0 largest (float32) · 4 error · 8 length · 12 shift · 64 row q · mean ν · factors w · candidates' mean μ ·
 *   q̃ (float32 each) · steps (uint8)
 *
 * By hand, of one entry: q = 0.5, ν = 0.1, w = 2, μ = 3: q̃ = (0.5 - 0.1) · 2 = 0.8, shift 0.5 · 3 = 1.5. In steps of 0.3 that is
 * 0.8 / 0.3 = 2.67, rounded 3, as a byte 131; length (3 · 0.3)² = 0.81 and error (0.8 - 0.9)² = 0.01.
 */

import { errorAt, largestAt, lengthAt, rowAt, shiftAt } from "./row-layout.ts";
import { sumOf } from "./scores.ts";

const mostSteps: f32 = 127;
const zeroByte = 128;

/** q̃, its largest entry, and the shift. */
export function measure(bytes: usize): void {
  const end = bytes + rowAt;
  const toMean = bytes * 3;
  let largest = f32x4.splat(0);
  let low = f32x4.splat(0);
  let high = f32x4.splat(0);
  for (let at: usize = rowAt; at < end; at += 32) {
    low = f32x4.add(low, f32x4.mul(v128.load(at), v128.load(at + toMean)));
    high = f32x4.add(high, f32x4.mul(v128.load(at, 16), v128.load(at + toMean, 16)));
    largest = f32x4.max(largest, measureFour(at, bytes));
    largest = f32x4.max(largest, measureFour(at + 16, bytes));
  }
  const first = max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1));
  store<f32>(largestAt, max(first, max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3))));
  store<f32>(shiftAt, sumOf(f32x4.add(low, high)));
}

/** Makes four entries of q̃, and returns their magnitudes. */
function measureFour(at: usize, bytes: usize): v128 {
  const value = f32x4.mul(f32x4.sub(v128.load(at), v128.load(at + bytes)), v128.load(at + bytes * 2));
  v128.store(at + bytes * 4, value);
  return f32x4.max(value, f32x4.sub(f32x4.splat(0), value));
}

/** The steps of q̃, of `scale` each (`inverse` is one over it), the squares of its error and of its rounded length. */
export function round(bytes: usize, scale: f32, inverse: f32): void {
  const end = bytes * 5 + rowAt;
  const scales = f32x4.splat(scale);
  const inverses = f32x4.splat(inverse);
  let error = f32x4.splat(0);
  let length = f32x4.splat(0);
  let to = end;
  for (let at = bytes * 4 + rowAt; at < end; at += 64) {
    let value = v128.load(at);
    let steps = stepsOf(value, inverses);
    let rounded = f32x4.mul(steps, scales);
    error = addSquare(error, f32x4.sub(value, rounded));
    length = addSquare(length, rounded);
    const a = shiftedOf(steps);
    value = v128.load(at, 16);
    steps = stepsOf(value, inverses);
    rounded = f32x4.mul(steps, scales);
    error = addSquare(error, f32x4.sub(value, rounded));
    length = addSquare(length, rounded);
    const b = shiftedOf(steps);
    value = v128.load(at, 32);
    steps = stepsOf(value, inverses);
    rounded = f32x4.mul(steps, scales);
    error = addSquare(error, f32x4.sub(value, rounded));
    length = addSquare(length, rounded);
    const c = shiftedOf(steps);
    value = v128.load(at, 48);
    steps = stepsOf(value, inverses);
    rounded = f32x4.mul(steps, scales);
    error = addSquare(error, f32x4.sub(value, rounded));
    length = addSquare(length, rounded);
    const d = shiftedOf(steps);
    v128.store(to, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
    to += 16;
  }
  store<f32>(errorAt, sumOf(error));
  store<f32>(lengthAt, sumOf(length));
}

function stepsOf(value: v128, inverses: v128): v128 {
  const steps = f32x4.nearest(f32x4.mul(value, inverses));
  return f32x4.max(f32x4.min(steps, f32x4.splat(mostSteps)), f32x4.splat(-mostSteps));
}

function addSquare(sum: v128, value: v128): v128 {
  return f32x4.add(sum, f32x4.mul(value, value));
}

function shiftedOf(steps: v128): v128 {
  return i32x4.add(i32x4.trunc_sat_f32x4_s(steps), i32x4.splat(zeroByte));
}
