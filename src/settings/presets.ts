import type { PartialSettings, Settings } from "./schema.ts";

/** The defaults, which are ours: the paper's τ, K and γ are not known (docs/settings.md says how these were chosen). */
export const defaults: Settings = {
  size: 416,
  unit: "ref",
  resample: "opencv",
  mined: "default",
  mosaic: { gamma: 0.5, randomShare: 0, grid: "2x2", fit: "stretch" },
  band: { tau: "auto", tauImage: "auto", k: 100 },
  tooFew: "widen",
  guards: { nearDuplicate: 0.97 },
  tokens: { kind: "clip", length: 77 },
  onBadImage: "skip",
};

/** Named starting points; a settings file or --set changes single keys of one. */
export const presets: Readonly<Record<string, { readonly about: string; readonly settings: PartialSettings }>> = {
  nemo: { about: "mined hard negatives in half of the samples", settings: {} },
  random: {
    about: "mosaics with random negatives in half of the samples, the paper's baseline",
    settings: { mosaic: { randomShare: 1 } },
  },
  none: { about: "single images only, no augmentation", settings: { mosaic: { gamma: 0 } } },
};

export const presetNames: readonly string[] = Object.keys(presets);
