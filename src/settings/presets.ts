import { styles } from "../styles/index.ts";
import type { PartialSettings, Settings } from "./schema.ts";

/** The defaults, which are ours: the paper's τ, K and γ are not known (docs/settings.md says how these were chosen). */
export const defaults: Settings = {
  size: 416,
  unit: "ref",
  resample: "opencv",
  mined: "default",
  mosaic: {
    gamma: 0.5,
    randomShare: 0,
    style: styles[0].name,
    grid: "2x2",
    crossPoint: 0,
    minCell: 0.5,
    fit: "stretch",
    blur: 0,
    placement: "position-aware",
    largeTarget: null,
    minVisible: 0.5,
  },
  band: {
    risk: 0.03,
    prefer: "kind",
    tau: null,
    tauImage: null,
    tauText: null,
    k: 30,
    margin: null,
    ratio: null,
    minScore: null,
    rankFrom: 0,
    rankTo: null,
    hubCap: null,
  },
  draw: { method: "uniform", temperature: 0.02, diversity: 0.5 },
  schedule: { randomUntil: 0, epochs: null, plainLast: 0, gamma: null, tau: null, k: null },
  gres: { tighten: "auto", makeNoTarget: 0, negativeSentence: 0, negativeSource: "edited" },
  tooFew: "widen",
  guards: { nearDuplicate: 0.97, sameSentence: true },
  tokens: { kind: "clip", length: 77 },
  onBadImage: "skip",
  legacy: { ownImage: false, repeats: false, lastOfList: 0, randomOverRefs: false, canvas: false },
};

/**
 * What the band's rules start from where settings name a rule over scores (τ, τᵢ, τₜ, margin, ratio, a schedule of τ) and
 * not `band.risk`: the paper's rule. Files from before `band.risk` mean what they meant.
 */
export const scoreRules: PartialSettings["band"] = { risk: null, prefer: "score", tau: "auto", tauImage: "auto" };

/** Random negatives are what the paper's baseline draws: under the guards alone. */
const guardsAlone: PartialSettings["band"] = { risk: null, prefer: "score", tau: null, tauImage: null };

/** Named starting points, those that styles bring among them; a settings file or --set changes single keys of one. */
export const presets: Readonly<Record<string, { readonly about: string; readonly settings: PartialSettings }>> = {
  nemo: { about: "mined hard negatives in half of the samples", settings: {} },
  nemosaic: {
    about: "ours: mined hard negatives at full size, single images in the last third of the epochs",
    settings: { mosaic: { style: "full-size" }, schedule: { plainLast: 1 / 3 } },
  },
  "nemo-tau": {
    about: "as nemo, with the paper's rule alone: candidates above a score τ are dropped, of the rest the best K kept",
    settings: { band: scoreRules },
  },
  "nemo-reference": {
    about: "the released loader's distribution and pixels, its defects included where it runs",
    settings: {
      mosaic: { placement: "uniform" },
      band: { tauImage: null, k: 100 },
      gres: { tighten: 0 },
      guards: { nearDuplicate: null, sameSentence: false },
      tooFew: "single",
      legacy: { ownImage: true, repeats: true, lastOfList: 300, randomOverRefs: true, canvas: true },
    },
  },
  random: {
    about: "mosaics with random negatives in half of the samples, the paper's baseline",
    settings: { mosaic: { randomShare: 1, placement: "uniform" }, band: guardsAlone },
  },
  ...Object.fromEntries(
    styles.flatMap(({ name: style, presets: own }) =>
      Object.entries(own).map(([name, { about, mosaic }]) => [
        name,
        {
          about,
          settings: { mosaic: { style, ...mosaic }, ...(mosaic.randomShare === 1 ? { band: guardsAlone } : {}) },
        },
      ]),
    ),
  ),
  none: { about: "single images only, no augmentation", settings: { mosaic: { gamma: 0 } } },
};

/** The names of all presets, for messages and help. */
export const presetNames: readonly string[] = Object.keys(presets);
