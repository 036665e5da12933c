import { join } from "node:path";
import { decodeMask } from "../codecs/index.ts";
import { rleFromMask } from "../kernels/index.ts";
import { NemosaicError, type Segmentation, shown } from "../model/index.ts";
import type { Complaint } from "./findings.ts";
import { readBytes } from "./places.ts";
import { segmentationOf } from "./segmentation.ts";
import { isInnerPath } from "./values.ts";

/** Reads a mask image by its path; a complaint where it cannot be. */
export type ReadMask = (path: string) => Promise<Segmentation | { readonly complaint: Complaint }>;

/** A reader of mask images by paths relative to `folder`. */
export function maskReader(folder: string): ReadMask {
  return async (path) => {
    if (!isInnerPath(path)) {
      return { complaint: { expected: `a mask's path inside "${folder}"`, came: path, remedy: "correct the path" } };
    }
    try {
      return await decodedMask(await readBytes(join(folder, path)), path);
    } catch (error) {
      if (!(error instanceof NemosaicError)) throw error;
      return {
        complaint: { expected: `a readable mask ${shown(path)}`, came: error, remedy: "supply the mask file" },
      };
    }
  };
}

/** A mask image's bytes as run lengths: every pixel that is not 0 is inside. Errors: "bad-input" for no image. */
export async function decodedMask(bytes: Uint8Array, where: string): Promise<Segmentation> {
  const { width, height, data } = await decodeMask(bytes, { where });
  // A 16-bit 256 must not become 0.
  const inside = data instanceof Uint8Array ? data : Uint8Array.from(data, (value) => (value === 0 ? 0 : 1));
  return segmentationOf(rleFromMask(inside, height, width));
}
