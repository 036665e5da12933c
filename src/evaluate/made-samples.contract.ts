import { CounterRandom, type Rle, rleArea, rleFromMask, rleToMask } from "../kernels/index.ts";
import type { Segmentation } from "../model/index.ts";
import type { PredictionEntry, PredictionSource, RawMask, RawPrediction } from "./predictions/index.ts";
import { type Preset, withChanges } from "./presets.ts";
import type { Truth } from "./truth.ts";
import { truthMasks } from "./truth-mask.ts";

/** Truths and predictions that tests make up; no part of the product. */

/** A truth of 4 × 4 pixels without a target, changed by `changes`. */
export function truthOf(changes: Partial<Truth> = {}): Truth {
  const { source = "s", refId = "r", sentenceId = "1" } = changes;
  return {
    key: `${source}/${refId}/${sentenceId}`,
    source,
    refId,
    sentenceId,
    imageKey: "image",
    split: "val",
    height: 4,
    width: 4,
    segmentations: [],
    noTarget: (changes.segmentations ?? []).length === 0,
    category: undefined,
    similarObjects: undefined,
    text: "the mug",
    sentenceIndex: 0,
    sentenceCount: 1,
    ...changes,
  };
}

/** An axis-parallel rectangle as one polygon: it covers exactly its pixels. */
export function box(x: number, y: number, width: number, height: number): number[] {
  return [x, y, x + width, y, x + width, y + height, x, y + height];
}

export function polygons(...parts: readonly (readonly number[])[]): Segmentation {
  return { kind: "polygons", parts };
}

/** A mask drawn in rows of "#" (set) and any other character. */
export function drawn(...rows: readonly string[]): Rle {
  const width = rows[0]?.length ?? 0;
  return rleFromMask(
    Uint8Array.from(rows.join(""), (pixel) => (pixel === "#" ? 1 : 0)),
    rows.length,
    width,
  );
}

/** A mask whose first `count` pixels, row by row, are set. */
export function firstPixels(count: number, height: number, width: number): Rle {
  return rleFromMask(
    Uint8Array.from({ length: height * width }, (_, i) => (i < count ? 1 : 0)),
    height,
    width,
  );
}

/** Predictions in memory, named by expression key. */
export function predictionsOf(
  list: readonly (readonly [key: string, prediction: Partial<RawPrediction> & { mask: RawMask }])[],
): PredictionSource {
  const entries = list.map(
    ([key, prediction], i): PredictionEntry => ({
      name: `prediction ${i} of ${key}`,
      id: { by: "key", id: key, source: undefined },
      read: async () => ({ noTarget: undefined, ...prediction }),
      fingerprint: async () =>
        JSON.stringify(prediction, (_, value) => (ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value)),
    }),
  );
  return { path: "memory", form: "folder", entries, ignored: [], close: async () => undefined };
}

/** One random case for the comparison with the peer: overlapping polygons, several annotations, a map of 8 bits. */
export interface MadeCase {
  readonly truth: Truth;
  readonly levels: Uint8Array;
  readonly levelsHeight: number;
  readonly levelsWidth: number;
  readonly noTarget: boolean | undefined;
}

/**
 * `count` random samples, two sentences a ref, some without a target, some with an empty, full or one-pixel prediction.
 * `sizePx`: the side of the predicted maps; undefined: the image's size.
 */
export function madeCases(
  preset: Preset,
  seed: number,
  count: number,
  sizePx: number | undefined,
  withDecisions: boolean,
): MadeCase[] {
  return Array.from({ length: count }, (_, i) => {
    const ref = Math.floor(i / 2);
    const ofRef = new CounterRandom(seed, 0, ref, 1);
    const height = 20 + ofRef.below(30);
    const width = 20 + ofRef.below(30);
    const segmentations = ofRef.float() < 0.2 ? [] : madeSegmentations(ofRef, height, width);
    const random = new CounterRandom(seed, 1, i, 2);
    const levelsHeight = sizePx ?? height;
    const levelsWidth = sizePx ?? width;
    const truth = truthOf({
      refId: String(ref),
      sentenceId: String(i),
      imageKey: `image ${ref % 7}`,
      height,
      width,
      segmentations,
      sentenceIndex: i % 2,
      sentenceCount: 2,
      split: ref % 3 === 0 ? "test" : "val",
    });
    const compared = sizePx === undefined ? {} : ({ size: sizePx } as const);
    return {
      truth,
      levels: madeLevels(random, truthMasks(withChanges(preset, compared)).of(truth).mask),
      levelsHeight,
      levelsWidth,
      noTarget: withDecisions ? random.float() < 0.3 : undefined,
    };
  });
}

function madeSegmentations(random: CounterRandom, height: number, width: number): Segmentation[] {
  return Array.from({ length: 1 + random.below(2) }, () =>
    polygons(
      ...Array.from({ length: 1 + random.below(3) }, () =>
        Array.from(
          { length: 2 * (3 + random.below(4)) },
          (_, i) => Math.round(random.float() * (i % 2 === 0 ? width : height) * 100) / 100,
        ),
      ),
    ),
  );
}

/** An empty, full or one-pixel map, a blob anywhere, or a share of the truth's pixels that puts its IoU near a threshold. */
function madeLevels(random: CounterRandom, truth: Rle): Uint8Array {
  const { height, width } = truth;
  const levels = new Uint8Array(height * width);
  const kind = random.below(10);
  if (kind === 0) return levels;
  if (kind === 1) return levels.fill(255);
  if (kind === 2) levels[random.below(levels.length)] = 255;
  if (kind > 4) {
    const set = rleToMask(truth);
    let left = Math.floor((0.5 + 0.1 * random.below(6)) * rleArea(truth));
    for (let i = 0; i < levels.length && left > 0; i++) {
      if (set[i] === 0) continue;
      levels[i] = 128 + random.below(128);
      left--;
    }
    return levels;
  }
  const centreX = random.float() * width;
  const centreY = random.float() * height;
  const reach = 3 + random.float() * 0.6 * height;
  for (let i = 0; kind > 2 && i < levels.length; i++) {
    const distance = Math.hypot((i % width) - centreX, Math.floor(i / width) - centreY);
    levels[i] = Math.max(0, Math.min(255, 255 * (1 - distance / reach) + random.below(40)));
  }
  return levels;
}
