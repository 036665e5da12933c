import { fail } from "../../model/index.ts";
import { readPaletteIndices } from "./png-palette.ts";
import { type ImageInput, type ImageOptions, type ImageSource, imageStep, openImage } from "./source.ts";

/** A mask in memory: one number a pixel, row by row. The caller owns `data`. */
export interface DecodedMask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint16Array;
  /** Bits of one pixel as stored: 1, 2, 4, 8 or 16. */
  readonly depth: 1 | 2 | 4 | 8 | 16;
}

/**
 * Decodes a mask of one channel, as Pillow's `numpy.array(Image.open(…))` sees it:
 *
 * - a palette PNG gives each pixel's *index*, not its colour: the palette only paints object numbers;
 * - grey of 8 bits as is, of 16 bits as Uint16Array; grey of 1, 2 and 4 bits is stretched to 0-255 (1 bit: 0 and 255);
 * - an alpha channel is dropped; three channels are taken only where they are equal in every pixel.
 *
 * Errors as `decodeImage`; "unsupported" for a coloured picture, and for an interlaced palette PNG.
 */
export async function decodeMask(input: ImageInput, options: ImageOptions = {}): Promise<DecodedMask> {
  const source = await openImage(input, options);
  const { metadata } = source;
  if (metadata.format === "png" && metadata.isPalette) return readPaletteIndices(source.bytes, source.where);
  const deep = metadata.depth === "ushort";
  const data = deep ? await deepChannel(source) : await byteChannel(source);
  const bits = metadata.bitsPerSample;
  const depth = deep ? 16 : bits === 1 || bits === 2 || bits === 4 ? bits : 8;
  return { width: metadata.width, height: metadata.height, data, depth };
}

async function byteChannel(source: ImageSource): Promise<Uint8Array> {
  const { data, info } = await imageStep(source.where, () =>
    source.pipeline().removeAlpha().raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true }),
  );
  return firstChannel(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), info.channels, source);
}

async function deepChannel(source: ImageSource): Promise<Uint16Array> {
  const grey = source.metadata.channels <= 2;
  const { data, info } = await imageStep(source.where, () =>
    source
      .pipeline()
      .removeAlpha()
      .toColourspace(grey ? "grey16" : "rgb16")
      .raw({ depth: "ushort" })
      .toBuffer({ resolveWithObject: true }),
  );
  const copy = new Uint8Array(data.byteLength);
  copy.set(data);
  return firstChannel(new Uint16Array(copy.buffer), info.channels, source);
}

/** The one channel of an image, or of an RGB image whose three are equal. */
function firstChannel<Pixels extends Uint8Array | Uint16Array>(
  pixels: Pixels,
  channels: number,
  source: ImageSource,
): Pixels {
  const { width, height } = source.metadata;
  if (channels === 1) return pixels;
  const plane = pixels.slice(0, width * height) as Pixels;
  for (let i = 0, from = 0; i < plane.length; i++, from += channels) {
    const value = pixels[from] ?? 0;
    if (channels >= 3 && (pixels[from + 1] !== value || pixels[from + 2] !== value)) {
      fail(
        "unsupported",
        `expected a mask of one channel in ${source.where}, got colours at pixel ${i % width}, ${Math.floor(i / width)}`,
      );
    }
    plane[i] = value;
  }
  return plane;
}
