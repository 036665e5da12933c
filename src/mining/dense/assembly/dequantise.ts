/** By hand: 300 with a candidate's scale of 0.5, an offset of 1 and a row's scale of 0.01: 300 · 0.5 · 0.01 + 1 = 2.5. */

/** Turns `count` (a multiple of 4) int32 at `scores` into floats, in place: value · scales[i] · scale + offsets[i]. */
export function dequantise(scores: usize, count: i32, scales: usize, offsets: usize, scale: f32): void {
  const end = scores + (count << 2);
  const factor = f32x4.splat(scale);
  while (scores < end) {
    const scaled = f32x4.mul(f32x4.convert_i32x4_s(v128.load(scores)), v128.load(scales));
    v128.store(scores, f32x4.add(f32x4.mul(scaled, factor), v128.load(offsets)));
    scores += 16;
    scales += 16;
    offsets += 16;
  }
}
