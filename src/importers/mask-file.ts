import { type DecodedMask, decodeMask } from "../codecs/index.ts";
import { ImageFinder } from "../io/index.ts";
import { rleArea, rleFromMask } from "../kernels/index.ts";
import { fail, isInputError, quoteValue, type Segmentation } from "../model/index.ts";
import { type Complaint, InWords, type NoteReason } from "./findings.ts";
import { readBytes } from "./places.ts";
import { segmentationOf } from "./segmentation.ts";
import { isInnerPath } from "./values.ts";

/** A mask image as understood. */
export interface ReadMaskImage {
  readonly segmentation: Segmentation;
  readonly size: readonly [height: number, width: number];
  /** Not one pixel is inside. */
  readonly isEmpty: boolean;
  readonly notes: readonly NoteReason[];
}

/** Reads a mask image by its path; a complaint where it cannot be. */
export type ReadMask = (path: string) => Promise<ReadMaskImage | { readonly complaint: Complaint }>;

/** A reader of mask images by paths relative to `folder`. */
export function maskReader(folder: string): ReadMask {
  const finder = new ImageFinder(folder, true);
  return async (path) => {
    if (!isInnerPath(path)) {
      return { complaint: { expected: `a mask's path inside "${folder}"`, came: path, remedy: "correct the path" } };
    }
    try {
      return await decodeMaskImage(await readBytes((await finder.find(path)).path), path);
    } catch (error) {
      if (!isInputError(error)) throw error;
      return {
        complaint: { expected: `a readable mask ${quoteValue(path)}`, came: error, remedy: "supply the mask file" },
      };
    }
  };
}

/** The complaint about a target whose mask image is empty: it would be trained on with an empty mask. */
export function emptyMaskComplaint(name: string): Complaint {
  const came = new InWords("one that is 0 everywhere");
  return { expected: `${name} to have a pixel inside`, came, remedy: "supply the mask, or say that nothing is meant" };
}

/**
 * A mask image's bytes as run lengths: every pixel that is not 0 is inside. After lossy compression (JPEG, WebP) no
 * value is what it was: pixels of 128 or more are inside then, where the values lie near two ends.
 * Errors: "bad-input" for no image and for lossy values in between; "unsupported" for colours.
 */
export async function decodeMaskImage(bytes: Uint8Array, where: string): Promise<ReadMaskImage> {
  const mask = await decodeMask(bytes, { where });
  const { width, height, data, isLossy } = mask;
  // A 16-bit 256 must not become 0.
  const inside = isLossy ? lossyInside(mask, where) : Uint8Array.from(data, (value) => (value === 0 ? 0 : 1));
  const rle = rleFromMask(inside, height, width);
  return {
    segmentation: segmentationOf(rle),
    size: [height, width],
    isEmpty: rleArea(rle) === 0,
    notes: isLossy ? ["mask in a lossy format (JPEG, WebP), cut at half its range"] : [],
  };
}

/** Values up to `faint` are 0 with noise; between the quarters of the range lie edges, and labels that cannot be told. */
const [faint, quarter, half] = [31, 64, 128];

function lossyInside({ data }: DecodedMask, where: string): Uint8Array {
  let [most, bright, between] = [0, 0, 0];
  for (const value of data) {
    if (value > most) most = value;
    if (value >= 256 - quarter) bright++;
    else if (value >= quarter) between++;
  }
  const isDark = most <= faint;
  if (!isDark && (most < 256 - quarter || between > 2 * bright)) {
    fail(
      "bad-input",
      `expected values near 0 and 255 in the lossy mask ${quoteValue(where)}, got values up to ${most}, most of them neither; save the mask as PNG`,
    );
  }
  return Uint8Array.from(data, (value) => (value >= half ? 1 : 0));
}
