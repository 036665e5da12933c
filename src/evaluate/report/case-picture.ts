import { type DecodedImage, encodeJpeg } from "../../codecs/index.ts";
import { type Rle, resizeLinear, rleToMask } from "../../kernels/index.ts";
import { resizeMask } from "../resize-mask.ts";

const longestSidePx = 480;
const truthColour = [46, 204, 113] as const;
const predictedColour = [255, 45, 149] as const;
const otherColour = [255, 196, 0] as const;

/**
 * A JPEG of an image with the outlines of the truth (green), the prediction (pink) and another model's (yellow), at most
 * 480 pixels a side. The masks may be of any size: they are stretched to the picture. Does not modify its inputs.
 */
export async function casePicture(image: DecodedImage, truth: Rle, predicted: Rle, other?: Rle): Promise<Uint8Array> {
  const scale = Math.min(1, longestSidePx / Math.max(image.width, image.height));
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const data = resizeLinear(image, { width, height });
  outline(data, rleToMask(resizeMask(truth, height, width)), height, width, truthColour);
  if (other !== undefined) outline(data, rleToMask(resizeMask(other, height, width)), height, width, otherColour);
  outline(data, rleToMask(resizeMask(predicted, height, width)), height, width, predictedColour);
  return encodeJpeg({ width, height, channels: 3, data }, 82, { chroma: "4:4:4" });
}

/** Paints the pixels of a mask that lie within three steps of its border. */
function outline(
  data: Uint8Array,
  mask: Uint8Array,
  height: number,
  width: number,
  colour: readonly [number, number, number],
): void {
  const isSet = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] !== 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isSet(x, y)) continue;
      const inside = isSet(x - 3, y) && isSet(x + 3, y) && isSet(x, y - 3) && isSet(x, y + 3);
      if (!inside) data.set(colour, (y * width + x) * 3);
    }
  }
}
