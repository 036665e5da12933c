import { type ErrorCode, fail, NemosaicError } from "../../model/index.ts";
import type { EmbedOptions, ImageCrops } from "./embed-options.ts";
import type { CropFacts, SkippedRow } from "./manifest.ts";
import type { Cut } from "./preparation.ts";
import { openPreparer, type Preparer } from "./preparer.ts";
import type { Job } from "./run-batches.ts";

/** The job of a pool's images: a row each, or one for each of their crops, of which an image's first is the whole. */
export function imageJob({ model, images, onBad, imageBatch = 16, decode = "exact", threads }: EmbedOptions): Job {
  const { crops } = images;
  if (crops !== undefined && decode !== "exact")
    fail("usage", `expected decode "exact" with crops, got ${decode}: what is small in an image would be lost`);
  const { width, height } = model.preprocessing;
  const size = 3 * width * height;
  const count = crops === undefined ? images.count : crops.starts.at(-1)!;
  let preparer: Preparer | undefined;
  // Shared, so that the threads that decode write into it and the model's lanes read from it; used again and again, since
  // new memory costs page faults and garbage collections.
  const idle: Float32Array[] = [];
  return {
    name: "images",
    unit: crops === undefined ? "images" : "crops",
    count,
    rows: images.count,
    batch: imageBatch,
    lanes: model.imageLanes,
    facts: {
      inputs: images.hash,
      // In the order in which a part's manifest is read back, so that merged ones have it too.
      ...(crops === undefined
        ? {}
        : {
            parts: { rows: count, hash: crops.hash },
            crops: { of: crops.of, boxes: crops.hash } satisfies CropFacts,
          }),
      preprocessing: model.preprocessing,
      decode,
      onBad,
    },
    async prepare(start, end) {
      preparer ??= openPreparer(
        { preprocessing: model.preprocessing, decode },
        { threads, here: model.imageLanes > 1 },
      );
      const opened = preparer;
      const lanes = model.imageLanes > 1 ? model.lanes() : undefined;
      const room = idle.pop() ?? new Float32Array(new SharedArrayBuffer(Math.min(imageBatch, count) * size * 4));
      const pixels = room.subarray(0, (end - start) * size);
      const bad: { readonly from: number; readonly to: number; readonly skipped: SkippedRow }[] = [];
      await Promise.all(
        imagesOfRows(crops?.starts, start, end).map(async ({ image, from, to }) => {
          const name = images.name(image);
          const out = pixels.subarray((from - start) * size, (to - start) * size);
          try {
            const bytes = await images.load(image);
            await opened.prepare(bytes, name, out, crops && cutOf(crops, image, from, to));
          } catch (error) {
            if (onBad === "fail" || !isBadImage(error)) throw error;
            out.fill(0);
            bad.push({ from, to, skipped: { row: image, name, reason: error.message } });
          }
        }),
      );
      bad.sort((a, b) => a.from - b.from);
      return {
        skipped: bad.map(({ skipped }) => skipped),
        async run(clock) {
          const batch = { pixels, count: end - start };
          const vectors = await (lanes === undefined
            ? clock.during(() => model.embedImages(batch))
            : lanes.embedImages(batch, clock.change));
          idle.push(room);
          for (const { from, to } of bad)
            vectors.fill(0, (from - start) * model.dimension, (to - start) * model.dimension);
          return vectors;
        },
      };
    },
    async close() {
      await preparer?.close();
    },
  };
}

function cutOf({ starts, boxes }: ImageCrops, image: number, from: number, to: number): Cut {
  const whole = starts[image]! * 4;
  // A view of the boxes would take all of them to a worker.
  return { width: boxes[whole + 2]!, height: boxes[whole + 3]!, boxes: boxes.slice(from * 4, to * 4) };
}

/** The images that rows [start, end) belong to, with the rows of each that are among them. */
function imagesOfRows(starts: Int32Array | undefined, start: number, end: number) {
  if (starts === undefined)
    return Array.from({ length: end - start }, (_, at) => ({
      image: start + at,
      from: start + at,
      to: start + at + 1,
    }));
  const found: { readonly image: number; readonly from: number; readonly to: number }[] = [];
  let image = lastNotAbove(starts, start);
  for (let from = start; from < end; image++) {
    const to = Math.min(end, starts[image + 1]!);
    found.push({ image, from, to });
    from = to;
  }
  return found;
}

/** The last place of an ascending list whose number is not above `value`; every image has a row, so it is the row's image. */
function lastNotAbove(numbers: Int32Array, value: number): number {
  let [low, high] = [0, numbers.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

const badImageCodes: ReadonlySet<ErrorCode> = new Set(["bad-input", "not-found", "unsupported", "refused"]);

function isBadImage(error: unknown): error is NemosaicError {
  return error instanceof NemosaicError && badImageCodes.has(error.code);
}
