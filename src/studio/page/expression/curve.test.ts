import { describe, expect, it } from "vitest";
import { bandEnd, curveScale, kAtRank, rankOfX, scoreOfY, xOfRank, yOfScore } from "./curve.ts";

const scores = Float32Array.from({ length: 400 }, (_, rank) => 0.9 - rank / 500);
const scale = curveScale(scores, [0.95], 600, 180);

describe("the score curve", () => {
  it("finds the rank and the score that a place in the picture shows", () => {
    for (const rank of [0, 1, 7, 60, 399]) expect(rankOfX(scale, xOfRank(scale, rank) + 0.01)).toBe(rank);
    for (const score of [0.95, 0.3, 0.11]) expect(scoreOfY(scale, yOfScore(scale, score))).toBeCloseTo(score, 9);
    expect([rankOfX(scale, -50), rankOfX(scale, 9999)]).toEqual([0, 400]);
  });

  it("keeps every score in sight", () => {
    expect(yOfScore(scale, 0.95)).toBeGreaterThan(0);
    expect(yOfScore(scale, scores[399]!)).toBeLessThan(180);
  });

  it("reads K off the line and puts the line where K is", () => {
    const survivors = Int32Array.of(2, 3, 7, 9);
    for (const k of [1, 2, 3, 4]) expect(kAtRank(survivors, bandEnd(survivors, k))).toBe(k);
    expect([kAtRank(survivors, 0), kAtRank(survivors, 400), bandEnd(survivors, 0)]).toEqual([1, 4, 0]);
  });

  it("ends the band behind its last member where images of the target's kind come first", () => {
    const survivors = Int32Array.of(9, 30, 2, 3);
    expect([1, 2, 3, 4].map((size) => bandEnd(survivors, size))).toEqual([10, 31, 31, 31]);
    expect([1, 3, 10, 31].map((rank) => kAtRank(survivors, rank))).toEqual([1, 1, 3, 4]);
  });
});
