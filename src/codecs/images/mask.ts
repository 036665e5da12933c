import { fail, NemosaicError } from "../../model/index.ts";
import type { DecodedMask } from "./decoded-mask.ts";
import { readPngBytes, readPngHeader } from "./png-bytes.ts";
import {
  checkSize,
  type ImageFile,
  type ImageInput,
  type ImageOptions,
  type ImageSource,
  imageStep,
  openImage,
  readSource,
} from "./source.ts";

/**
 * Decodes a mask of one channel, as Pillow's `numpy.array(Image.open(…))` sees it:
 *
 * - a palette PNG gives each pixel's *index*, not its colour: the palette only paints object numbers;
 * - grey of 8 bits as is, of 16 bits as Uint16Array; grey of 1, 2 and 4 bits is stretched to 0-255 (1 bit: 0 and 255);
 * - three channels are taken only where they are equal in every pixel (of JPEG and lossy WebP, nearly equal);
 * - an alpha channel of one value is dropped. One that varies is the mask where the colours are those of a picture or of
 *   one value; beside a grey channel it has to cover the same pixels.
 *
 * Errors as `decodeImage`; "unsupported" for a coloured picture, for grey and alpha that disagree, and for an interlaced
 * palette PNG.
 */
export async function decodeMask(input: ImageInput, options: ImageOptions = {}): Promise<DecodedMask> {
  const file = await readSource(input, options);
  const plain = readPlainPng(file, options);
  if (plain !== undefined) return plain;
  const source = await openImage(file.bytes, { ...options, where: file.where });
  const { metadata } = source;
  const isLossy = isLossyFile(source.bytes, metadata.format ?? "");
  const alpha = metadata.hasAlpha ? await alphaChannel(source) : undefined;
  const deep = metadata.depth === "ushort";
  const read = deep ? deepChannel : byteChannel;
  const data = alpha === undefined ? await read(source, isLossy) : await settledAlpha(alpha, source, isLossy, read);
  const bits = metadata.bitsPerSample;
  const depth = data instanceof Uint16Array ? 16 : bits === 1 || bits === 2 || bits === 4 ? bits : 8;
  return { width: metadata.width, height: metadata.height, data, depth, isLossy };
}

/** A PNG of a palette or of grey of 8 bits; undefined for any other file. */
function readPlainPng({ bytes, where }: ImageFile, options: ImageOptions): DecodedMask | undefined {
  const header = readPngHeader(bytes);
  if (header === undefined || header.colours === "other") return undefined;
  if (header.colours === "grey" && (header.depth !== 8 || header.isInterlaced)) return undefined;
  checkSize(header, where, options);
  const found = readPngBytes(bytes, header, where);
  return found === undefined ? undefined : { ...found, isLossy: false };
}

type ReadChannel = (source: ImageSource, isLossy: boolean) => Promise<Uint8Array | Uint16Array>;

/** The alpha channel, where it says anything: undefined where all its values are equal. */
async function alphaChannel(source: ImageSource): Promise<Uint8Array | undefined> {
  const { data } = await imageStep(source.where, () =>
    source.pipeline().extractChannel("alpha").raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true }),
  );
  const [first] = data;
  return data.every((value) => value === first) ? undefined : new Uint8Array(data);
}

/** Alpha, or the grey beside it, whichever is the mask. */
async function settledAlpha(
  alpha: Uint8Array,
  source: ImageSource,
  isLossy: boolean,
  read: ReadChannel,
): Promise<Uint8Array | Uint16Array> {
  const grey = await read(source, isLossy).catch((error: unknown) => {
    if (error instanceof NemosaicError && error.code === "unsupported") return undefined; // a picture with its cut-out
    throw error;
  });
  const [first] = grey ?? [];
  if (grey === undefined || grey.every((value) => value === first)) return alpha;
  const stray = alpha.findIndex((value, i) => (value === 0) !== ((grey[i] ?? 0) === 0));
  if (stray < 0) return grey;
  const { width } = source.metadata;
  fail(
    "unsupported",
    `expected a mask of one channel in ${source.where}, got grey and alpha that disagree at pixel ${stray % width}, ` +
      `${Math.floor(stray / width)}; save the channel that is the mask alone`,
  );
}

/** JPEG, WebP with a "VP8 " chunk, TIFF whose compression (tag 259) is JPEG (6, 7) or WebP (50001). */
function isLossyFile(bytes: Uint8Array, format: string): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === "jpeg") return true;
  if (format === "webp") return hasLossyChunk(file);
  return format === "tiff" && [6, 7, 50001].includes(tiffCompression(file));
}

/** RIFF: "RIFF", u32, "WEBP", then chunks of 4 letters, u32 length, data padded to an even length. */
function hasLossyChunk(file: Buffer): boolean {
  for (let at = 12; at + 8 <= file.length; at += 8 + file.readUInt32LE(at + 4) + (file.readUInt32LE(at + 4) % 2)) {
    const name = file.toString("latin1", at, at + 4);
    if (name === "VP8 " || name === "VP8L") return name === "VP8 ";
  }
  return false;
}

/** The first image's compression: "II" or "MM", u16 42, u32 offset of the entries: u16 count, then 12 bytes each. */
function tiffCompression(file: Buffer): number {
  const isLittle = file[0] === 0x49;
  const u16 = (at: number): number =>
    at + 2 > file.length ? 0 : isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at);
  const start = file.length < 8 ? 0 : isLittle ? file.readUInt32LE(4) : file.readUInt32BE(4);
  for (let i = 0; i < u16(start); i++) {
    const entry = start + 2 + 12 * i;
    if (u16(entry) === 259) return u16(entry + 8);
  }
  return 1;
}

async function byteChannel(source: ImageSource, isLossy: boolean): Promise<Uint8Array> {
  const { space, channels } = source.metadata;
  // Grey comes as three channels otherwise, which takes longer than decoding it.
  const isGrey = space === "b-w" && channels <= 2;
  const { data, info } = await imageStep(source.where, () => {
    const pipeline = source.pipeline().removeAlpha();
    return (isGrey ? pipeline.toColourspace("b-w") : pipeline)
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
  });
  return firstChannel(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), info.channels, source, isLossy);
}

async function deepChannel(source: ImageSource, isLossy: boolean): Promise<Uint16Array> {
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
  return firstChannel(new Uint16Array(copy.buffer), info.channels, source, isLossy);
}

/** By how much the channels of a grey picture may differ after lossy compression. */
const lossyTint = 24;

/** The one channel of an image, or of an RGB image whose three are equal. */
function firstChannel<Pixels extends Uint8Array | Uint16Array>(
  pixels: Pixels,
  channels: number,
  source: ImageSource,
  isLossy: boolean,
): Pixels {
  const { width, height } = source.metadata;
  if (channels === 1) return pixels;
  const plane = pixels.slice(0, width * height) as Pixels;
  for (let i = 0, from = 0; i < plane.length; i++, from += channels) {
    const value = pixels[from] ?? 0;
    const tint = channels < 3 ? 0 : Math.max(apart(pixels[from + 1], value), apart(pixels[from + 2], value));
    if (tint > (isLossy ? lossyTint : 0)) {
      fail(
        "unsupported",
        `expected a mask of one channel in ${source.where}, got colours at pixel ${i % width}, ${Math.floor(i / width)}`,
      );
    }
    plane[i] = value;
  }
  return plane;
}

function apart(a = 0, b = 0): number {
  return Math.abs(a - b);
}
