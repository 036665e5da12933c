import { z } from "zod";
import { styleNames, styles } from "../styles/index.ts";

const share = z.number().min(0).max(1);
const cosine = z.number().min(-1).max(1);
const count = z.number().int().min(0).max(1_000_000_000);
/** A cosine similarity, or a number derived from the mined scores, or no threshold at all. */
const threshold = z.union([cosine, z.literal("auto"), z.null()], {
  error: 'expected a number from -1 to 1, "auto", or null',
});
const plainThreshold = z.union([cosine, z.null()], { error: "expected a number from -1 to 1, or null" });
const orNull = <T extends z.ZodType>(type: T, what: string) =>
  z.union([type, z.null()], { error: `expected ${what}, or null` });

const gridText = 'expected columns and rows from 1x2 to 8x8, such as 2x2 or 3x2, or "mixed"';

const mosaic = z.strictObject({
  gamma: share.describe("γ: the share of training samples that are mosaics; the rest are single images at full size"),
  randomShare: share.describe(
    "the share of mosaics whose negatives are drawn from all candidate images, not from the band",
  ),
  style: z
    .enum(styleNames)
    .describe(`how images are put together. ${styles.map(({ name, about }) => `${name}: ${about}`).join("; ")}`),
  grid: z
    .union([z.literal("mixed"), z.string().regex(/^(?!1x1$)[1-8]x[1-8]$/, gridText)], {
      error: gridText,
    })
    .describe("cells per mosaic, columns x rows up to 8x8; mixed draws 2x2 or 3x3 with equal chance"),
  crossPoint: z
    .union([z.number().min(0).max(0.5), z.literal("free")], { error: 'expected a number from 0 to 0.5, or "free"' })
    .describe(
      "how far each inner line of the grid may move, in cells: 0 = not at all; r = within ±r; free = anywhere; all tilings that keep minCell are equally likely",
    ),
  minCell: z
    .number()
    .min(0.05)
    .max(1)
    .describe("if lines move: the smallest width and height of a cell, as a share of the fixed grid's cell"),
  fit: z
    .enum(["stretch", "cover", "contain"])
    .describe(
      "how an image fills its cell: stretch = whatever its aspect ratio, as NeMo; cover = cut to the cell; contain = all of it, with black bars",
    ),
  blur: z
    .number()
    .min(0)
    .max(1000)
    .describe("radius in the sample's pixels of a Gaussian blur on the negatives (the paper's ablation); 0 = none"),
  placement: z
    .enum(["uniform", "position-aware", "position-free"])
    .describe(
      "the target's cell: uniform = any; position-aware = one that keeps the position words true, and a single image if there is none or if the expression counts from a side; position-free = any, and a single image for every expression whose position words not all cells keep true",
    ),
  largeTarget: orNull(share, "a number from 0 to 1").describe(
    "a target that covers more than this share of its image becomes a single image; null = off",
  ),
  minVisible: share.describe(
    "if a style can hide the target: the smallest share of its pixels that must stay visible, else the single image",
  ),
});

const band = z.strictObject({
  risk: orNull(share, "a number from 0 to 1").describe(
    "drop candidates whose risk is above it: the chance that the expression is true of them, estimated from annotations and sentences; if these are too sparse, drop the best ranks instead; null = off",
  ),
  prefer: z
    .enum(["kind", "score"])
    .describe(
      "what comes first in the band: kind = images that show an object of the target's kind (needs the estimates of band.risk); score = the best scores",
    ),
  tau: threshold.describe(
    "τ: drop candidates whose text-to-image score is above it, as probably true; auto = the lower quartile of the expressions' scores with their own images; null = off, the default with band.risk",
  ),
  tauImage: threshold.describe(
    "τᵢ: drop candidates whose image-to-image score with the own image is above it; auto = the 95th percentile of the mined candidates' scores; null = off",
  ),
  tauText: plainThreshold.describe(
    "τₜ: drop candidates that have an expression whose text-to-text score with this one is above it (needs mine --t2t); null = off",
  ),
  judge: orNull(z.number(), "a number")
    .optional()
    .describe(
      "drop candidates that another judge scored above it, as probably true (needs judge --scores); null or left out = off",
    ),
  k: z.number().int().min(1).describe("K: the band is the best K of the candidates that pass the other rules"),
  margin: orNull(z.number().min(0).max(2), "a number from 0 to 2").describe(
    "drop candidates whose score is above the own image's score minus this; null = off",
  ),
  ratio: orNull(share, "a number from 0 to 1").describe(
    "drop candidates whose score is above this share of the own image's score; null = off",
  ),
  minScore: plainThreshold.describe("drop candidates whose text-to-image score is below it, as too easy; null = off"),
  rankFrom: count.describe("drop candidates before this rank of the mined list, as too hard; 0 is the best"),
  rankTo: orNull(z.number().int().min(1), "a whole number from 1").describe(
    "drop candidates at this rank of the mined list and after it; null = off",
  ),
  hubCap: orNull(z.number().int().min(1), "a whole number from 1").describe(
    "an image stays in the bands of at most this many expressions, those that score it best; null = off",
  ),
});

const draw = z.strictObject({
  method: z
    .enum(["uniform", "top", "temperature", "mmr"])
    .describe(
      "which images of the band are drawn: uniform = any; top = the best; temperature = by score, with a temperature; mmr = dissimilar ones",
    ),
  temperature: z
    .number()
    .min(0.0001)
    .max(100)
    .describe("temperature: chances go as exp(score / temperature); lower is harder"),
  diversity: share.describe("mmr: 0 = by score only, 1 = by dissimilarity only"),
});

const ramp = (value: z.ZodNumber, what: string) =>
  orNull(z.array(z.tuple([count, value])).min(1), `[[epoch, ${what}], …] with whole epochs from 0`);

const schedule = z.strictObject({
  randomUntil: count.describe("epochs before this one draw random negatives only (the reference's retrieval_epoch)"),
  epochs: orNull(z.number().int().min(1), "a whole number from 1").describe(
    "how many epochs you train: plainLast counts back from it",
  ),
  plainLast: z
    .number()
    .min(0)
    .max(1_000_000_000)
    .refine((value) => value < 1 || Number.isInteger(value), "expected whole epochs, or a share of them below 1")
    .describe(
      "the last epochs have single images only: this many, or below 1 this share of schedule.epochs, rounded; a share has no effect while epochs is null",
    ),
  gamma: ramp(share, "share").describe(
    "γ over epochs, [[epoch, value], …], straight between points, constant before and after; null = mosaic.gamma",
  ),
  tau: ramp(cosine, "score").describe("τ over epochs, likewise; null = band.tau"),
  k: ramp(z.number().min(1).max(1_000_000_000), "K").describe("K over epochs, likewise, rounded; null = band.k"),
});

/** Where sentences that are true of nothing come from. */
export const negativeSources = ["edited", "mined", "mined+edited", "random"] as const;

const gres = z.strictObject({
  tighten: z
    .union([z.number().min(0).max(2), z.literal("auto")], { error: 'expected a number from 0 to 2, or "auto"' })
    .describe(
      "how much lower τ and τₜ are for multi-target and no-target expressions; auto = median minus lower quartile of the scores with own images",
    ),
  makeNoTarget: share.describe("the share of mosaics that leave the own image out: an empty mask"),
  negativeSentence: share.describe(
    "the share of training samples whose sentence is true of nothing in the picture: an empty mask",
  ),
  negativeSource: z
    .enum(negativeSources)
    .describe(
      "where these sentences come from. edited: the sample's own with one thing changed, checked against annotations; mined: those of the pool that score the image best and are not true of it (needs mine --sentences); mined+edited: either, with equal chance; random: any of another image that is spelled differently",
    ),
});

const guards = z.strictObject({
  nearDuplicate: orNull(share, "a number from 0 to 1").describe(
    "never draw an image whose image-to-image score with the own image is at least this; null = only exact copies are excluded",
  ),
  sameSentence: z.boolean().describe("never draw an image of which the same sentence is said"),
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

const legacy = z.strictObject({
  ownImage: z.boolean().describe("the own image, its near-duplicates and judged images may be negatives"),
  repeats: z.boolean().describe("K ≥ 20 draws with replacement: the same image twice in one mosaic"),
  lastOfList: count.describe(
    "if no candidate passes, draw from this many at the end of the list, all above τ; 0 = off",
  ),
  randomOverRefs: z.boolean().describe("random negatives are drawn over refs without any guard, not over images"),
  canvas: z
    .boolean()
    .describe("a grid that does not divide the sample is drawn smaller and scaled up with a cubic filter"),
});

/** The schema of nemosaic.json with every key present; `parseSettings` fills what is left out from a preset. */
export const settingsSchema = z.strictObject({
  size: z.number().int().min(32).max(4096).describe("S: width and height of a sample, pixels"),
  unit: z
    .enum(["ref", "expression"])
    .describe("what an epoch runs over: ref = refs, with one sentence drawn for each; expression = all expressions"),
  resample: z
    .enum(["opencv", "fast"])
    .describe(
      "opencv = bilinear without antialiasing, as OpenCV's INTER_LINEAR; fast = antialiased, from reduced decoding",
    ),
  mined: z
    .string()
    .regex(/^(?!\.+$)[\w.-]{1,200}$/, "expected the name of a mined set: letters, digits, '.', '_' or '-'")
    .describe("the folder under mined/ to draw from"),
  mosaic,
  band,
  draw,
  schedule,
  gres,
  tooFew: z
    .enum(["widen", "single", "random", "error"])
    .describe(
      "if the band has too few images for a mosaic: widen = go beyond K, still under every threshold; single = the single image; random = random negatives; error = stop",
    ),
  guards,
  tokens,
  onBadImage: z
    .enum(["skip", "fail"])
    .describe(
      "an image that cannot be decoded: skip = the next good sample takes its place, and is counted; fail = stop",
    ),
  legacy,
});

/** What a researcher tunes: complete, validated. See docs/settings.md for each key. */
export type Settings = z.infer<typeof settingsSchema>;

/** A part of the settings, as written in nemosaic.json or a preset. */
export type PartialSettings = {
  readonly [Key in keyof Settings]?: Settings[Key] extends object ? Partial<Settings[Key]> : Settings[Key];
};

/** Settings whose thresholds are numbers or null: what the pure rooms work with. */
export type ResolvedSettings = Omit<Settings, "band" | "gres"> & {
  readonly band: Omit<Settings["band"], "tau" | "tauImage"> & {
    readonly tau: number | null;
    readonly tauImage: number | null;
  };
  readonly gres: Omit<Settings["gres"], "tighten"> & { readonly tighten: number };
};
