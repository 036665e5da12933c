import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { sampleDir } from "../../test/peers.ts";
import { decodeImage } from "../codecs/index.ts";
import { CounterRandom } from "../kernels/index.ts";
import { findSimilarPairs, greyDifference, type ImageSketch, sketchImage } from "./index.ts";

const grey = new Uint8Array(256).fill(100);
const sketch = fc
  .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.constant(grey))
  .map(([bits, picture]): ImageSketch => ({ bits, grey: picture }));

/** `base` with some bits turned, so that near ones occur. */
const family = fc
  .tuple(sketch, fc.array(fc.array(fc.nat({ max: 127 }), { maxLength: 20 }), { minLength: 2, maxLength: 12 }))
  .map(([base, flips]) =>
    flips.map((places): ImageSketch => {
      const bits = base.bits.slice();
      for (const place of places) bits[place >> 3] = bits[place >> 3]! ^ (1 << (place & 7));
      return { bits, grey: base.grey };
    }),
  );

function bitDifference(a: ImageSketch, b: ImageSketch): number {
  return a.bits.reduce((sum, byte, at) => sum + (byte ^ b.bits[at]!).toString(2).replaceAll("0", "").length, 0);
}

describe("near-duplicate images", () => {
  it("are exactly the pairs that comparing all with all finds", () => {
    fc.assert(
      fc.property(family, fc.integer({ min: 0, max: 30 }), (sketches, maxBits) => {
        const all: unknown[] = [];
        sketches.forEach((one, a) => {
          sketches.forEach((other, b) => {
            const bits = bitDifference(one, other);
            if (b > a && bits <= maxBits) all.push({ a, b, bits });
          });
        });
        expect(findSimilarPairs(sketches, undefined, maxBits)).toEqual(all);
        const [left, right] = [sketches.slice(0, 1), sketches.slice(1)];
        expect(findSimilarPairs(left, right, maxBits).map(({ bits }) => bits)).toEqual(
          right.map((other) => bitDifference(left[0]!, other)).filter((bits) => bits <= maxBits),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("pass over images that could not be decoded", () => {
    const [one] = fc.sample(sketch, 1);
    expect(findSimilarPairs([one, undefined, one], undefined)).toEqual([{ a: 0, b: 2, bits: 0 }]);
  });

  it("are found among 8,000", () => {
    const sketches = Array.from({ length: 8_000 }, (_, at): ImageSketch => {
      const random = new CounterRandom(1, 0, at, 9);
      return { bits: Uint8Array.from({ length: 16 }, () => random.below(256) & random.below(256)), grey };
    });
    sketches[7_999] = sketches[3]!;
    expect(findSimilarPairs(sketches, undefined)).toContainEqual({ a: 3, b: 7_999, bits: 0 });
  });

  const sample = sampleDir();
  it.skipIf(sample === undefined)(
    "tell a photograph that was saved again or made smaller from all others",
    async () => {
      const folder = join(sample!, "images");
      const names = (await readdir(folder)).slice(0, 60);
      const photos: ImageSketch[] = [];
      const copies: ImageSketch[] = [];
      for (const name of names) {
        const bytes = await readFile(join(folder, name));
        photos.push(sketchImage(await decodeImage(bytes)));
        const copy =
          copies.length % 2 === 0 ? sharp(bytes).jpeg({ quality: 30 }) : sharp(bytes).resize(200).jpeg({ quality: 70 });
        copies.push(sketchImage(await decodeImage(await copy.toBuffer())));
      }
      expect(findSimilarPairs(photos, undefined)).toEqual([]);
      expect(findSimilarPairs(photos, copies).map(({ a, b }) => [a, b])).toEqual(names.map((_, at) => [at, at]));
      expect(greyDifference(photos[0]!, copies[0]!)).toBeLessThan(greyDifference(photos[0]!, copies[1]!));
    },
  );
});
