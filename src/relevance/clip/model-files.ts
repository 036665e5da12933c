import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { exists, hashFile, hashJson, type Progress } from "../../io/index.ts";
import { fail, shown, unknownName } from "../../model/index.ts";
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
  /** Folder that holds tokenizer.json and the configurations. */
  readonly folder: string;
  /** ONNX files; the same path twice for a whole model. */
  readonly vision: string;
  readonly text: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly preprocessor: Readonly<Record<string, unknown>> | undefined;
  readonly openClip: Readonly<Record<string, unknown>> | undefined;
  /** SHA-256 over the names and contents of all files that decide the vectors. */
  readonly hash: string;
}

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
    fail("not-found", `expected a model's folder or a hub id such as "org/name", found nothing at ${shown(spec)}`);
  }
  return findOnHub(spec, options);
}

async function findInFolder(folder: string, dtype: Dtype): Promise<ModelFiles> {
  for (const candidate of candidates(dtype)) {
    const vision = join(folder, candidate.vision);
    const text = join(folder, candidate.text);
    if (!(await exists(vision)) || !(await exists(text))) continue;
    return describe(basename(folder), folder, vision, text);
  }
  return fail("not-found", `expected ${lookedFor(dtype)} in the model's folder "${folder}", found neither`);
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
  for (const candidate of candidates(dtype)) {
    const vision = await onnx(candidate.vision);
    const text = vision === undefined ? undefined : await onnx(candidate.text);
    if (vision === undefined || text === undefined) continue;
    for (const name of ["preprocessor_config.json", "tokenizer_config.json"]) await repository.get(name);
    if ((await repository.get("preprocessor_config.json")) === undefined) await repository.get("open_clip_config.json");
    if ((await repository.get("tokenizer.json")) === undefined) {
      fail("not-found", `expected tokenizer.json in the hub's ${spec}, found none: choose an export with it`);
    }
    return describe(
      spec,
      repository.folder,
      join(repository.folder, candidate.vision),
      join(repository.folder, candidate.text),
    );
  }
  return fail(
    "not-found",
    `expected ${lookedFor(dtype)} in the hub's ${spec}, found neither: choose a repository with ONNX files`,
  );
}

interface Candidate {
  readonly vision: string;
  readonly text: string;
}

/** Two files before one, the hub's `onnx/` before the folder itself. */
function candidates(dtype: Dtype): Candidate[] {
  const ending = endings[dtype];
  return ["onnx/", ""].flatMap((folder) => [
    { vision: `${folder}vision_model${ending}.onnx`, text: `${folder}text_model${ending}.onnx` },
    { vision: `${folder}model${ending}.onnx`, text: `${folder}model${ending}.onnx` },
  ]);
}

function lookedFor(dtype: Dtype): string {
  const ending = endings[dtype];
  return `onnx/vision_model${ending}.onnx and onnx/text_model${ending}.onnx, or onnx/model${ending}.onnx`;
}

async function describe(id: string, folder: string, vision: string, text: string): Promise<ModelFiles> {
  const onnx = [...new Set([vision, text])];
  const deciding = [
    ...onnx.flatMap((path) => [path, `${path}_data`, `${path}.data`]),
    ...configurations.map((name) => join(folder, name)),
  ];
  const hashes: Record<string, string> = {};
  for (const path of deciding) if (await exists(path)) hashes[basename(path)] = await hashFile(path);
  return {
    id,
    folder,
    vision,
    text,
    config: (await readJson(join(folder, "config.json"))) ?? {},
    preprocessor: await readJson(join(folder, "preprocessor_config.json")),
    openClip: await readJson(join(folder, "open_clip_config.json")),
    hash: hashJson(hashes),
  };
}

const configurations = [
  "config.json",
  "preprocessor_config.json",
  "open_clip_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
];

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  if (!(await exists(path))) return undefined;
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    fail("bad-input", `expected JSON in "${path}": ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  return fail("bad-input", `expected a JSON object in "${path}"`);
}
