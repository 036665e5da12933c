import { describe, expect, it } from "vitest";
import { CounterRandom, type Resize, resizeLinear, resizeTriangle, rleFromMask } from "../kernels/index.ts";
import type { Layer } from "../model/index.ts";
import { type Canvas, compose, type LayerContent } from "./index.ts";

const [width, height, size] = [13, 9, 10];
const random = new CounterRandom(5, 0, 0, 0);
const data = Uint8Array.from({ length: width * height * 3 }, () => random.below(256));
const mask = rleFromMask(
  Uint8Array.from({ length: width * height }, () => random.below(2)),
  height,
  width,
);
const image: LayerContent["pixels"] = { kind: "image", width, height, data, part: { x: 0, y: 0, width, height } };
const whole: Layer = {
  role: "target",
  image: "a",
  source: [0, 0, width, height],
  destination: [0, 0, size, size],
  fit: "stretch",
  alpha: 1,
  blur: 0,
  masks: ["s/1"],
};
/** The window of 6 × 5 from (3, 2) on of the image at 10 × 10, at (4, 1) of the sample. */
const part: Layer = { ...whole, destination: [4, 1, 6, 5], window: { of: [size, size], at: [3, 2] } };

function draw(layer: Layer, pixels: LayerContent["pixels"], name: "opencv" | "fast"): Canvas {
  const canvas = { image: new Uint8Array(300), imageOffset: 0, mask: new Uint8Array(100), maskOffset: 0 };
  compose({ size, resample: { name, version: 1 }, layers: [layer] }, [{ pixels, mask }], canvas);
  return canvas;
}

describe("a layer with a window", () => {
  it.each<["opencv" | "fast", Resize]>([
    ["opencv", resizeLinear],
    ["fast", resizeTriangle],
  ])("shows what a single image of that size has there, decoded or from a tile: %s", (name, resize) => {
    const all = draw(whole, image, name);
    const tile = resize(image as { width: number; height: number; data: Uint8Array }, { width: size, height: size });
    // As read from a tile: the rows of the window only.
    const rows = { kind: "tile", data: tile.slice(2 * 30, 7 * 30), stride: 30, offset: 9 } as const;
    const full = { kind: "tile", data: tile, stride: 30, offset: 2 * 30 + 9 } as const;
    for (const pixels of [image, rows, full]) {
      const drawn = draw(part, pixels, name);
      for (let y = 0; y < size; y++)
        for (let x = 0; x < size; x++) {
          const isInside = x >= 4 && y >= 1 && y < 6;
          const there = (y - 1 + 2) * size + (x - 4 + 3);
          expect(drawn.mask[y * size + x]).toBe(isInside ? all.mask[there] : 0);
          for (let c = 0; c < 3; c++)
            expect(drawn.image[(y * size + x) * 3 + c]).toBe(isInside ? all.image[there * 3 + c] : 0);
        }
    }
    const blurred = { ...part, blur: 1.5 };
    expect(draw(blurred, rows, name)).toEqual(draw(blurred, image, name));
    expect(draw(blurred, full, name)).toEqual(draw(blurred, image, name));
  });
});
