import { availableParallelism } from "node:os";
import { openShrinkFrame, type ShrinkFrame } from "../../kernels/index.ts";
import type { JpegHeader } from "./jpeg-header.ts";
import { decodeJpegInto, hasJpegTurbo } from "./jpeg-turbo.ts";

/** Larger images are left to the library that decodes in strips: a frame holds a whole one, and keeps its memory. */
const mostPixels = 4_000_000;
/** From here on the library's scaled decoding takes less time. */
const scaledFrom = 4;
/**
 * Images that are decoded, or decoded and wait to be shrunk: more than there are cores, so that none waits for this thread
 * while that composes and writes. On two cores 3, 4, 5, 6 and 10 frames gave 160, 176, 209, 208 and 217 mosaics a second.
 */
const mostFrames = availableParallelism() + 6;

/**
 * The fast inverse DCT cuts where the exact one rounds, so that luma and both chromas are 0.47 too small in the mean (of
 * photographs, whatever their quality): that much in R, G and B, or in grey.
 */
const missing = { colour: [1.14, 0, 1.31], grey: [0.49, 0.49, 0.49] } as const;

const idle: ShrinkFrame[] = [];
const waiting: ((frame: ShrinkFrame) => void)[] = [];
let frames = 0;

/** Whether `shrinkJpeg` is the way to shrink this JPEG: an ordinary one, of a size that it is made for. */
export function isForShrinking(header: JpegHeader, targetWidth: number, targetHeight: number): boolean {
  const { width, height, components, process } = header;
  const isPlain = process !== "other" && (components === 1 || components === 3) && width * height <= mostPixels;
  const isLarge = width >= scaledFrom * targetWidth && height >= scaledFrom * targetHeight;
  return isPlain && !isLarge && hasJpegTurbo();
}

/**
 * A JPEG decoded and shrunk by a triangle filter, as RGB in `out` (of just the length) or new memory; undefined where
 * the decoder does not take it as it is (see `decodeJpegInto`). Waits while a few more images than there are cores are
 * being decoded, so that a few frames of memory serve all.
 */
export async function shrinkJpeg(
  bytes: Uint8Array,
  { width, height, components }: JpegHeader,
  targetWidth: number,
  targetHeight: number,
  out?: Uint8Array,
): Promise<Uint8Array | undefined> {
  const frame = await takeFrame();
  try {
    const into = frame.open({ width, height, targetWidth, targetHeight });
    if (!(await decodeJpegInto(bytes, width, height, into))) return undefined;
    return frame.shrink(out, components === 1 ? missing.grey : missing.colour);
  } finally {
    giveBack(frame);
  }
}

async function takeFrame(): Promise<ShrinkFrame> {
  const free = idle.pop();
  if (free !== undefined) return free;
  if (frames < mostFrames) {
    frames++;
    return openShrinkFrame();
  }
  return new Promise((resolve) => waiting.push(resolve));
}

function giveBack(frame: ShrinkFrame): void {
  const next = waiting.shift();
  if (next === undefined) idle.push(frame);
  else next(frame);
}
