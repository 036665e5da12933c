import { describe, expect, it } from "vitest";
import { allowedCells, countIsOpen, positionsOf } from "./index.ts";

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

describe("countIsOpen", () => {
  const open = (text: string, columns = 2, rows = 2): boolean => countIsOpen(positionsOf(text), columns, rows);

  it("is true of a number from a side, where other cells lie beside what is counted", () => {
    for (const text of [
      "second cup from the left",
      "3rd man from right",
      "two from the left",
      "second to last on right",
    ])
      expect(open(text), text).toBe(true);
    expect(open("second shelf from the top")).toBe(true);
    expect(open("second giraffe")).toBe(true);
    expect(open("second cup from the left", 2, 1)).toBe(false);
    expect(open("second cup from the left", 1, 2)).toBe(true);
    expect(open("second shelf from the top", 1, 3)).toBe(false);
  });

  it("is false of places, of the first and the last, and of counts from a thing or in depth", () => {
    const places = ["left cup", "leftmost cup", "first cup from the left", "last chair on right", "cup"];
    const others = ["second to the left of him", "second from the front"];
    for (const text of [...places, ...others]) expect(open(text), text).toBe(false);
  });
});
