import { fail } from "../../model/index.ts";
import { checkSceneOptions, defaultSceneOptions, type SceneOptions } from "./generate.ts";

/** What a dataset of scenes is made of. The same settings give the same bytes, whatever the number of workers. */
export interface SceneSettings extends SceneOptions {
  readonly count: number;
  /** An integer of 0 … 2^53 - 1. */
  readonly seed: number;
  /** Shares of the images by split; any names, shares above 0 that are scaled to a sum of 1. */
  readonly splits: Readonly<Record<string, number>>;
  /** Share of the images with a multi-target ref as well; above 0 (or noTarget) writes grefs(unc).json. */
  readonly multiTarget: number;
  /** Share of the images with a no-target ref as well. */
  readonly noTarget: number;
  /** JPEG quality, 1 … 100. */
  readonly quality: number;
}

/** What `writeScenes` takes; everything has a default. */
export interface WriteScenesOptions extends Partial<SceneSettings> {
  /** Replaces what an earlier run with other settings left. Default false. */
  readonly force?: boolean;
  /** Workers beside the main thread; 0 draws in this thread. Default: a worker a core for 64 scenes and more. */
  readonly workers?: number;
}

/** The defaults of `SceneSettings`. */
export const defaultSceneSettings: SceneSettings = {
  ...defaultSceneOptions,
  count: 300,
  seed: 0,
  splits: { train: 0.8, val: 0.1, test: 0.1 },
  multiTarget: 0,
  noTarget: 0,
  quality: 88,
};

/** One line for each option, for command lines. */
export const sceneOptionsHelp: Readonly<Record<keyof SceneSettings | "force" | "workers", string>> = {
  count: "number of images (300)",
  seed: "the same seed and settings give the same bytes (0)",
  hardShare: "share of images with two or more objects of the target's class (0.75)",
  twinShare: "among those, share where two of them also have the same colour (0.8)",
  objects: "objects an image, from and to, such as 3-5 (2-9)",
  splits: "shares of the images by split (train 0.8, val 0.1, test 0.1)",
  multiTarget: "share of images with a multi-target expression, in gRefCOCO's form (0)",
  noTarget: "share of images with a no-target expression, in gRefCOCO's form (0)",
  quality: "JPEG quality (88)",
  force: "replace a folder that was made with other settings",
  workers: "worker threads; the result does not depend on it (one a core)",
};

/** The settings with defaults filled in. Errors: "usage", naming the option and its range. */
export function sceneSettingsOf(options: WriteScenesOptions): SceneSettings {
  const given = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name in defaultSceneSettings && value !== undefined),
  );
  const settings: SceneSettings = { ...defaultSceneSettings, ...given };
  checkSceneOptions(settings);
  if (!Number.isInteger(settings.count) || settings.count < 1 || settings.count > maxCount) {
    fail("usage", `expected a count of 1 to ${maxCount} scenes, got ${settings.count}`);
  }
  if (!Number.isSafeInteger(settings.seed) || settings.seed < 0) {
    fail("usage", `expected a seed that is an integer of 0 to 2^53 - 1, got ${settings.seed}`);
  }
  for (const name of ["multiTarget", "noTarget"] as const) {
    if (!(settings[name] >= 0 && settings[name] <= 1))
      fail("usage", `expected ${name} of 0 to 1, got ${settings[name]}`);
  }
  if (!Number.isInteger(settings.quality) || settings.quality < 1 || settings.quality > 100) {
    fail("usage", `expected a JPEG quality of 1 to 100, got ${settings.quality}`);
  }
  const splits = Object.entries(settings.splits);
  if (splits.length === 0 || splits.some(([name, share]) => name === "" || !(share > 0 && share < Infinity))) {
    fail("usage", `expected splits as names with shares above 0, got ${JSON.stringify(settings.splits)}`);
  }
  return settings;
}

/** Keeps every id below 2^31. */
const maxCount = 10_000_000;
