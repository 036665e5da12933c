import { greyDifference, type ImageSketch, sketchBits } from "./perceptual-hash.ts";

/** Two images that look alike: indices into the lists they came from, and the bits in which their sketches differ. */
export interface AlikePair {
  readonly a: number;
  readonly b: number;
  readonly bits: number;
}

/**
 * Most bits that sketches of one picture differ by after another compression or size. Of 243 photographs saved at
 * quality 30 or at half size none differed in more than 9 bits, cropped by 6 pixels a side in 12; no two different ones in
 * less than 30.
 */
export const defaultAlikeBits = 14;

/** Mean grey levels by which they may differ: keeps flat pictures, whose bits say little, apart. */
const alikeGrey = 10;
const words = sketchBits / 32;

/**
 * Pairs of images that look alike among `first`, or between `first` and `second` where given; undefined entries are
 * passed over. Pairs come in order of a, then b. Sketches lie in buckets by their number of bits set: two that differ in n
 * bits are at most n buckets apart.
 */
export function findSimilarPairs(
  first: readonly (ImageSketch | undefined)[],
  second: readonly (ImageSketch | undefined)[] | undefined,
  maxBits = defaultAlikeBits,
): AlikePair[] {
  const others = second ?? first;
  const own = wordsOf(first);
  const theirs = second === undefined ? own : wordsOf(others);
  const buckets = bucketsOf(others, theirs);
  const pairs: AlikePair[] = [];
  first.forEach((sketch, a) => {
    if (sketch === undefined) return;
    const weight = weightOf(own, a);
    const near: AlikePair[] = [];
    for (let bucket = Math.max(0, weight - maxBits); bucket <= Math.min(sketchBits, weight + maxBits); bucket++) {
      for (const b of buckets[bucket] ?? []) {
        if (second === undefined && b <= a) continue;
        const bits = difference(own, a, theirs, b, maxBits);
        const other = others[b];
        if (bits <= maxBits && other !== undefined && greyDifference(sketch, other) <= alikeGrey)
          near.push({ a, b, bits });
      }
    }
    pairs.push(...near.sort((one, other) => one.b - other.b));
  });
  return pairs;
}

/** The bits of all sketches, four 32-bit words each. */
function wordsOf(sketches: readonly (ImageSketch | undefined)[]): Int32Array {
  const bytes = new Uint8Array((sketches.length * sketchBits) / 8);
  sketches.forEach((sketch, at) => {
    if (sketch !== undefined) bytes.set(sketch.bits, (at * sketchBits) / 8);
  });
  return new Int32Array(bytes.buffer);
}

function bucketsOf(sketches: readonly (ImageSketch | undefined)[], all: Int32Array): number[][] {
  const buckets = Array.from({ length: sketchBits + 1 }, (): number[] => []);
  sketches.forEach((sketch, at) => {
    if (sketch !== undefined) buckets[weightOf(all, at)]?.push(at);
  });
  return buckets;
}

function weightOf(all: Int32Array, at: number): number {
  let bits = 0;
  for (let word = 0; word < words; word++) bits += bitCount(all[at * words + word]!);
  return bits;
}

/** Bits in which two sketches differ; counting ends beyond `enough`. */
function difference(first: Int32Array, a: number, second: Int32Array, b: number, enough: number): number {
  let bits = 0;
  for (let word = 0; word < words && bits <= enough; word++)
    bits += bitCount(first[a * words + word]! ^ second[b * words + word]!);
  return bits;
}

/** Bits set in a 32-bit word. Source: Warren, Hacker's Delight, 5-1. */
function bitCount(value: number): number {
  let n = value - ((value >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
