import { type Rle, rleArea, rleFromPolygon, rleFromString, rleUnion } from "../kernels/index.ts";
import { fail, type Segmentation } from "../model/index.ts";
import { pixelsCoveredOnce } from "./pixels-covered-once.ts";
import type { Preset, SizeRule } from "./presets.ts";
import { resizeMask } from "./resize-mask.ts";
import type { Truth } from "./truth.ts";

/** What a truth is scored against. */
export interface TruthMask {
  readonly mask: Rle;
  readonly areaPx: number;
  /** By the preset's rule: declared by the dataset, or without a pixel at the original size. */
  readonly noTarget: boolean;
  /** Of the union of all parts at the original size, 0 … 1 of the image. */
  readonly areaShare: number;
}

/** Gives the mask of a truth under one preset; remembers the last few, since sentences of a ref share theirs. */
export interface TruthMasks {
  of(truth: Truth): TruthMask;
  /** The union of all parts at the original size, for pictures. */
  union(truth: Truth): Rle;
}

interface Kept {
  readonly made: TruthMask;
  readonly height: number;
  readonly width: number;
  readonly declared: boolean;
}

const remembered = 64;

/** Truth masks by the conventions of `preset`. Run lengths of another size than the image are a bad-input error. */
export function truthMasks(preset: Preset): TruthMasks {
  const kept = new Map<readonly Segmentation[], Kept>();
  return {
    of(truth) {
      // One array may serve images of several sizes: that of all no-target refs, without annotations.
      const known = kept.get(truth.segmentations);
      if (known?.height === truth.height && known.width === truth.width && known.declared === truth.noTarget)
        return known.made;
      const made = truthMask(truth, preset);
      kept.delete(truth.segmentations);
      kept.set(truth.segmentations, { made, height: truth.height, width: truth.width, declared: truth.noTarget });
      const [oldest] = kept.keys();
      if (kept.size > remembered && oldest !== undefined) kept.delete(oldest);
      return made;
    },
    union: (truth) => rleUnion(partsOf(truth), truth.height, truth.width),
  };
}

/** The size at which a truth is compared under a size rule: [height, width]. */
export function comparedSize(truth: Truth, size: SizeRule): readonly [height: number, width: number] {
  return size.at === "original" ? [truth.height, truth.width] : [size.sizePx, size.sizePx];
}

function truthMask(truth: Truth, preset: Preset): TruthMask {
  if (truth.segmentations.some(({ kind }) => kind === "none"))
    fail("bad-input", `truth of "${truth.key}": its target has a box and no mask, by which nothing can be scored`);
  const parts = partsOf(truth);
  const union = unionOf(parts, truth.height, truth.width);
  const unionArea = rleArea(union);
  const mask = maskToCompare(truth, parts, union, preset);
  return {
    mask,
    areaPx: rleArea(mask),
    noTarget: preset.noTargetTruth === "raster" ? unionArea === 0 : truth.noTarget,
    areaShare: unionArea / Math.max(1, truth.height * truth.width),
  };
}

function maskToCompare(truth: Truth, parts: readonly Rle[], union: Rle, preset: Preset): Rle {
  const [height, width] = comparedSize(truth, preset.size);
  if (preset.size.at === "model" && preset.size.by === "polygons") {
    const scaled = truth.segmentations.flatMap((segmentation) => partsOfOne(segmentation, truth, height, width));
    return unionOf(scaled, height, width);
  }
  const mask = preset.overlap === "union" ? union : pixelsCoveredOnce(parts, truth.height, truth.width);
  return resizeMask(mask, height, width);
}

/** One part, what most truths have, is their union as it is. */
function unionOf(parts: readonly Rle[], height: number, width: number): Rle {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : rleUnion(parts, height, width);
}

/** One mask per polygon or run-length annotation, at the original size. */
function partsOf(truth: Truth): Rle[] {
  return truth.segmentations.flatMap((segmentation) => partsOfOne(segmentation, truth, truth.height, truth.width));
}

/**
 * One annotation's masks at height × width, as detectron2 brings annotations to the model's size: polygons' corners are
 * scaled, run lengths resized by nearest.
 */
function partsOfOne(segmentation: Segmentation, truth: Truth, height: number, width: number): Rle[] {
  if (segmentation.kind === "none") return [];
  if (segmentation.kind === "rle") return [resizeMask(runLengths(segmentation, truth), height, width)];
  const scaleX = width / truth.width;
  const scaleY = height / truth.height;
  const scaled = (part: readonly number[]): readonly number[] =>
    scaleX === 1 && scaleY === 1 ? part : part.map((value, i) => value * (i % 2 === 0 ? scaleX : scaleY));
  return keepUsable(segmentation.parts).map((part) => rleFromPolygon(scaled(part), height, width));
}

/** A polygon has three corners or more; datasets hold others, which every evaluator passes over. */
function keepUsable(parts: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return parts.filter((part) => part.length >= 6 && part.length % 2 === 0);
}

function runLengths(segmentation: Extract<Segmentation, { kind: "rle" }>, truth: Truth): Rle {
  const [height, width] = segmentation.size;
  if (height !== truth.height || width !== truth.width) {
    fail(
      "bad-input",
      `truth of "${truth.key}": expected run lengths of its image's ${truth.height} × ${truth.width} pixels (height × width), got ${height} × ${width}`,
    );
  }
  try {
    return rleFromString(segmentation.counts, height, width);
  } catch (error) {
    return fail(
      "bad-input",
      `truth of "${truth.key}": ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}
