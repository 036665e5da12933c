import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type ErrorCode, NemosaicError, unknownName } from "../model/index.ts";
import { type ImageTextModel, type OpenModelOptions, openImageTextModel } from "./clip/index.ts";

/** The model taken where a person names none: OpenAI's CLIP ViT-B/32 (MIT) as ONNX files, 350 MB for fp16, 600 MB for fp32. */
export const defaultModel = "Xenova/clip-vit-base-patch32";

/** The model that comes with the package: trained on the scenes that `nemosaic scenes` draws (models/scene-clip). */
const sceneClipFolder = fileURLToPath(new URL("../../models/scene-clip", import.meta.url));

/** How relevance can be had. */
export type Relevance =
  | { readonly kind: "clip"; readonly model: ImageTextModel; readonly notes: readonly string[] }
  /** By words: `buildLexicalIndex`. `notes` say that it is not CLIP, and why it was taken. */
  | { readonly kind: "lexical"; readonly notes: readonly string[] };

type Open = (options: OpenModelOptions) => Promise<Relevance>;

const kinds: Readonly<Record<string, Open>> = {
  clip: openDefault,
  "scene-clip": openSceneClip,
  lexical: () => Promise.resolve({ kind: "lexical", notes: [lexicalNote] }),
  auto: openAuto,
};

/** Names that `openRelevance` knows beside hub ids and folders. */
export const relevanceNames: readonly string[] = Object.keys(kinds);

export const lexicalNote =
  "lexical relevance is not CLIP: it compares the words that people wrote about the images and never looks at a picture";

export const sceneClipNote =
  "scene-clip knows only the scenes that nemosaic draws: use a CLIP model for photographs (docs/relevance.md)";

/**
 * Opens relevance by name: "clip" (the default model; an error says what to name where it cannot be had), "scene-clip" (the package's own, for drawn scenes), "lexical", "auto" (the default model, or lexical where no model can
 * be had, with the reason in `notes`), a hub id or a model's folder. Errors: `usage` with the nearest name for an unknown one;
 * those of `openImageTextModel`.
 */
export async function openRelevance(name: string, options: OpenModelOptions): Promise<Relevance> {
  const open = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (open !== undefined) return open(options);
  const isBareWord = !/[/\\]/.test(name) && (await stat(name).catch(() => undefined)) === undefined;
  if (isBareWord) throw unknownName("relevance", name, [...relevanceNames, "a hub id (org/name)", "a folder"]);
  return openNamed(name, options);
}

/** A hub id or a folder that a person named; where the hub cannot be had, the way without it stands in the error. */
async function openNamed(name: string, options: OpenModelOptions): Promise<Relevance> {
  try {
    return await openClip(name, options);
  } catch (error) {
    if (!(error instanceof NemosaicError) || error.code !== "network") throw error;
    const remedy = "or copy the model's files to a folder here and pass that with --model (docs/relevance.md)";
    throw new NemosaicError(error.code, `${error.message}, ${remedy}`, { cause: error });
  }
}

async function openClip(spec: string, options: OpenModelOptions): Promise<Relevance> {
  const model = await openImageTextModel(spec, options);
  return { kind: "clip", model, notes: model.notes };
}

/** Where the default model cannot be had, nobody has said what to take in its place: the run ends, with what to say. */
async function openDefault(options: OpenModelOptions): Promise<Relevance> {
  try {
    return await openClip(defaultModel, options);
  } catch (error) {
    if (!(error instanceof NemosaicError) || !unavailable.has(error.code)) throw error;
    const code = error.code === "not-found" ? "network" : error.code;
    const choices =
      "--model FOLDER for a model on this machine, --model scene-clip for drawn scenes, --model lexical to compare words and look at no picture";
    throw new NemosaicError(code, `${error.message}; without it, choose another model: ${choices}`, { cause: error });
  }
}

async function openSceneClip(options: OpenModelOptions): Promise<Relevance> {
  const model = await openImageTextModel(sceneClipFolder, options);
  return { kind: "clip", model, notes: [...model.notes, sceneClipNote] };
}

/** A model that cannot be had, as against one that is there and broken. */
const unavailable: ReadonlySet<ErrorCode> = new Set(["offline", "network", "not-found"]);

async function openAuto(options: OpenModelOptions): Promise<Relevance> {
  try {
    return await openClip(defaultModel, options);
  } catch (error) {
    if (!(error instanceof NemosaicError) || !unavailable.has(error.code)) throw error;
    return { kind: "lexical", notes: [`no image-text model can be had: ${error.message}`, lexicalNote] };
  }
}
