/** The room `kernels`: typed-array maths without imports; runs in Node and in a browser. */
export { gaussianBlur } from "./gaussian-blur.ts";
export { floatToHalf, halfToFloat, halfToNumber, numberToHalf } from "./half.ts";
export { maskCell } from "./mask-cell.ts";
export { nearestPositions } from "./nearest-positions.ts";
export type { CellPixels, MaskTarget, Pixels, PixelsTarget, Resize } from "./pixels.ts";
export { CounterRandom, epochOrder, philox4x32 } from "./random.ts";
export type { PixelRectangle } from "./rectangle.ts";
export { type PillowFilter, resizeBicubic, resizeTriangle, resizeWindow } from "./resample.ts";
export { resizeLinear, resizeNearest } from "./resize.ts";
export {
  maxMaskPixels,
  type Rle,
  rleFromCounts,
  rleFromMask,
  rleFromString,
  rleToMask,
  rleToString,
} from "./rle.ts";
export { rleAreaInside } from "./rle-area-inside.ts";
export {
  rleArea,
  rleBox,
  rleIntersectionArea,
  rleOverlapArea,
  rleUnion,
} from "./rle-combine.ts";
export { rleFromPolygon } from "./rle-polygon.ts";
export { openShrinkFrame, type ShrinkFrame, type ShrinkSizes } from "./shrink-kernel.ts";
export { toFloat32Chw } from "./tensor.ts";
export { upscaleCubic, upscaleMask } from "./upscale-canvas.ts";
export { kernelMaker, type WasmKernel } from "./wasm-kernel.ts";
