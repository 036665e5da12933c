import { halfToNumber, numberToHalf, type Rle, rleFromMask } from "../../kernels/index.ts";
import { fail } from "../../model/index.ts";
import type { RawMask } from "./prediction.ts";

/** How whole numbers are read: as a mask (not 0), as a probability (level / max), or by what the whole set shows. */
export type LevelReading = "auto" | "masks" | "probabilities";

export const levelReadings: readonly LevelReading[] = ["auto", "masks", "probabilities"];

/** What one raster of whole numbers holds besides 0. */
export type LevelEvidence =
  | "nothing" // zeros only, or no whole numbers
  | "ones" // 1 only: a 0/1 mask, or a very low probability
  | "full" // the largest value only: a mask either way
  | "graded"; // anything else: a probability map

export interface Binarised {
  /** By the reading asked for; under "auto" as a probability map. */
  readonly mask: Rle;
  /** Under "auto", for a raster of 0 and 1 only: its mask should the whole set turn out to be 0/1 masks. */
  readonly asOnes: Rle | undefined;
  readonly evidence: LevelEvidence;
}

export interface Threshold {
  readonly value: number;
  readonly inclusive: boolean;
}

/**
 * Cuts a predicted mask at `threshold`; undefined for a prediction without a mask. Does not modify `raw`. `where` names
 * the prediction in an error: "bad-input" for a probability outside 0 … 1 or NaN (logits, most likely).
 */
export function binarise(
  raw: RawMask,
  threshold: Threshold,
  reading: LevelReading,
  where: string,
): Binarised | undefined {
  switch (raw.kind) {
    case "none":
      return undefined;
    case "rle":
      return { mask: raw.mask, asOnes: undefined, evidence: "nothing" };
    case "probabilities":
      return { mask: cutProbabilities(raw, threshold, where), asOnes: undefined, evidence: "nothing" };
    case "levels":
      return cutLevels(raw, threshold, reading);
  }
}

/**
 * Whether rasters of 0 and 1 are masks, by what the whole set of predictions holds. Undefined where it cannot be told:
 * some hold 0 and 1 only, others 0 and 255 only.
 */
export function onesAreMasks(seen: ReadonlySet<LevelEvidence>): boolean | undefined {
  if (!seen.has("ones")) return false;
  if (seen.has("graded")) return false;
  return seen.has("full") ? undefined : true;
}

/** The smallest whole number of 1 … max + 1 whose share of `max` passes the threshold (max + 1: none does). */
export function levelCut(max: number, threshold: Threshold): number {
  const passes = (level: number): boolean =>
    threshold.inclusive ? level / max >= threshold.value : level / max > threshold.value;
  let low = 0;
  let high = max + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function cutLevels(raw: Extract<RawMask, { kind: "levels" }>, threshold: Threshold, reading: LevelReading): Binarised {
  const { height, width, levels, max } = raw;
  const evidence = evidenceOf(levels, max);
  const cut = reading === "masks" ? 1 : levelCut(max, threshold);
  const asOnes = reading === "auto" && evidence === "ones" && cut > 1 ? rleFromMask(levels, height, width) : undefined;
  return { mask: rleFromMask(levels, height, width, cut), asOnes, evidence };
}

function evidenceOf(levels: Uint8Array | Uint16Array, max: number): LevelEvidence {
  let ones = false;
  let full = false;
  const aligned = levels instanceof Uint8Array && levels.byteOffset % 4 === 0 ? levels.length >> 2 : 0;
  const words = new Uint32Array(levels.buffer, aligned === 0 ? 0 : levels.byteOffset, aligned);
  for (let at = 0; at < levels.length; at++) {
    // Most of a mask is zeros: four at a time.
    if (at % 4 === 0 && words[at >> 2] === 0) {
      at += 3;
      continue;
    }
    const level = levels[at];
    if (level === 0) continue;
    if (level === max) full = true;
    else if (level === 1) ones = true;
    else return "graded";
  }
  if (ones && full) return "graded";
  return ones ? "ones" : full ? "full" : "nothing";
}

function cutProbabilities(raw: Extract<RawMask, { kind: "probabilities" }>, threshold: Threshold, where: string): Rle {
  const { height, width, values } = raw;
  // NumPy and PyTorch round the threshold to the array's type: a float32 of 0.7 is not over 0.7, and reaches it.
  const cut = values instanceof Float32Array ? rounded(threshold.value, raw.precision) : threshold.value;
  const mask = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (!(value >= 0 && value <= 1)) {
      fail(
        "bad-input",
        `${where}: expected probabilities of 0 … 1, got ${value} at pixel ${i}; apply the sigmoid or softmax first`,
      );
    }
    mask[i] = value > cut || (threshold.inclusive && value === cut) ? 1 : 0;
  }
  return rleFromMask(mask, height, width);
}

function rounded(threshold: number, precision: "half" | undefined): number {
  return precision === "half" ? halfToNumber(numberToHalf(threshold)) : Math.fround(threshold);
}
