import { join } from "node:path";
import { encodeJpeg } from "../../codecs/index.ts";
import { exists, hashBytes, hashFile, writeFileAtomic } from "../../io/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { holds } from "../meaning/judge.ts";
import { instancesOf, renderScene } from "../picture/render.ts";
import type { SpriteSet } from "../picture/sprites.ts";
import { type Scene, sceneHeight, sceneWidth } from "../scene.ts";
import { generateWithRefs } from "./generate.ts";
import type { SceneSettings } from "./options.ts";
import {
  annotationIdOf,
  annotationsOf,
  entryOf,
  fileNameOf,
  imageIdOf,
  type ReferEntry,
  refIdOf,
  sentenceIdOf,
} from "./ref-records.ts";
import { refToNone, refToSeveral, type SceneRef } from "./refer.ts";

/** Some consecutive scenes to draw. */
export interface ChunkTask {
  readonly from: number;
  readonly to: number;
  readonly settings: SceneSettings;
  /** Where the images go. */
  readonly imageFolder: string;
  /** Images that are there stem from a run with the same settings that was interrupted: keep them. */
  readonly keepsImages: boolean;
}

/** Numbers that the manifest reports. */
export interface SceneTally {
  [name: string]: number;
}

/** What becomes of a chunk, ready to be written in the order of the scenes. */
export interface ChunkResult {
  /** JSON text, one an annotation. */
  readonly annotations: readonly string[];
  readonly refs: readonly ReferEntry[];
  /** The same and more in gRefCOCO's form; [] unless asked for. */
  readonly generalRefs: readonly ReferEntry[];
  /** The lines of scenes.jsonl. */
  readonly lines: readonly string[];
  readonly imageHashes: readonly string[];
  readonly tally: SceneTally;
}

/** Draws the scenes of a task, writes their images, and returns the rest. */
export async function makeChunk(task: ChunkTask, sprites: SpriteSet): Promise<ChunkResult> {
  const result = {
    annotations: [] as string[],
    refs: [] as ReferEntry[],
    generalRefs: [] as ReferEntry[],
    lines: [] as string[],
    imageHashes: [] as string[],
    tally: {} as SceneTally,
  };
  const { settings } = task;
  const isGeneral = settings.multiTarget > 0 || settings.noTarget > 0;
  // While an image is encoded and written, this thread draws the next ones.
  const drawn: Promise<Drawn>[] = [];
  const addFirst = async (): Promise<void> => {
    const first = await drawn.shift();
    if (first === undefined) return;
    const { scene, refs, instances, hash, split } = first;
    const general = generalRefsOf(scene, settings);
    result.imageHashes.push(hash);
    result.annotations.push(...annotationsOf(scene, instances).map((annotation) => JSON.stringify(annotation)));
    result.refs.push(...refs.map((ref, position) => entryOf(scene, ref, position, split, false)));
    if (isGeneral) {
      result.generalRefs.push(
        ...[...refs, ...general].map((ref, position) => entryOf(scene, ref, position, split, true)),
      );
    }
    result.lines.push(JSON.stringify(lineOf(scene, [...refs, ...general], split)));
    count(result.tally, scene, refs, general, split);
  };
  try {
    for (let index = task.from; index < task.to; index++) {
      const next = drawnAt(index, task, sprites);
      next.catch(() => undefined); // reported where it is awaited
      drawn.push(next);
      if (drawn.length >= underWay) await addFirst();
    }
    while (drawn.length > 0) await addFirst();
  } finally {
    await Promise.allSettled(drawn);
  }
  return result;
}

const underWay = 4;

interface Drawn {
  readonly scene: Scene;
  readonly refs: readonly SceneRef[];
  readonly instances: Awaited<ReturnType<typeof imageOf>>["instances"];
  readonly hash: string;
  readonly split: string;
}

async function drawnAt(index: number, task: ChunkTask, sprites: SpriteSet): Promise<Drawn> {
  const { settings } = task;
  const { scene, refs } = generateWithRefs(settings.seed, index, settings, sprites);
  return { scene, refs, ...(await imageOf(scene, task, sprites)), split: splitOf(index, settings) };
}

/** One line of scenes.jsonl. */
export interface SceneLine {
  readonly image_id: number;
  readonly file_name: string;
  readonly split: string;
  readonly scene: Scene;
  readonly refs: readonly {
    readonly ref_id: number;
    readonly ann_ids: readonly number[];
    readonly object_ids: readonly number[];
    /** Other objects of the target's class. */
    readonly similar: number;
    /** Whether class, colour and size alone name the target. */
    readonly plain: boolean;
    readonly sentences: readonly {
      readonly sent_id: number;
      readonly text: string;
      readonly kind: string;
      readonly logic: SceneRef["sentences"][number]["logic"];
      /** The objects of which it is true, by `holds`. */
      readonly holds: readonly number[];
    }[];
  }[];
}

function lineOf(scene: Scene, refs: readonly SceneRef[], split: string): SceneLine {
  return {
    image_id: imageIdOf(scene.index),
    file_name: fileNameOf(scene.index),
    split,
    scene,
    refs: refs.map((ref, position) => {
      const refId = refIdOf(scene.index, position);
      return {
        ref_id: refId,
        ann_ids: ref.objectIds.map((id) => annotationIdOf(scene.index, id)),
        object_ids: ref.objectIds,
        similar: ref.similar,
        plain: ref.isPlain,
        sentences: ref.sentences.map(({ text, kind, logic }, place) => ({
          sent_id: sentenceIdOf(refId, place),
          text,
          kind,
          logic,
          holds: holds(logic, scene),
        })),
      };
    }),
  };
}

async function imageOf(
  scene: Scene,
  task: ChunkTask,
  sprites: SpriteSet,
): Promise<{ instances: Uint8Array; hash: string }> {
  const path = join(task.imageFolder, fileNameOf(scene.index));
  if (task.keepsImages && (await exists(path)))
    return { instances: instancesOf(scene, sprites), hash: await hashFile(path) };
  const { image, instances } = renderScene(scene, sprites);
  const pixels = { width: sceneWidth, height: sceneHeight, channels: 3, data: image } as const;
  const bytes = await encodeJpeg(pixels, task.settings.quality, { chroma: "4:4:4" });
  await writeFileAtomic(path, bytes);
  return { instances, hash: hashBytes(bytes) };
}

/** Spread evenly over the images, independently of which are hard, so that small sets have every split. */
function splitOf(index: number, settings: SceneSettings): string {
  const splits = Object.entries(settings.splits);
  const sum = splits.reduce((total, [, share]) => total + share, 0);
  const place = spread(index, settings.seed, 4, Math.SQRT2 - 1) * sum;
  let running = 0;
  for (const [name, share] of splits) {
    running += share;
    if (place < running) return name;
  }
  return splits.at(-1)?.[0] ?? "train";
}

function generalRefsOf(scene: Scene, settings: SceneSettings): SceneRef[] {
  const isDue = (share: number, stream: number, step: number): boolean =>
    spread(scene.index, settings.seed, stream, step) < share;
  return [
    isDue(settings.multiTarget, 5, Math.sqrt(3) - 1) ? refToSeveral(scene) : undefined,
    isDue(settings.noTarget, 6, Math.sqrt(5) - 2) ? refToNone(scene) : undefined,
  ].filter((ref) => ref !== undefined);
}

/** Fractions of 0 … 1 that any run of indices fills evenly. */
function spread(index: number, seed: number, stream: number, step: number): number {
  return (new CounterRandom(seed, 0, 0, stream).float() + index * step) % 1;
}

function count(
  tally: SceneTally,
  scene: Scene,
  refs: readonly SceneRef[],
  general: readonly SceneRef[],
  split: string,
): void {
  const add = (name: string, by = 1): void => {
    tally[name] = (tally[name] ?? 0) + by;
  };
  add("images");
  add(`images.${split}`);
  add(`themes.${scene.backdrop.theme}`);
  add("annotations", scene.objects.length);
  add("hardImages", refs.some((ref) => ref.similar > 0) ? 1 : 0);
  for (const ref of refs) {
    add("refs");
    add(`refs.${split}`);
    add("hardRefs", ref.similar > 0 ? 1 : 0);
    // A relation, said because class, colour and size do not name the target.
    add("relationRefs", !ref.isPlain && ref.sentences.some(({ kind }) => kind === "relation") ? 1 : 0);
    add("sentences", ref.sentences.length);
    for (const { kind } of ref.sentences) add(`kinds.${kind}`);
  }
  add("multiTargetRefs", general.filter((ref) => ref.objectIds.length > 0).length);
  add("noTargetRefs", general.filter((ref) => ref.objectIds.length === 0).length);
}
