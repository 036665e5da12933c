import { z } from "zod";

const share = z.number().min(0).max(1);
/** A cosine similarity, or a number derived from the mined scores, or no threshold at all. */
const threshold = z.union([z.number().min(-1).max(1), z.literal("auto"), z.null()]);

const mosaic = z.strictObject({
  gamma: share.describe("γ: the share of training samples that are mosaics; the rest are single images at full size"),
  randomShare: share.describe(
    "of the mosaics, the share whose negatives are drawn from all candidate images, not from the band",
  ),
  grid: z.enum(["2x2", "3x3", "mixed"]).describe("cells per mosaic; mixed draws 2x2 or 3x3 with equal chance"),
  fit: z.enum(["stretch"]).describe("how an image fills its cell; stretch is NeMo's"),
});

const band = z.strictObject({
  tau: threshold.describe(
    "τ: drop candidates whose text-to-image score is above it, as probably true; auto = the median score of the expressions with their own images; null = off",
  ),
  tauImage: threshold.describe(
    "τᵢ: drop candidates whose image-to-image score with the target image is above it; auto = the 95th percentile of the mined candidates' scores; null = off",
  ),
  k: z.number().int().min(1).describe("K: of the candidates that survive, keep the best K: hard, yet not trivial"),
});

const guards = z.strictObject({
  nearDuplicate: z
    .union([z.number().min(0).max(1), z.null()])
    .describe(
      "never draw an image whose image-to-image score with the target image is at least this; null = only exact copies are barred",
    ),
});

const tokens = z.strictObject({
  kind: z.enum(["clip", "bert", "none"]).describe("which tokenizer fills the batch's tokens"),
  length: z
    .number()
    .int()
    .min(2)
    .max(512)
    .describe("tokens per expression, start and end included: 17 (CRIS), 22, 77 (CLIP)"),
});

/** The schema of nemosaic.json with every key present; `parseSettings` fills what is left out from a preset. */
export const settingsSchema = z.strictObject({
  size: z.number().int().min(32).max(4096).describe("S: width and height of a sample, pixels"),
  unit: z
    .enum(["ref", "expression"])
    .describe("an epoch runs over refs with one sentence drawn, or over all expressions"),
  resample: z
    .enum(["opencv", "fast"])
    .describe(
      "opencv = bilinear without antialiasing, as OpenCV's INTER_LINEAR; fast = antialiased, from reduced decoding",
    ),
  mined: z
    .string()
    .regex(/^[\w.-]+$/, "expected letters, digits, '.', '_' or '-'")
    .describe("the folder under mined/ to draw from"),
  mosaic,
  band,
  tooFew: z
    .enum(["widen", "single", "random", "error"])
    .describe(
      "when the band holds too few images: go beyond K (still under τ), fall back to the single image or to random negatives, or stop",
    ),
  guards,
  tokens,
  onBadImage: z
    .enum(["skip", "fail"])
    .describe("an image that cannot be decoded: replace the sample by the next good one and count it, or stop"),
});

/** What a researcher tunes: complete, validated. See docs/settings.md for each key. */
export type Settings = z.infer<typeof settingsSchema>;

/** A part of the settings, as written in nemosaic.json or a preset. */
export type PartialSettings = {
  readonly [Key in keyof Settings]?: Settings[Key] extends object ? Partial<Settings[Key]> : Settings[Key];
};

/** Settings whose thresholds are numbers or null: what the pure rooms work with. */
export type ResolvedSettings = Omit<Settings, "band"> & {
  readonly band: Omit<Settings["band"], "tau" | "tauImage"> & {
    readonly tau: number | null;
    readonly tauImage: number | null;
  };
};
