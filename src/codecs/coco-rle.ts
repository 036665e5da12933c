import { type Rle, rleFromMask, rleFromString, rleToMask, rleToString } from "../kernels/index.ts";

/** A mask as COCO's JSON holds it: compressed run lengths over [height, width]. */
export interface CocoRle {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** Compresses a mask of `height * width` bytes, row by row, 0 = outside; does not modify it. */
export function encodeCocoRle(mask: Uint8Array, height: number, width: number): CocoRle {
  return { size: [height, width], counts: rleToString(rleFromMask(mask, height, width)) };
}

/** The mask of COCO's run lengths, compressed or as a kernel's `Rle`: `height * width` bytes of 0 and 1, row by row. Throws a RangeError. */
export function decodeCocoRle(rle: CocoRle | Rle): Uint8Array {
  if ("height" in rle) return rleToMask(rle);
  const [height, width] = rle.size;
  return rleToMask(rleFromString(rle.counts, height, width));
}
