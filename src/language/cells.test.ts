import { describe, expect, it } from "vitest";
import { allowedCells, positionsOf } from "./index.ts";

describe("allowedCells", () => {
  it("binds the outermost column or row of any grid", () => {
    expect(allowedCells("left man", 4, 3)).toEqual([0, 4, 8]);
    expect(allowedCells("right man", 4, 3)).toEqual([3, 7, 11]);
    expect(allowedCells("top man", 4, 3)).toEqual([0, 1, 2, 3]);
    expect(allowedCells("bottom left man", 4, 3)).toEqual([8]);
  });

  it("has a middle on odd counts only", () => {
    expect(allowedCells("middle man", 3, 3)).toEqual([4]);
    expect(allowedCells("middle man", 2, 2)).toEqual([]);
    expect(allowedCells("middle man", 3, 2)).toEqual([]);
    expect(allowedCells("middle man", 3, 1)).toEqual([1]);
    expect(allowedCells("top middle man", 3, 2)).toEqual([1]);
    expect(allowedCells("middle row", 2, 3)).toEqual([2, 3]);
  });

  it("leaves a corner the corner cells of its side", () => {
    expect(allowedCells("left corner", 3, 3)).toEqual([0, 6]);
    expect(allowedCells("bottom corner", 3, 3)).toEqual([6, 8]);
    expect(allowedCells("top right corner", 3, 3)).toEqual([2]);
    expect(allowedCells("in the corner", 3, 3)).toEqual([]);
  });

  it("keeps the complement of a denied place, and of several", () => {
    expect(allowedCells("not the top left one", 2, 2)).toEqual([1, 2, 3]);
    expect(allowedCells("not the top left or bottom right one", 2, 2)).toEqual([1, 2]);
    expect(allowedCells("neither left nor right", 3, 1)).toEqual([1]);
    expect(allowedCells("not in the middle", 2, 2)).toEqual([0, 1, 2, 3]);
    expect(allowedCells("not in the middle", 3, 1)).toEqual([0, 2]);
  });

  it("keeps everything in a grid of one cell, and an axis of one cell out of the question", () => {
    for (const text of [
      "left man",
      "second giraffe",
      "in the corner",
      "left and right",
      "not the left one",
      "middle",
    ]) {
      expect(allowedCells(text, 1, 1), text).toEqual([0]);
    }
    expect(allowedCells("left man", 1, 3)).toEqual([0, 1, 2]);
    expect(allowedCells("not the left man", 1, 2)).toEqual([0, 1]);
    expect(allowedCells("top left man", 1, 2)).toEqual([0]);
  });

  it("takes a finding as well as a text, and gives all cells where nothing binds", () => {
    expect(allowedCells(positionsOf("lady in hat"), 3, 2)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(allowedCells("", 2, 2)).toEqual([0, 1, 2, 3]);
  });

  it("refuses counts that make no grid", () => {
    for (const bad of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => allowedCells("left", bad, 2)).toThrow(/expected columns/);
      expect(() => allowedCells("left", 2, bad)).toThrow(/expected rows/);
    }
  });
});
