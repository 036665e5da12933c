import { describe, expect, it } from "vitest";
import { areaBin, breakdowns } from "./breakdowns.ts";
import { polygons, truthOf } from "./made-samples.contract.ts";
import type { Truth } from "./truth.ts";

const binOf = (name: string, changes: Partial<Truth>, areaShare = 0.1, noTarget = false): string | undefined =>
  breakdowns.find((breakdown) => breakdown.name === name)!.binOf({ truth: truthOf(changes), areaShare, noTarget });

describe("breakdowns", () => {
  it("bins areas by the paper's bounds, each lower bound inside its bin", () => {
    expect([0, 0.0299, 0.03, 0.0999, 0.1, 0.2399, 0.24, 0.97, 1].map(areaBin)).toEqual([
      "0-3 %",
      "0-3 %",
      "3-4 %",
      "8-10 %",
      "10-12 %",
      "17-24 %",
      "24-100 %",
      "24-100 %",
      "24-100 %",
    ]);
    expect(binOf("area", {}, 0, true)).toBeUndefined();
  });

  it("counts similar objects up to 3 and more", () => {
    expect([0, 1, 2, 3, 40, undefined].map((similarObjects) => binOf("similar", { similarObjects }))).toEqual([
      "0",
      "1",
      "2",
      "3+",
      "3+",
      undefined,
    ]);
  });

  it("bins words 1-5, 6-7, 8-10, 11-20, and beyond", () => {
    const words = (count: number): string => Array.from({ length: count }, () => "mug").join(" ");
    expect([0, 1, 5, 6, 7, 8, 10, 11, 20, 21].map((count) => binOf("length", { text: words(count) }))).toEqual([
      "0",
      "1-5",
      "1-5",
      "6-7",
      "6-7",
      "8-10",
      "8-10",
      "11-20",
      "11-20",
      "21+",
    ]);
  });

  it("knows position words from words that hold one", () => {
    expect(["mug on the left", "leftover pizza", "yellow laptop"].map((text) => binOf("position", { text }))).toEqual([
      "with",
      "without",
      "without",
    ]);
  });

  it("tells one target from several and from none", () => {
    const one = polygons([0, 0, 2, 0, 2, 2]);
    expect(binOf("targets", { segmentations: [one] })).toBe("single");
    expect(binOf("targets", { segmentations: [one, one] })).toBe("several");
    expect(binOf("targets", {}, 0, true)).toBe("none");
  });
});
