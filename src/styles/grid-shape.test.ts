import { describe, expect, it } from "vitest";
import { gridShapes } from "./index.ts";

describe("gridShapes", () => {
  it("says which grids a setting may draw", () => {
    const [two, three] = [
      [2, 2],
      [3, 3],
    ];
    expect([gridShapes("3x2"), gridShapes("mixed")]).toEqual([[[3, 2]], [two, three]]);
  });
});
