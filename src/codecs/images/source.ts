import { readFile } from "node:fs/promises";
import sharp, { type Metadata, type Sharp, type SharpOptions } from "sharp";
import { fail, NemosaicError, quoteValue } from "../../model/index.ts";
import { type JpegHeader, readJpegHeader } from "./jpeg-header.ts";

/** What the image readers share: limits, and the name for error lines. */
export interface ImageOptions {
  /** Images of more pixels are refused by their header, before any is decoded. Default 100 million. */
  readonly maxPixels?: number;
  /** The file's name for error lines, where the input is bytes. */
  readonly where?: string;
}

/** The bytes of an image file, or its path. */
export type ImageInput = Uint8Array | string;

/** An image whose header has been read and found acceptable. */
export interface ImageSource<Header extends ImageHeader = Metadata> {
  readonly bytes: Uint8Array;
  readonly where: string;
  readonly metadata: Header;
  /** A fresh pipeline over the bytes. */
  pipeline(): Sharp;
}

export type ImageFile = Omit<ImageSource, "metadata">;

/** What decoding pixels needs to know; `space` is "cmyk" for those. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly space?: string | undefined;
  readonly format?: string | undefined;
  /** Of a JPEG whose header was read here. */
  readonly jpeg?: JpegHeader;
}

const defaultMaxPixels = 100e6;
const formats = new Set(["jpeg", "png", "webp", "gif", "tiff"]);

/**
 * Reads the file and its header. A path is always read here and handed on as bytes: the library would take brackets
 * in a file's name for options.
 */
export async function openImage(input: ImageInput, options: ImageOptions): Promise<ImageSource> {
  const source = await readSource(input, options);
  return accepted({ ...source, metadata: await imageStep(source.where, () => source.pipeline().metadata()) }, options);
}

/** As `openImage`, for those who only decode: a JPEG's header is read here, which saves the library a pass. */
export async function openPixels(input: ImageInput, options: ImageOptions): Promise<ImageSource<ImageHeader>> {
  const source = await readSource(input, options);
  const header = readJpegHeader(source.bytes);
  // Four components are CMYK or YCCK: which, and whether inverted, is the library's to find out.
  const metadata: ImageHeader =
    header !== undefined && header.components < 4
      ? { width: header.width, height: header.height, format: "jpeg", jpeg: header }
      : await imageStep(source.where, () => source.pipeline().metadata());
  return accepted({ ...source, metadata }, options);
}

/** Reads the file; its header is not looked at yet. Errors: "not-found", "io", "bad-input", "unsupported". */
export async function readSource(input: ImageInput, options: ImageOptions): Promise<ImageFile> {
  const where = options.where ?? (typeof input === "string" ? quoteValue(input) : "an image");
  const bytes = typeof input === "string" ? await readImageFile(input, where) : input;
  if (bytes.length === 0) fail("bad-input", `expected an image in ${where}, got 0 bytes`);
  const other = otherFormat(bytes);
  if (other !== undefined)
    fail("unsupported", `expected a JPEG, PNG, WebP, GIF or TIFF image in ${where}, got ${other}; convert it to PNG`);
  const settings: SharpOptions = {
    // "error" fails on what cannot be decoded and on files that end early; harmless oddities (stray bytes before a
    // marker, as some COCO files have) pass, as they do in OpenCV and Pillow.
    failOn: "error",
    limitInputPixels: false,
    // OpenCV and Pillow ignore colour profiles; published numbers rest on their pixels.
    ignoreIcc: true,
    autoOrient: false,
    sequentialRead: true,
  };
  return { bytes, where, pipeline: () => sharp(bytes, settings) };
}

/** Formats of pictures and masks that are not read, by their first bytes. */
function otherFormat(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(132, bytes.byteLength)).toString("latin1");
  if (head.startsWith("BM") && head.length > 26) return "BMP";
  if (head.slice(4, 8) === "jP  " || head.startsWith("\u00ff\u004f\u00ff\u0051")) return "JPEG 2000";
  if (head.startsWith("\u0093NUMPY")) return "a NumPy array";
  if (head.slice(128, 132) === "DICM") return "DICOM";
  if (/^ftyp(heic|heix|mif1|msf1)/.test(head.slice(4))) return "HEIC";
  return undefined;
}

function accepted<Source extends ImageSource<ImageHeader>>(source: Source, options: ImageOptions): Source {
  const { where, metadata } = source;
  if (!formats.has(metadata.format ?? "")) {
    fail(
      "unsupported",
      `expected a JPEG, PNG, WebP, GIF or TIFF image in ${where}, got ${metadata.format ?? "something else"}`,
    );
  }
  checkSize(metadata, where, options);
  return source;
}

/** Refuses an image of more pixels than `options` allow, by its header. */
export function checkSize(
  { width, height }: { readonly width: number; readonly height: number },
  where: string,
  { maxPixels = defaultMaxPixels }: ImageOptions,
): void {
  if (width * height > maxPixels) {
    fail(
      "refused",
      `expected an image of at most ${maxPixels} pixels in ${where}, got ${width} x ${height} by its header`,
    );
  }
}

/** Runs a step of the image library; its errors become "bad-input" with the file and the library's reason on one line. */
export async function imageStep<T>(where: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof NemosaicError) throw error;
    const reason = (error instanceof Error ? error.message : String(error)).trim().split("\n")[0];
    fail("bad-input", `expected a sound image in ${where}, but it cannot be decoded: ${reason}`, error);
  }
}

async function readImageFile(path: string, where: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT") fail("not-found", `expected an image at ${where}, but there is none`, error);
    fail("io", `cannot read the image ${where}: ${code === "" ? String(error) : code}`, error);
  }
}
