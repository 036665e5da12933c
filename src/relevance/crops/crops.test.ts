import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { smallPool } from "../../../test/small-pool.ts";
import type { Pool } from "../../pool/index.ts";
import { type CropTable, cropsText, cropTable, parseCrops } from "./index.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await smallPool({ images: 3, refsPerImage: 2 });
});
afterAll(() => pool.close());

/** The pool with images of these sizes, and boxes (null: not stated) with a flag for crowds. */
function poolOf(
  images: readonly {
    readonly size: readonly [number, number];
    readonly boxes: readonly (readonly number[] | null)[];
  }[],
  crowds: readonly number[] = [],
): Pool {
  const owners = images.flatMap(({ boxes }, image) => boxes.map(() => image));
  const measures = images.flatMap(({ boxes }) => boxes);
  return {
    folder: "made",
    images: {
      count: images.length,
      width: Int32Array.from(images, ({ size }) => size[0]),
      height: Int32Array.from(images, ({ size }) => size[1]),
    },
    annotations: { isCrowd: measures.map((_, row) => crowds.includes(row)) },
    annotationsOfImage: (image: number) =>
      Int32Array.from(owners.flatMap((owner, row) => (owner === image ? [row] : []))),
    mask: () => ({ counts: [2, 3, 5], width: 2, height: 5 }),
    stated: measures,
  } as unknown as Pool;
}

const boxesOf = ({ starts, boxes }: CropTable, image: number): number[][] =>
  Array.from({ length: starts[image + 1]! - starts[image]! }, (_, at) => [
    ...boxes.subarray((starts[image]! + at) * 4, (starts[image]! + at + 1) * 4),
  ]);

describe("cropTable", () => {
  it("cuts squares about objects and tiles that share nothing, the whole image first", async () => {
    const made = poolOf([
      {
        size: [640, 480],
        boxes: [
          [100, 20, 20, 40],
          [0, 0, 10, 4],
          [600, 470, 80, 30],
        ],
      },
      { size: [10, 31], boxes: [] },
      { size: [50, 40], boxes: [[0, 0, 50, 40]] },
    ]);
    const boxOf = (row: number) => (made as unknown as { stated: (readonly number[])[] }).stated[row] as never;
    const table = await cropTable(
      made,
      { objects: Number.POSITIVE_INFINITY, grid: 3 },
      { area: new Float64Array(), box: boxOf },
    );
    expect(boxesOf(table, 0)).toEqual([
      [0, 0, 640, 480],
      [84, 14, 52, 52], // the worked example
      [588, 428, 52, 52], // of the box inside the image, 40 × 10
      [0, 0, 32, 32],
      ...[0, 160, 320].flatMap((y) => [
        [0, y, 213, 160],
        [213, y, 214, 160],
        [427, y, 213, 160],
      ]),
    ]);
    expect(boxesOf(table, 1)).toEqual([
      [0, 0, 10, 31],
      ...[
        [0, 10],
        [10, 11],
        [21, 10],
      ].flatMap(([y, h]) => [
        [0, y, 3, h],
        [3, y, 4, h],
        [7, y, 3, h],
      ]),
    ]);
    // A square that would be larger than the image is the image, which is there already.
    expect(boxesOf(table, 2)).toHaveLength(10);
    expect([table.of, table.withoutObjects, table.leftOut]).toEqual(["objects,grid:3", 1, 0]);
  });

  it("keeps the largest objects where a number is given, says how many it leaves out, and leaves out crowds", async () => {
    const stated = [
      [0, 0, 33, 30],
      [300, 300, 50, 50],
      [100, 100, 40, 40],
      [0, 0, 400, 400],
    ];
    const made = poolOf([{ size: [640, 480], boxes: stated }], [3]);
    const measures = { area: new Float64Array(), box: (row: number) => stated[row] as never };
    const table = await cropTable(made, { objects: 2 }, measures);
    expect(boxesOf(table, 0)).toEqual([
      [0, 0, 640, 480],
      [293, 293, 65, 65],
      [94, 94, 52, 52],
    ]);
    expect([table.of, table.leftOut]).toEqual(["objects:2", 1]);
    expect((await cropTable(made, { objects: 3 }, measures)).hash).not.toBe(table.hash);
  });

  it("takes an object's box from its mask where none is stated, and refuses objects where there are none", async () => {
    const table = await cropTable(pool, { objects: Number.POSITIVE_INFINITY });
    for (let image = 0; image < 3; image++) {
      const [whole, ...crops] = boxesOf(table, image);
      const [width, height] = [pool.images.width[image]!, pool.images.height[image]!];
      expect(whole).toEqual([0, 0, width, height]);
      // Masks of 12 × 10 pixels about (9, 9) and (14, 12): 32 about them reach the image's left and upper edge.
      expect(crops[0]).toEqual([0, 0, 32, Math.min(32, height)]);
    }
    const none = poolOf([{ size: [4, 4], boxes: [] }]);
    const measures = { area: new Float64Array(), box: () => null };
    await expect(cropTable(none, { objects: 5 }, measures)).rejects.toThrow(
      'expected annotated objects for crops of "objects", found none in "made"; "grid:2" needs none',
    );
    expect((await cropTable(none, { objects: 5, grid: 2 }, measures)).withoutObjects).toBe(1);
  });

  it("keeps every crop inside its image, without two alike", async () => {
    const box = fc.tuple(
      ...[0, 1].map(() => fc.double({ min: -20, max: 90 })),
      ...[0, 1].map(() => fc.double({ min: -3, max: 90 })),
    );
    const size = fc.tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 }));
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.array(box, { maxLength: 5 }),
        fc.integer({ min: 2, max: 8 }),
        async (pixels, stated, grid) => {
          const made = poolOf([{ size: pixels, boxes: stated }]);
          const measures = { area: new Float64Array(), box: (row: number) => stated[row] as never };
          const found = boxesOf(await cropTable(made, { objects: 4, grid }, measures), 0);
          expect(found[0]).toEqual([0, 0, ...pixels]);
          expect(new Set(found.map(String)).size).toBe(found.length);
          for (const [x, y, width, height] of found as [number, number, number, number][])
            expect(
              x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= pixels[0] && y + height <= pixels[1],
            ).toBe(true);
        },
      ),
    );
  });
});

describe("parseCrops", () => {
  it.each([
    ["objects", "objects"],
    ["grid", "grid:2"],
    ["grid:3, objects:12", "objects:12,grid:3"],
  ])("reads %s as %s", (text, canonical) => {
    expect(cropsText(parseCrops(text))).toBe(canonical);
    expect(parseCrops(canonical)).toEqual(parseCrops(text));
  });

  it.each([
    "",
    "object",
    "objects:0",
    "objects:-1",
    "grid:1",
    "grid:9",
    "grid,grid",
    "objects,",
    "grid:2.5",
    "Objects",
  ])("refuses %j", (text) => {
    expect(() => parseCrops(text)).toThrow(/^expected crops as "objects"/);
  });
});
