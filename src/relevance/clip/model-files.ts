import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { readJson } from "../../codecs/index.ts";
import { exists, hashFile, hashJson, type Progress } from "../../io/index.ts";
import { fail, quoteValue, unknownName } from "../../model/index.ts";
import { type HubAccess, openHubRepository } from "../hub/index.ts";

/** Variants of ONNX files that the hub's exports carry, by the ending of their names. */
const endings = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
} as const;

export type Dtype = keyof typeof endings;

/** The valid names of `dtype`. */
export const dtypeNames = Object.keys(endings) as readonly Dtype[];

/** The files of an image-text model on this disk. */
export interface ModelFiles {
  /** The hub id, or the folder's name. */
  readonly id: string;
  /** Folder that holds tokenizer.json. */
  readonly tokenizerFolder: string;
  /** ONNX files; the same path twice for a whole model. */
  readonly vision: string;
  readonly text: string;
  readonly config: Json;
  /** `image_processor` of processor_config.json (transformers 5), else preprocessor_config.json. */
  readonly preprocessor: Json | undefined;
  /** open_clip_config.json, or what `visual/` holds in its place. */
  readonly openClip: Json | undefined;
  /** SHA-256 over the names and contents of all files that decide the vectors. */
  readonly hash: string;
}

type Json = Readonly<Record<string, unknown>>;

export interface FindModelOptions {
  readonly dtype: Dtype;
  readonly hub: HubAccess;
  readonly progress: Progress;
}

/**
 * Finds a model by folder or by hub id ("org/name", "org/name@revision"), downloading what is missing. A folder wins
 * where both could be meant. Errors: `not-found` with the files looked for, and those of the hub.
 */
export async function findModel(spec: string, options: FindModelOptions): Promise<ModelFiles> {
  if (!dtypeNames.includes(options.dtype)) throw unknownName("dtype", options.dtype, dtypeNames);
  const info = await stat(spec).catch(() => undefined);
  if (info?.isDirectory() === true) return findInFolder(resolve(spec), options.dtype);
  if (info !== undefined) {
    fail("not-found", `expected a model's folder or hub id, got the file "${spec}": name the folder that holds onnx/`);
  }
  if (!/^[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(spec) || /^\.{0,2}\//.test(spec)) {
    fail("not-found", `expected a model's folder or a hub id such as "org/name", found nothing at ${quoteValue(spec)}`);
  }
  return findOnHub(spec, options);
}

async function findInFolder(folder: string, dtype: Dtype): Promise<ModelFiles> {
  const isThere = (path: string): Promise<boolean> => exists(join(folder, path));
  for (const layout of layouts(dtype)) {
    if (!(await isThere(layout.vision)) || !(await isThere(layout.text))) continue;
    return describe(basename(folder), folder, layout);
  }
  return failWithout(`the model's folder "${folder}"`, dtype, await dtypesThere(isThere));
}

async function findOnHub(spec: string, { dtype, hub, progress }: FindModelOptions): Promise<ModelFiles> {
  const repository = await openHubRepository(spec, hub, progress);
  const onnx = async (path: string): Promise<string | undefined> => {
    const file = await repository.get(path);
    if (file !== undefined) {
      await repository.get(`${path}_data`);
      await repository.get(path.replace(/\.onnx$/, ".onnx.data"));
    }
    return file;
  };
  await repository.get("config.json");
  for (const layout of layouts(dtype)) {
    const vision = await onnx(layout.vision);
    const text = vision === undefined ? undefined : await onnx(layout.text);
    if (vision === undefined || text === undefined) continue;
    const names = configurations(layout);
    for (const name of names) if (name !== "open_clip_config.json") await repository.get(name);
    const stated = ["processor_config.json", "preprocessor_config.json"].map((name) => repository.get(name));
    if ((await Promise.all(stated)).every((path) => path === undefined)) await repository.get("open_clip_config.json");
    if ((await repository.get(`${layout.tokenizer}tokenizer.json`)) === undefined) {
      fail("not-found", `expected tokenizer.json in the hub's ${spec}, found none: choose an export with it`);
    }
    return describe(spec, repository.folder, layout);
  }
  return failWithout(`the hub's ${spec}`, dtype, await dtypesThere((path) => repository.has(path)));
}

/** Where a model's files lie, as paths inside its folder. */
interface Layout {
  readonly vision: string;
  readonly text: string;
  /** The folder of tokenizer.json: "", or with a slash at its end. */
  readonly tokenizer: string;
  /** open_clip's preprocessing beside the image model, where the layout has such a file. */
  readonly preprocessing?: string;
}

/** Two files before one, the hub's `onnx/` before the folder itself, and last what has a folder a tower. */
function layouts(dtype: Dtype): Layout[] {
  const ending = endings[dtype];
  const flat = ["onnx/", ""].flatMap((folder) => [
    { vision: `${folder}vision_model${ending}.onnx`, text: `${folder}text_model${ending}.onnx`, tokenizer: "" },
    { vision: `${folder}model${ending}.onnx`, text: `${folder}model${ending}.onnx`, tokenizer: "" },
  ]);
  const split = {
    vision: `visual/model${ending}.onnx`,
    text: `textual/model${ending}.onnx`,
    tokenizer: "textual/",
    preprocessing: "visual/preprocess_cfg.json",
  };
  return [...flat, split];
}

/** The variants that are whole in a place. */
async function dtypesThere(isThere: (path: string) => Promise<boolean>): Promise<Dtype[]> {
  const found: Dtype[] = [];
  for (const dtype of dtypeNames) {
    for (const { vision, text } of layouts(dtype)) {
      if (found.includes(dtype) || !(await isThere(vision)) || !(await isThere(text))) continue;
      found.push(dtype);
    }
  }
  return found;
}

function failWithout(place: string, dtype: Dtype, others: readonly Dtype[]): never {
  const ending = endings[dtype];
  const lookedFor = `onnx/vision_model${ending}.onnx and onnx/text_model${ending}.onnx, or onnx/model${ending}.onnx`;
  const [first] = others;
  const advice =
    first === undefined
      ? "export the model to ONNX (docs/relevance.md)"
      : `it has ${others.join(", ")}: take --dtype ${first}`;
  return fail("not-found", `expected ${lookedFor} in ${place}, found no ${dtype} model; ${advice}`);
}

async function describe(id: string, folder: string, layout: Layout): Promise<ModelFiles> {
  const [vision, text] = [join(folder, layout.vision), join(folder, layout.text)];
  const onnx = [...new Set([layout.vision, layout.text])];
  const deciding = [...onnx.flatMap((path) => [path, `${path}_data`, `${path}.data`]), ...configurations(layout)];
  const hashes: Record<string, string> = {};
  for (const name of deciding) {
    const path = join(folder, name);
    if (!(await exists(path))) continue;
    await refusePointer(path);
    hashes[layout.preprocessing === undefined ? basename(path) : name] = await hashFile(path);
  }
  const config = (await readObject(join(folder, "config.json"))) ?? {};
  const processor = await readObject(join(folder, "processor_config.json"));
  return {
    id,
    tokenizerFolder: join(folder, layout.tokenizer),
    vision,
    text,
    config,
    preprocessor: nested(processor) ?? (await readObject(join(folder, "preprocessor_config.json"))),
    openClip: await openClipOf(folder, layout, config),
    hash: hashJson(hashes),
  };
}

function nested(processor: Json | undefined): Json | undefined {
  const value = processor?.image_processor;
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

async function openClipOf(folder: string, { preprocessing }: Layout, config: Json): Promise<Json | undefined> {
  const own = preprocessing === undefined ? undefined : await readObject(join(folder, preprocessing));
  if (own !== undefined) return { preprocess_cfg: own, model_cfg: config };
  return readObject(join(folder, "open_clip_config.json"));
}

const pointerHead = "version https://git-lfs.github.com/spec/";

/** What a clone without Git LFS leaves in a file's place: three lines of text that say which content it has. */
async function refusePointer(path: string): Promise<void> {
  if ((await stat(path)).size > 1024) return;
  if (!(await readFile(path, "utf8")).startsWith(pointerHead)) return;
  fail(
    "bad-input",
    `"${path}" is a Git LFS pointer and not the file itself: run "git lfs pull" in the model's folder, or name the model by its hub id`,
  );
}

/** The files beside the ONNX ones that decide the vectors. */
function configurations({ tokenizer, preprocessing }: Layout): string[] {
  return [
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "open_clip_config.json",
    `${tokenizer}tokenizer.json`,
    `${tokenizer}tokenizer_config.json`,
    ...(preprocessing === undefined ? [] : [preprocessing]),
  ];
}

async function readObject(path: string): Promise<Json | undefined> {
  if (!(await exists(path))) return undefined;
  const value = await readJson(path);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  return fail("bad-input", `expected a JSON object in "${path}"`);
}
