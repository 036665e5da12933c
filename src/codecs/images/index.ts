export type { DecodedImage, ImageSize } from "./decode.ts";
export { decodeImage, decodeImageAtLeast, decodeImageTo, imageSize } from "./decode.ts";
export type { DecodedMask } from "./decoded-mask.ts";
export type { PixelImage } from "./encode.ts";
export { encodeJpeg, encodePng, encodeWebp, renderSvg, setImageThreads } from "./encode.ts";
export { hasJpegTurbo } from "./jpeg-turbo.ts";
export { decodeMask } from "./mask.ts";
export type { ImageInput, ImageOptions } from "./source.ts";
