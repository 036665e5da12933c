import { fail, shown } from "../../model/index.ts";

/** How a model wants its images: read from `preprocessor_config.json`, complete, in the order of application. */
export interface Preprocessing {
  /** Shortest side to `edge` (the other one keeps the shape), or both sides as given; undefined: as it is. */
  readonly resize:
    | { readonly kind: "shortest"; readonly edge: number }
    | { readonly kind: "exact"; readonly width: number; readonly height: number }
    | undefined;
  readonly resample: "bicubic" | "bilinear";
  /** Centre crop; what lies outside the image is black. */
  readonly crop: { readonly width: number; readonly height: number } | undefined;
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
  /** `preprocessor_config.json`, where there is one. */
  readonly preprocessor: Json | undefined;
  /** `open_clip_config.json`, used where there is no other. */
  readonly openClip: Json | undefined;
  /** `config.json`; gives the image size where the others do not. */
  readonly model: Json;
  /** Names the model in errors. */
  readonly where: string;
}

const clipMean = [0.48145466, 0.4578275, 0.40821073] as const;
const clipStd = [0.26862954, 0.26130258, 0.27577711] as const;

/**
 * Understands the configurations of transformers' image processors (CLIP, SigLIP, MobileCLIP and kin, `size` as a number,
 * shortest edge or height and width) and of open_clip. Where there is none, CLIP's own values hold and `notes` says so.
 * Errors: `unsupported` for another resampling or a size that would differ by image, `bad-input` for nonsense.
 */
export function parsePreprocessing(files: PreprocessingFiles): { preprocessing: Preprocessing; notes: string[] } {
  if (files.preprocessor !== undefined) {
    return { preprocessing: fromTransformers(files.preprocessor, files), notes: [] };
  }
  const openClip = record(files.openClip?.preprocess_cfg);
  if (files.openClip !== undefined) return { preprocessing: fromOpenClip(openClip, files), notes: [] };
  const note = `no preprocessor_config.json in ${files.where}: CLIP's own preprocessing is assumed`;
  return { preprocessing: fromTransformers({}, files), notes: [note] };
}

function fromTransformers(config: Json, files: PreprocessingFiles): Preprocessing {
  const side = imageSize(files.model);
  const doCrop = config.do_center_crop ?? !isSquareKind(config);
  const resize = config.do_resize === false ? undefined : parseResize(config, side, files.where);
  const crop = doCrop === true ? parseBox(config.crop_size ?? side, "crop_size", files.where) : undefined;
  const isNormalised = config.do_normalize !== false;
  return finish({
    resize,
    resample: parseResample(config.resample ?? 3, files.where),
    crop,
    rescale:
      config.do_rescale === false ? 1 : positive(config.rescale_factor ?? 1 / 255, "rescale_factor", files.where),
    mean: isNormalised ? triple(config.image_mean ?? clipMean, "image_mean", files.where) : [0, 0, 0],
    std: isNormalised ? triple(config.image_std ?? clipStd, "image_std", files.where) : [1, 1, 1],
    where: files.where,
  });
}

function fromOpenClip(config: Json, files: PreprocessingFiles): Preprocessing {
  const modelSize = record(record(files.openClip?.model_cfg).vision_cfg).image_size;
  const box = parseBox(config.size ?? modelSize ?? imageSize(files.model), "size", files.where);
  const mode = config.resize_mode ?? "shortest";
  if (mode !== "shortest" && mode !== "squash") {
    fail("unsupported", `expected resize_mode "shortest" or "squash" in ${files.where}, got ${shown(mode)}`);
  }
  if (mode === "shortest" && box.width !== box.height) {
    fail("unsupported", `expected a square size for resize_mode "shortest" in ${files.where}, got ${shown(box)}`);
  }
  return finish({
    resize: mode === "squash" ? { kind: "exact", ...box } : { kind: "shortest", edge: box.width },
    resample: parseResample(config.interpolation ?? "bicubic", files.where),
    crop: mode === "squash" ? undefined : box,
    rescale: 1 / 255,
    mean: triple(config.mean ?? clipMean, "mean", files.where),
    std: triple(config.std ?? clipStd, "std", files.where),
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
  return /^(Siglip|ViT|Deit|DeiT|Beit)/.test(
    String(config.image_processor_type ?? config.feature_extractor_type ?? ""),
  );
}

function parseResize(config: Json, side: number, where: string): NonNullable<Preprocessing["resize"]> {
  const size = config.size ?? side;
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
    `expected size as a number, shortest_edge, or height and width in ${where}, got ${shown(size)}`,
  );
}

/** Pillow's numbers (2 bilinear, 3 bicubic) or the names that newer files use. */
function parseResample(value: unknown, where: string): Preprocessing["resample"] {
  if (value === 3 || value === "bicubic") return "bicubic";
  if (value === 2 || value === "bilinear") return "bilinear";
  return fail("unsupported", `expected resample 2 (bilinear) or 3 (bicubic) in ${where}, got ${shown(value)}`);
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

function imageSize(model: Json): number {
  const stated = record(model.vision_config).image_size;
  return typeof stated === "number" ? stated : 224;
}

const largestSide = 8192;

function wholePixels(value: unknown, name: string, where: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= largestSide) return value;
  return fail(
    "bad-input",
    `expected ${name} as whole pixels from 1 to ${largestSide} in ${where}, got ${shown(value)}`,
  );
}

function positive(value: unknown, name: string, where: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  return fail("bad-input", `expected ${name} above zero in ${where}, got ${shown(value)}`);
}

function triple(value: unknown, name: string, where: string): [number, number, number] {
  const numbers = Array.isArray(value) ? value : [value, value, value];
  const [red, green, blue]: unknown[] = numbers;
  if (
    numbers.length === 3 &&
    [red, green, blue].every((number) => typeof number === "number" && Number.isFinite(number))
  ) {
    return [Number(red), Number(green), Number(blue)];
  }
  return fail("bad-input", `expected ${name} as three numbers in ${where}, got ${shown(value)}`);
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
