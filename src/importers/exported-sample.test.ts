import { describe, expect, it } from "vitest";
import { type Rle, rleFromMask, rleToString, rleUnion } from "../kernels/index.ts";
import { readListedTargets } from "./exported-sample.ts";
import { segmentationOf } from "./segmentation.ts";

/** Two pixels of three, and the last two. */
const [first, second] = [Uint8Array.of(1, 1, 0), Uint8Array.of(0, 1, 1)].map((mask) => rleFromMask(mask, 1, 3)) as [
  Rle,
  Rle,
];
const size: [number, number] = [1, 3];
const listed = (rle: Rle, category: string) => ({ category, size, counts: rleToString(rle) });
const read = (...rles: Rle[]) => ({
  segmentation: segmentationOf(rleUnion(rles, 1, 3)),
  size,
  isEmpty: false,
  notes: [],
});

describe("a list of several targets", () => {
  it("is the targets, each with its own mask and name", () => {
    const targets = readListedTargets([listed(first, "cat"), listed(second, "dog")], "r7", read(first, second));
    expect(targets).toMatchObject([
      { id: "r7.0", category: "cat", segmentation: { counts: rleToString(first) } },
      { id: "r7.1", category: "dog", segmentation: { counts: rleToString(second) } },
    ]);
    expect(readListedTargets(null, "r7", read(first))).toBeUndefined();
  });

  it.each([
    ["targets that are not the mask together", [listed(first, "cat")]],
    ["no list", "cat"],
    [
      "a target of another size",
      [{ category: "cat", size: [3, 1], counts: rleToString(first) }, listed(second, "dog")],
    ],
    ["a target without run lengths", [{ category: "cat" }, listed(second, "dog")]],
  ])("is refused with what was expected: %s", (_what, value) => {
    expect(readListedTargets(value, "r7", read(first, second))).toMatchObject({
      complaint: { expected: expect.stringMatching(/target|size|mask/) },
    });
  });
});
