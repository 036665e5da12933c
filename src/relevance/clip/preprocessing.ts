import { fail, quoteValue } from "../../model/index.ts";

/** How a model wants its images: as its files state it, complete, in the order of application. */
export interface Preprocessing {
  /** Shortest side to `edge` (the other one keeps the shape), or both sides as given; undefined: as it is. */
  readonly resize:
    | { readonly kind: "shortest"; readonly edge: number }
    | { readonly kind: "exact"; readonly width: number; readonly height: number }
    | undefined;
  readonly resample: "bicubic" | "bilinear";
  /**
   * Centre crop; what lies outside the image is black. Where an odd number of pixels is cut off, transformers rounds the offset
   * down, and torchvision, which open_clip prepares by, half to even.
   */
  readonly crop:
    | { readonly width: number; readonly height: number; readonly rounding?: "half to even" | undefined }
    | undefined;
  /** Factor on 0–255 before mean and standard deviation. */
  readonly rescale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /** Size of the tensor, pixels. */
  readonly width: number;
  readonly height: number;
}

type Json = Readonly<Record<string, unknown>>;

export interface PreprocessingFiles {
  /** `image_processor` of `processor_config.json`, else `preprocessor_config.json`. */
  readonly preprocessor: Json | undefined;
  /** `open_clip_config.json` or what stands for it, used where there is no other. */
  readonly openClip: Json | undefined;
  /** `config.json`; gives the crop's size where the others do not. */
  readonly model: Json;
  /** Names the model in errors. */
  readonly where: string;
}

const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

/** What a processor's class fills in where its file says nothing: transformers' own defaults. */
const classDefaults: readonly (readonly [RegExp, Json])[] = [
  [
    /^CLIP/,
    {
      size: { shortest_edge: 224 },
      crop_size: 224,
      do_center_crop: true,
      resample: 3,
      image_mean: clipMean,
      image_std: clipStd,
    },
  ],
  [/^Siglip/, { size: 224, resample: 3, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }],
  [/^(ViT|DeiT|Deit|Beit)/, { size: 224, resample: 2, image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }],
];

/**
 * Understands the configurations of transformers' image processors (CLIP, SigLIP, MobileCLIP and kin, `size` as a number,
 * shortest edge or height and width) and of open_clip. What a file leaves out is what its class takes; nothing else is ever
 * assumed. Errors: `not-found` where no file says how images are prepared; `unsupported` for another resampling or a size that
 * would differ by image; `bad-input` for nonsense, and for what no file and no known class states.
 */
export function parsePreprocessing(files: PreprocessingFiles): Preprocessing {
  if (files.preprocessor !== undefined) return fromTransformers(files.preprocessor, files);
  if (files.openClip !== undefined) return fromOpenClip(record(files.openClip.preprocess_cfg), files);
  return fail(
    "not-found",
    `expected preprocessor_config.json, processor_config.json with an image_processor, or open_clip_config.json in ${files.where}, found none: without it nobody knows how its images are prepared, and a guess would spoil every vector; copy the file from where the model is published`,
  );
}

function fromTransformers(given: Json, files: PreprocessingFiles): Preprocessing {
  const kind = classOf(given);
  if (/^(Siglip2|.*NaFlex)/.test(kind) && given.size === undefined)
    fail(
      "unsupported",
      `expected images of one size in ${files.where}, got the processor ${quoteValue(kind)}, which keeps each image's shape: take a SigLIP 2 of fixed size, such as one named patch16-224`,
    );
  const defaults = classDefaults.find(([pattern]) => pattern.test(kind))?.[1] ?? {};
  const config: Json = { ...defaults, ...given };
  const stated = (name: string): unknown =>
    config[name] ??
    fail(
      "bad-input",
      `expected ${name} in the image processor of ${files.where}, which is of no known class (${quoteValue(kind)}): state it in preprocessor_config.json`,
    );
  const side = modelSide(files.model);
  const doCrop = config.do_center_crop ?? (config.crop_size !== undefined && !isSquareKind(config));
  const resize = config.do_resize === false ? undefined : parseResize(config, stated("size"), files.where);
  const crop =
    doCrop === true ? parseBox(config.crop_size ?? side ?? stated("crop_size"), "crop_size", files.where) : undefined;
  const isNormalised = config.do_normalize !== false;
  return finish({
    resize,
    resample: resize === undefined ? "bicubic" : parseResample(stated("resample"), files.where),
    crop,
    rescale:
      config.do_rescale === false ? 1 : positive(config.rescale_factor ?? 1 / 255, "rescale_factor", files.where),
    mean: isNormalised ? readTriple(stated("image_mean"), "image_mean", files.where) : [0, 0, 0],
    std: isNormalised ? readTriple(stated("image_std"), "image_std", files.where) : [1, 1, 1],
    where: files.where,
  });
}

function fromOpenClip(config: Json, files: PreprocessingFiles): Preprocessing {
  const modelSize = record(record(files.openClip?.model_cfg).vision_cfg).image_size;
  const size = config.size ?? modelSize ?? modelSide(files.model);
  if (size === undefined) fail("bad-input", `expected preprocess_cfg.size in ${files.where}, found none`);
  const box = parseBox(size, "size", files.where);
  const mode = config.resize_mode ?? "shortest";
  if (mode !== "shortest" && mode !== "squash") {
    fail("unsupported", `expected resize_mode "shortest" or "squash" in ${files.where}, got ${quoteValue(mode)}`);
  }
  if (mode === "shortest" && box.width !== box.height) {
    fail("unsupported", `expected a square size for resize_mode "shortest" in ${files.where}, got ${quoteValue(box)}`);
  }
  return finish({
    resize: mode === "squash" ? { kind: "exact", ...box } : { kind: "shortest", edge: box.width },
    resample: parseResample(config.interpolation ?? "bicubic", files.where),
    crop: mode === "squash" ? undefined : { ...box, rounding: "half to even" },
    rescale: 1 / 255,
    mean: readTriple(config.mean ?? clipMean, "mean", files.where),
    std: readTriple(config.std ?? clipStd, "std", files.where),
    where: files.where,
  });
}

function finish({ where, ...parts }: Omit<Preprocessing, "width" | "height"> & { where: string }): Preprocessing {
  const size = parts.crop ?? (parts.resize?.kind === "exact" ? parts.resize : undefined);
  if (size === undefined) {
    fail(
      "unsupported",
      `expected a crop or a size with width and height in ${where}: else every image has another size`,
    );
  }
  if (parts.std.some((value) => value === 0)) fail("bad-input", `expected image_std without zeros in ${where}`);
  return { ...parts, width: size.width, height: size.height };
}

/** SigLIP's and ViT's processors read a bare number as both sides; CLIP's as the shortest edge. */
function isSquareKind(config: Json): boolean {
  return /^(Siglip|ViT|Deit|DeiT|Beit)/.test(classOf(config));
}

function classOf(config: Json): string {
  return String(config.image_processor_type ?? config.feature_extractor_type ?? "");
}

function parseResize(config: Json, size: unknown, where: string): NonNullable<Preprocessing["resize"]> {
  if (typeof size === "number") {
    const edge = wholePixels(size, "size", where);
    return isSquareKind(config) ? { kind: "exact", width: edge, height: edge } : { kind: "shortest", edge };
  }
  const given = record(size);
  if (given.shortest_edge !== undefined && given.longest_edge === undefined) {
    return { kind: "shortest", edge: wholePixels(given.shortest_edge, "size.shortest_edge", where) };
  }
  if (given.height !== undefined && given.width !== undefined)
    return { kind: "exact", ...parseBox(size, "size", where) };
  return fail(
    "unsupported",
    `expected size as a number, shortest_edge, or height and width in ${where}, got ${quoteValue(size)}`,
  );
}

/** Pillow's numbers (2 bilinear, 3 bicubic) or the names that newer files use. */
function parseResample(value: unknown, where: string): Preprocessing["resample"] {
  if (value === 3 || value === "bicubic") return "bicubic";
  if (value === 2 || value === "bilinear") return "bilinear";
  return fail("unsupported", `expected resample 2 (bilinear) or 3 (bicubic) in ${where}, got ${quoteValue(value)}`);
}

function parseBox(value: unknown, name: string, where: string): { width: number; height: number } {
  if (Array.isArray(value) && value.length === 2) return parseBox({ height: value[0], width: value[1] }, name, where);
  const given = record(value);
  const both = typeof value === "number" ? value : given.shortest_edge;
  return {
    width: wholePixels(both ?? given.width, name, where),
    height: wholePixels(both ?? given.height, name, where),
  };
}

function modelSide(model: Json): number | undefined {
  const stated = record(model.vision_config).image_size;
  return typeof stated === "number" ? stated : undefined;
}

const largestSide = 8192;

function wholePixels(value: unknown, name: string, where: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= largestSide) return value;
  return fail(
    "bad-input",
    `expected ${name} as whole pixels from 1 to ${largestSide} in ${where}, got ${quoteValue(value)}`,
  );
}

function positive(value: unknown, name: string, where: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  return fail("bad-input", `expected ${name} above zero in ${where}, got ${quoteValue(value)}`);
}

function readTriple(value: unknown, name: string, where: string): [number, number, number] {
  const numbers = Array.isArray(value) ? value : [value, value, value];
  const [red, green, blue]: unknown[] = numbers;
  if (
    numbers.length === 3 &&
    [red, green, blue].every((number) => typeof number === "number" && Number.isFinite(number))
  ) {
    return [Number(red), Number(green), Number(blue)];
  }
  return fail("bad-input", `expected ${name} as three numbers in ${where}, got ${quoteValue(value)}`);
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
