import type { Picklable } from "../../codecs/index.ts";
import { type Rle, rleArea, rleBox, rleToString } from "../../kernels/index.ts";
import { objectClasses } from "../classes.ts";
import { type Scene, type SceneObject, sceneHeight, sceneWidth } from "../scene.ts";
import type { SceneRef } from "./refer.ts";

/** A ref as it stands in refs(unc).p, field by field. */
export interface ReferEntry {
  readonly [key: string]: Picklable;
  readonly ref_id: number;
}

/** An image's id: 1 for the first scene. */
export function imageIdOf(index: number): number {
  return index + 1;
}

/** An object's annotation id; ids never depend on what stands in other scenes. */
export function annotationIdOf(index: number, objectId: number): number {
  return imageIdOf(index) * 16 + objectId;
}

/** The id of a scene's ref number 0, 1, … (below 16). */
export function refIdOf(index: number, position: number): number {
  return imageIdOf(index) * 16 + position;
}

/** The id of a ref's sentence number 0, 1, … (below 8). */
export function sentenceIdOf(refId: number, position: number): number {
  return refId * 8 + position;
}

/** An image's file name in images/. */
export function fileNameOf(index: number): string {
  return `scene_${String(imageIdOf(index)).padStart(12, "0")}.jpg`;
}

/** A class's category id. */
export function categoryIdOf(className: string): number {
  return objectClasses.findIndex((entry) => entry.name === className) + 1;
}

/** COCO's categories. */
export const categories: readonly { id: number; name: string; supercategory: string }[] = objectClasses.map(
  (entry, position) => ({ id: position + 1, name: entry.name, supercategory: entry.category }),
);

/** A scene's annotations as instances.json holds them: one an object, its mask what can be seen of it. */
export function annotationsOf(scene: Scene, instances: Uint8Array): unknown[] {
  return scene.objects.map((object) => {
    const rle = visibleRle(object, instances);
    return {
      id: annotationIdOf(scene.index, object.id),
      image_id: imageIdOf(scene.index),
      category_id: categoryIdOf(object.className),
      segmentation: { size: [sceneHeight, sceneWidth], counts: rleToString(rle) },
      area: rleArea(rle),
      bbox: rleBox(rle),
      iscrowd: 0,
    };
  });
}

/** The pixels of `instances` that are the object's, as run lengths down the columns; looks at its box only. */
function visibleRle(object: SceneObject, instances: Uint8Array): Rle {
  const [left, top, width, height] = object.box;
  const counts: number[] = [];
  let begin = 0;
  let isSet = false;
  for (let x = left; x < left + width; x++) {
    // Above and below the box there is nothing: a run ends where the box does.
    for (let y = top; y <= top + height; y++) {
      const isOwn = y < top + height && instances[y * sceneWidth + x] === object.id;
      if (isOwn === isSet) continue;
      const at = x * sceneHeight + y;
      // A box as high as the picture: the run goes on in the next column.
      if (isOwn && at === begin && counts.length > 0) begin -= counts.pop() ?? 0;
      else {
        counts.push(at - begin);
        begin = at;
      }
      isSet = isOwn;
    }
  }
  counts.push(sceneWidth * sceneHeight - begin);
  return { height: sceneHeight, width: sceneWidth, counts: Uint32Array.from(counts) };
}

/** A ref in REFER's form (one object) or, with `isGeneral`, in gRefCOCO's (lists of ids; [-1] for none). */
export function entryOf(scene: Scene, ref: SceneRef, position: number, split: string, isGeneral: boolean): ReferEntry {
  const refId = refIdOf(scene.index, position);
  const annotationIds = ref.objectIds.map((id) => annotationIdOf(scene.index, id));
  const categoryIds = ref.objectIds.map((id) =>
    categoryIdOf(scene.objects.find((object) => object.id === id)?.className ?? ""),
  );
  const sentences = ref.sentences.map(({ text }, place) => ({
    raw: text,
    sent: text,
    tokens: text.split(" "),
    sent_id: sentenceIdOf(refId, place),
  }));
  return {
    ref_id: refId,
    image_id: imageIdOf(scene.index),
    split,
    // As in RefCOCO, the number behind the name is no part of the image's name.
    file_name: fileNameOf(scene.index).replace(/\.jpg$/, `_${refId}.jpg`),
    sent_ids: sentences.map((sentence) => sentence.sent_id),
    sentences,
    ...(isGeneral
      ? {
          ann_id: annotationIds.length === 0 ? [-1] : annotationIds,
          category_id: categoryIds.length === 0 ? [-1] : categoryIds,
          no_target: annotationIds.length === 0,
        }
      : { ann_id: annotationIds[0] ?? -1, category_id: categoryIds[0] ?? -1 }),
  };
}
