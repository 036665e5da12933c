import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ScoreOrder } from "./score-order.ts";

function sorted(scores: readonly number[]): number[] {
  return scores.map((_, at) => at).sort((a, b) => scores[b]! - scores[a]! || a - b);
}

const float = fc.float({ noNaN: true });
const capacity = 400;
/** Spread, close to each other, and often equal. */
const scores = fc.oneof(
  fc.array(float, { maxLength: capacity }),
  fc.array(fc.float({ min: 0.25, max: 0.5, noNaN: true }), { maxLength: capacity }),
  fc.array(fc.constantFrom(0, -0, 0.5, -0.5, 1e-45, -1e-45, Math.fround(0.1)), { maxLength: capacity }),
);

describe("ScoreOrder", () => {
  it("puts the largest first, equal ones in order, whatever came before", () => {
    const order = new ScoreOrder(capacity);
    fc.assert(
      fc.property(scores, (given) => {
        const found = order.of(Float32Array.from(given)).subarray(0, given.length);
        expect(Array.from(found)).toEqual(sorted(given));
      }),
      { numRuns: 300 },
    );
  });

  it("sorts many scores beside one that is far from them", () => {
    const given = Array.from({ length: capacity }, (_, at) => Math.fround(0.3 + ((at * 7919) % capacity) * 1e-6));
    given[17] = -1e30;
    expect(Array.from(new ScoreOrder(capacity).of(Float32Array.from(given)))).toEqual(sorted(given));
  });
});
