import { describe, expect, it } from "vitest";
import { rleFromMask } from "../kernels/index.ts";
import type { Layer } from "../model/index.ts";
import { type Canvas, compose, type LayerContent } from "./index.ts";

const size = 4;
const resample = { name: "opencv", version: 1 } as const;
const whole: Layer = {
  role: "target",
  image: "a",
  source: [0, 0, 4, 4],
  destination: [0, 0, 4, 4],
  fit: "stretch",
  alpha: 1,
  blur: 0,
  masks: ["s/1"],
};
const cut: Layer = { ...whole, role: "negative", image: "b", destination: [1, 0, 2, 4], masks: [], clip: ["s/2"] };

/** 4 × 4 pixels of one grey, and a mask of rows of "#". */
const image = (grey: number): LayerContent["pixels"] => {
  return { kind: "image", width: 4, height: 4, data: new Uint8Array(48).fill(grey), part: rectangle(0, 0, 4, 4) };
};
const rectangle = (x: number, y: number, width: number, height: number) => ({ x, y, width, height });
const mask = (...rows: string[]) =>
  rleFromMask(
    Uint8Array.from(rows.join(""), (at) => (at === "#" ? 1 : 0)),
    4,
    4,
  );

function draw(layers: readonly Layer[], contents: readonly LayerContent[]): { grey: number[][]; truth: number[][] } {
  const canvas: Canvas = {
    image: new Uint8Array(48).fill(9),
    imageOffset: 0,
    mask: new Uint8Array(16).fill(1),
    maskOffset: 0,
  };
  compose({ size, resample, layers }, contents, canvas);
  const rows = (of: (pixel: number) => number): number[][] =>
    [0, 4, 8, 12].map((start) => [0, 1, 2, 3].map((x) => of(start + x)));
  return { grey: rows((pixel) => canvas.image[pixel * 3] ?? -1), truth: rows((pixel) => canvas.mask[pixel] ?? -1) };
}

describe("a layer with a clip", () => {
  // The upper left and lower right quarters of the image, squeezed into columns 1 and 2.
  const clip = mask("##..", "##..", "..##", "..##");
  const below = { pixels: image(100), mask: mask("####", "####", "####", "....") };

  it("paints the clip's pixels only, and hides the truth under them only", () => {
    const { grey, truth } = draw([whole, cut], [below, { pixels: image(200), clip }]);
    expect(grey).toEqual([
      [100, 200, 100, 100],
      [100, 200, 100, 100],
      [100, 100, 200, 100],
      [100, 100, 200, 100],
    ]);
    expect(truth).toEqual([
      [1, 0, 1, 1],
      [1, 0, 1, 1],
      [1, 1, 0, 1],
      [0, 0, 0, 0],
    ]);
  });

  it("blends within the clip and leaves the truth where it shows through", () => {
    const { grey, truth } = draw([whole, { ...cut, alpha: 0.25 }], [below, { pixels: image(203), clip }]);
    expect([grey[0], truth[0]]).toEqual([
      [100, Math.floor(100 + 0.25 * 103 + 0.5), 100, 100],
      [1, 1, 1, 1],
    ]);
  });

  it("adds its own truth within the clip alone, and draws the same from a tile", () => {
    const own = { ...cut, masks: ["s/2"] };
    const tile = { kind: "tile", data: new Uint8Array(2 * 4 * 3).fill(200) } as const;
    const truths = [image(200), tile].map((pixels) => {
      return draw(
        [{ ...whole, masks: [] }, own],
        [{ pixels: image(1) }, { pixels, clip, mask: mask("####", "....", "....", "####") }],
      );
    });
    expect(truths[0]?.truth).toEqual([
      [0, 1, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 1, 0],
    ]);
    expect(truths[1]).toEqual(truths[0]);
  });

  it("paints nothing where the clip is empty", () => {
    const { grey } = draw([whole, cut], [below, { pixels: image(200), clip: mask("....", "....", "....", "....") }]);
    expect(new Set(grey.flat())).toEqual(new Set([100]));
  });
});
