import {
  type CellPixels,
  gaussianBlur,
  type MaskTarget,
  maskCell,
  type PixelsTarget,
  type Resize,
  type Rle,
  resizeLinear,
  resizeTriangle,
  upscaleCubic,
  upscaleMask,
} from "../kernels/index.ts";
import type { Layer, LayerWindow, Plan, Resample } from "../model/index.ts";

/** What a layer is drawn from; `mask` is the union of the masks that count, absent where none does; `clip` what is painted of it. */
export interface LayerContent {
  readonly pixels: CellPixels;
  readonly mask?: Rle;
  readonly clip?: Rle;
}

/** Where a sample is drawn: uint8 [S, S, 3] RGB from `imageOffset` on, uint8 [S, S] of 0 and 1 from `maskOffset` on. */
export interface Canvas {
  readonly image: Uint8Array;
  readonly imageOffset: number;
  readonly mask: Uint8Array;
  readonly maskOffset: number;
}

const resizers: Readonly<Record<Resample["name"], Resize>> = { opencv: resizeLinear, fast: resizeTriangle };

/** The resampling kernel of a name: the one place that says which function "opencv" and "fast" are. */
export function resizerOf(resample: Resample["name"]): Resize {
  return resizers[resample];
}

/**
 * Draws a plan: obeys its layers in order, decides nothing. `contents` are aligned with the layers. Overwrites the
 * sample's S×S on the canvas, nothing else. Throws a RangeError where contents do not fit the plan.
 */
export function compose(
  plan: Pick<Plan, "size" | "canvas" | "resample" | "layers">,
  contents: readonly LayerContent[],
  canvas: Canvas,
): void {
  if (plan.canvas !== undefined && plan.canvas !== plan.size) {
    composeScaled(plan, plan.canvas, contents, canvas);
    return;
  }
  const { size, layers } = plan;
  canvas.image.fill(0, canvas.imageOffset, canvas.imageOffset + size * size * 3);
  canvas.mask.fill(0, canvas.maskOffset, canvas.maskOffset + size * size);
  let hasTruth = false;
  layers.forEach((layer, at) => {
    const content = contents[at];
    if (content === undefined)
      throw new RangeError(`expected contents for ${layers.length} layers, got ${contents.length}`);
    const resize = resizerOf(plan.resample.name);
    if (content.clip !== undefined) drawClipped(layer, content, content.clip, size, resize, canvas);
    else {
      drawPixels(layer, content.pixels, size, resize, canvas);
      drawMask(layer, content.mask, hasTruth, size, canvas);
    }
    hasTruth ||= content.mask !== undefined;
  });
}

/**
 * The mask alone of a plan, uint8 [S, S] of 0 and 1: that of `compose`, where `masks` are those of its contents. Given
 * the masks of one target of several, it is what is to be seen of that target.
 */
export function composeMask(
  plan: Pick<Plan, "size" | "canvas" | "layers">,
  masks: readonly (Rle | undefined)[],
): Uint8Array {
  const side = plan.canvas ?? plan.size;
  const canvas = { mask: new Uint8Array(side * side), maskOffset: 0 };
  let hasTruth = false;
  plan.layers.forEach((layer, at) => {
    const mask = masks[at];
    drawMask(layer, mask, hasTruth, side, canvas);
    hasTruth ||= mask !== undefined;
  });
  if (side === plan.size) return canvas.mask;
  const scaled = new Uint8Array(plan.size * plan.size);
  upscaleMask(canvas.mask, side, plan.size, scaled, 0);
  return scaled;
}

/** The released loader's border colour, which cubic taps outside the canvas read: the mean of CLIP's pixels. */
const borderColour = [123, 117, 104] as const;

function composeScaled(
  plan: Pick<Plan, "size" | "resample" | "layers">,
  side: number,
  contents: readonly LayerContent[],
  canvas: Canvas,
): void {
  const image = new Uint8Array(side * side * 3);
  const mask = new Uint8Array(side * side);
  const { resample, layers } = plan;
  compose({ size: side, resample, layers }, contents, { image, imageOffset: 0, mask, maskOffset: 0 });
  upscaleCubic(image, side, plan.size, borderColour, canvas.image, canvas.imageOffset);
  upscaleMask(mask, side, plan.size, canvas.mask, canvas.maskOffset);
}

type TilePixels = Extract<CellPixels, { kind: "tile" }>;
type DecodedPixels = Extract<CellPixels, { kind: "image" }>;

/** Where a layer's pixels go. */
type Placed = { readonly [Key in keyof PixelsTarget]-?: NonNullable<PixelsTarget[Key]> };

function drawPixels(layer: Layer, pixels: CellPixels, size: number, resize: Resize, canvas: Canvas): void {
  const [x, y, width, height] = layer.destination;
  const stride = size * 3;
  const offset = canvas.imageOffset + y * stride + x * 3;
  const target = { width, height, data: canvas.image, stride, offset };
  if (layer.alpha !== 1 || layer.blur !== 0) blendRows(cellOf(layer, pixels, resize), layer.alpha, target);
  else if (pixels.kind === "tile") copyRows(pixels, target);
  else if (layer.window === undefined) resize(pixels, target);
  else copyRows(wholeOf(layer.window, pixels, resize), target);
}

/** All of an image at the size of a window's whole, as the tile that the window is a part of. */
function wholeOf({ of: [width, height], at: [x, y] }: LayerWindow, pixels: DecodedPixels, resize: Resize): TilePixels {
  const data = resize(pixels, { width, height });
  return { kind: "tile", data, stride: width * 3, offset: (y * width + x) * 3 };
}

/** The pixels of a cell by itself, blurred where the layer says so. */
function cellOf(layer: Layer, pixels: CellPixels, resize: Resize): Uint8Array {
  const [, , width, height] = layer.destination;
  const cell = plainCell(layer, pixels, resize);
  return layer.blur > 0 ? gaussianBlur(cell, width, height, 3, layer.blur) : cell;
}

/** The pixels of a cell, row by row without gaps. */
function plainCell(
  { window, destination: [, , width, height] }: Layer,
  pixels: CellPixels,
  resize: Resize,
): Uint8Array {
  if (pixels.kind === "image" && window === undefined) return resize(pixels, { width, height });
  const tile =
    pixels.kind === "image" && window !== undefined ? wholeOf(window, pixels, resize) : (pixels as TilePixels);
  if (tile.stride === undefined) return tile.data;
  const data = new Uint8Array(width * height * 3);
  copyRows(tile, { width, height, data, stride: width * 3, offset: 0 });
  return data;
}

/** A layer of which only the clip's pixels are there: the others change neither image nor truth. */
function drawClipped(
  layer: Layer,
  { pixels, mask }: LayerContent,
  clip: Rle,
  size: number,
  resize: Resize,
  canvas: Canvas,
): void {
  const [x, y, width, height] = layer.destination;
  const [cell, shape, truth] = [cellOf(layer, pixels, resize), cellMask(layer, clip), cellMask(layer, mask)];
  for (let at = 0; at < shape.length; at++) {
    if (shape[at] === 0) continue;
    const column = at % width;
    const pixel = (y + (at - column) / width) * size + x + column;
    if (layer.alpha === 1) canvas.mask[canvas.maskOffset + pixel] = 0;
    if (truth[at] === 1) canvas.mask[canvas.maskOffset + pixel] = 1;
    const to = canvas.imageOffset + pixel * 3;
    for (let channel = 0; channel < 3; channel++) {
      const below = canvas.image[to + channel]!;
      canvas.image[to + channel] = blendValue(below, cell[at * 3 + channel]!, layer.alpha);
    }
  }

  function cellMask(of: Layer, rle: Rle | undefined): Uint8Array {
    const cut = new Uint8Array(width * height);
    if (rle !== undefined) drawMaskCell(of, rle, { width, height, data: cut });
    return cut;
  }
}

function drawMask(
  layer: Layer,
  mask: Rle | undefined,
  hasTruth: boolean,
  size: number,
  canvas: Pick<Canvas, "mask" | "maskOffset">,
): void {
  const [x, y, width, height] = layer.destination;
  const offset = canvas.maskOffset + y * size + x;
  // An opaque layer hides the truth of what lies under it.
  if (layer.alpha === 1 && hasTruth)
    for (let row = 0; row < height; row++) canvas.mask.fill(0, offset + row * size, offset + row * size + width);
  if (mask !== undefined) drawMaskCell(layer, mask, { width, height, data: canvas.mask, stride: size, offset });
}

function drawMaskCell(layer: Layer, mask: Rle, target: MaskTarget): void {
  if (layer.window === undefined) {
    maskCell(mask, sourceOf(layer), target);
    return;
  }
  const { of, at } = layer.window;
  const { width, height, stride = width } = target;
  const all = { x: 0, y: 0, width: mask.width, height: mask.height };
  const window = { x: at[0], y: at[1], width, height };
  maskCell(mask, all, { ...target, width: of[0], height: of[1], stride }, window);
}

function sourceOf(layer: Layer): { x: number; y: number; width: number; height: number } {
  const [x, y, width, height] = layer.source;
  return { x, y, width, height };
}

function copyRows(tile: TilePixels, { width, height, data: to, stride, offset }: Placed): void {
  const length = width * 3;
  const { data, rows, stride: step = length, offset: from = 0 } = tile;
  const needed = from + step * (height - 1) + length;
  if (data.length < needed) throw new RangeError(`expected a tile of ${needed} bytes, got ${data.length}`);
  for (let y = 0; y < height; y++)
    to.set(rows?.[y] ?? data.subarray(from + y * step, from + y * step + length), offset + y * stride);
}

/** out = alpha · cell + (1 - alpha) · out, rounded half up. */
function blendRows(cell: Uint8Array, alpha: number, { width, height, data: to, stride, offset }: Placed): void {
  const length = width * 3;
  for (let row = 0; row < height; row++) {
    const start = offset + row * stride;
    for (let at = 0; at < length; at++) {
      to[start + at] = blendValue(to[start + at]!, cell[row * length + at]!, alpha);
    }
  }
}

function blendValue(below: number, above: number, alpha: number): number {
  return Math.floor(below + alpha * (above - below) + 0.5);
}
