import { availableParallelism } from "node:os";
import type { DecodedImage } from "../../codecs/index.ts";
import { type Progress, silentProgress } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { loadTokenizer, type Tokenizer } from "../../tokens/index.ts";
import type { HubAccess } from "../hub/index.ts";
import { type ImageLanes, laneCount, openLanes } from "./image-lanes.ts";
import { runInSteps } from "./in-steps.ts";
import { type Dtype, findModel, type ModelFiles } from "./model-files.ts";
import { normaliseRows } from "./normalise-rows.ts";
import { preprocessImage } from "./preprocess.ts";
import { type Preprocessing, parsePreprocessing } from "./preprocessing.ts";
import { quantisesByBatch } from "./quantised.ts";
import { type Device, type OnnxSession, openSession, type Port } from "./session.ts";
import { type TextTower, textTower, visionTower } from "./towers.ts";
import { embedBatch, type PreprocessedBatch, type VisionTask } from "./vision.ts";
import { workerEntry } from "./worker-entry.ts";

/** An open image-text model (CLIP, SigLIP, TinyCLIP, MobileCLIP, LiT …). Holds native memory until `close`. */
export interface ImageTextModel {
  /** Hub id or folder name. */
  readonly id: string;
  /** SHA-256 over the model's files. */
  readonly hash: string;
  readonly dtype: Dtype;
  /** Length of the vectors. */
  readonly dimension: number;
  readonly preprocessing: Preprocessing;
  readonly tokenizer: Tokenizer;
  /** What a person should know, such as how a quantised model is run. */
  readonly notes: readonly string[];
  /** float32 [count, dimension], each row of length 1. Does not modify the batch. */
  embedImages(batch: PreprocessedBatch): Promise<Float32Array>;
  /** float32 [texts.length, dimension], each row of length 1. */
  embedTexts(texts: readonly string[]): Promise<Float32Array>;
  /** Writes one image's tensor, 3 · height · width values, into `out`. */
  preprocess(image: DecodedImage, out: Float32Array): void;
  /** Batches of images that `lanes` runs side by side; 1: there is nothing to gain. */
  readonly imageLanes: number;
  /** Threads for that, started by the first call and closed with the model. Vectors are the same, whichever way they were made. */
  lanes(): ImageLanes;
  close(): Promise<void>;
}

export interface OpenModelOptions {
  readonly hub: HubAccess;
  readonly device?: Device;
  readonly dtype?: Dtype;
  /** Threads inside one run of the model; undefined: one per core. */
  readonly threads?: number;
  readonly progress?: Progress;
}

/**
 * Opens an image-text model by folder or hub id. Inputs and outputs are found by looking at the ONNX files; the first
 * use of a hub id downloads (unless `hub.offline`). Errors: see `findModel`, `parsePreprocessing`, `loadTokenizer`;
 * `bad-input` where the two towers disagree about the vectors' length.
 */
export async function openImageTextModel(spec: string, options: OpenModelOptions): Promise<ImageTextModel> {
  const dtype = options.dtype ?? "fp32";
  const files = await findModel(spec, { dtype, hub: options.hub, progress: options.progress ?? silentProgress });
  const where = `"${files.id}"`;
  const notes: string[] = [];
  const preprocessing = parsePreprocessing({
    preprocessor: files.preprocessor,
    openClip: files.openClip,
    model: files.config,
    where,
  });
  const tokenizer = await loadTokenizer(files.tokenizerFolder, textFacts(files));
  const sessionOptions = { device: options.device ?? "cpu", threads: options.threads };
  const visionSession = await openSession(files.vision, sessionOptions);
  const sessions: OnnxSession[] = [visionSession];
  let opened: (ImageLanes & { close(): Promise<void> }) | undefined;
  const close = async (): Promise<void> => {
    await opened?.close();
    for (const session of sessions.splice(0)) await session.close();
  };
  try {
    const isWhole = files.vision === files.text;
    const textSession = isWhole ? visionSession : await openSession(files.text, sessionOptions);
    if (!isWhole) sessions.push(textSession);
    const { height, width } = preprocessing;
    const vision = visionTower(visionSession, { height, width });
    const text = textTower(textSession, { height, width });
    checkPixels(vision.pixels, preprocessing, where);
    const lengths = textLengths(tokenizer, text, files.config);

    if ((text.fixedCount ?? 1) !== 1)
      fail("unsupported", `expected a free batch axis or one of 1 for texts in ${where}, got ${text.fixedCount}`);
    const quantisesTexts = await quantisesByBatch(files.text);
    const textsAtOnce = quantisesTexts || text.fixedCount === 1 ? 1 : Number.POSITIVE_INFINITY;
    const quantisesImages = await quantisesByBatch(files.vision);
    if (quantisesTexts || quantisesImages) {
      notes.push(
        `${where} quantises by batch: it runs one input at a time, so that no vector depends on its neighbours`,
      );
    }

    const embedTexts = (texts: readonly string[]): Promise<Float32Array> =>
      runInSteps(texts.length, textsAtOnce, async (start, end) => {
        const some = texts.slice(start, end);
        const rows = await text.run(tokenizer.encodeBatch(some, lengths(some)));
        return normaliseRows(rows.data.slice(), rows.shape[1] ?? 0, where);
      });
    // In a whole model the other tower's stand-in runs with each step.
    const hasSteps = !isWhole && sessionOptions.device === "cpu";
    const imagesAtOnce = quantisesImages ? 1 : stepOf(vision.pixels, hasSteps);
    const task: VisionTask = { path: files.vision, height, width, imagesAtOnce, where };
    const checked = async (batch: PreprocessedBatch, vectors: Promise<Float32Array>): Promise<Float32Array> => {
      const { length } = await vectors;
      if (length !== batch.count * dimension) failDimensions(length / batch.count, dimension, where);
      return vectors;
    };
    const embedImages = (batch: PreprocessedBatch): Promise<Float32Array> =>
      checked(batch, embedBatch(visionSession, batch, task));
    const threads = options.threads ?? availableParallelism();
    const entry = workerEntry("lane-worker", import.meta.url);
    const imageLanes = entry === undefined || options.device === "cuda" ? 1 : await laneCount(files.vision, threads);
    const lanes = (): ImageLanes => {
      if (entry === undefined) return { count: 1, embedImages: embedImages };
      opened ??= openLanes(entry, task, imageLanes, threads);
      const { count, embedImages: inLanes } = opened;
      return { count, embedImages: (batch, onBusy) => checked(batch, inLanes(batch, onBusy)) };
    };

    const dimension = (await embedTexts(["a"])).length;
    const imageAxis = vision.output.shape[1];
    if (typeof imageAxis === "number" && imageAxis !== dimension) failDimensions(imageAxis, dimension, where);
    const preprocess = (image: DecodedImage, out: Float32Array): void => preprocessImage(image, preprocessing, out);
    const { id, hash } = files;
    return {
      id,
      hash,
      dtype,
      dimension,
      preprocessing,
      tokenizer,
      notes,
      embedImages,
      embedTexts,
      preprocess,
      imageLanes,
      lanes,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What says how texts are cleaned and cut: the configuration of whoever also says how images are prepared. */
function textFacts({ config, preprocessor, openClip }: ModelFiles): Readonly<Record<string, unknown>> {
  return preprocessor === undefined ? { ...config, ...Object(openClip?.model_cfg) } : config;
}

/**
 * Images in one run on a CPU, whatever the batch: what few images take fits the caches better (in one thread 45 ms an image
 * with 2 and 48 with 16 in lit-small, 170 and 197 in a tower of the shape of ViT-B/16), and lanes that share a batch end
 * together.
 */
const imageStep = 2;

/** Images in one run: all that a fixed axis wants, or a few, or (infinity) the batch. */
function stepOf({ shape: [axis] }: Port, hasSteps: boolean): number {
  if (typeof axis === "number") return axis;
  return hasSteps ? imageStep : Number.POSITIVE_INFINITY;
}

function failDimensions(image: number | undefined, text: number, where: string): never {
  return fail("bad-input", `expected towers of one length in ${where}, got ${image} for images and ${text} for texts`);
}

function checkPixels(port: Port, { height, width }: Preprocessing, where: string): void {
  const [, , rows, columns] = port.shape;
  const fits = (axis: number | string | undefined, size: number): boolean => typeof axis !== "number" || axis === size;
  if (fits(rows, height) && fits(columns, width)) return;
  fail("bad-input", `expected images of ${rows}×${columns} in ${where}, its preprocessing makes ${height}×${width}`);
}

/** Where shorter rows give the same vectors, they are cut to the longest text, in steps that keep shapes few. */
const lengthStep = 8;

/** SigLIP pools the last position and was trained with full padding: it must always get all of it. */
function textLengths(
  tokenizer: Tokenizer,
  text: TextTower,
  config: Readonly<Record<string, unknown>>,
): (texts: readonly string[]) => number {
  const full = text.fixedLength ?? tokenizer.contextLength;
  if (!text.mayShorten || /siglip/i.test(String(config.model_type ?? ""))) return () => full;
  const specials = Number(tokenizer.startId !== undefined) + Number(tokenizer.endId !== undefined);
  return (texts) => {
    const longest = texts.reduce((most, one) => Math.max(most, tokenizer.ids(one).length + specials), 1);
    return Math.min(full, Math.ceil(longest / lengthStep) * lengthStep);
  };
}
