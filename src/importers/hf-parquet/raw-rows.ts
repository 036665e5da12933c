import { cocoCategory } from "../../codecs/index.ts";
import type { DatasetRecord } from "../../model/index.ts";
import { type EntryState, entryRecords, entrySentence } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import type { ImagesFolder } from "../places.ts";
import { parseSegmentation } from "../segmentation.ts";
import { boxOf, type Dict, exactId, field, finite, idComplaint, isDict, isInnerPath, pixelsOf } from "../values.ts";

/** The file name of a row's image as COCO gives it, from `raw_image_info`; undefined where there is none. */
export function imagePathOf(row: Dict): string | undefined {
  const info = parseCell(field(row, "raw_image_info"));
  const name = isDict(info) ? field(info, "file_name") : undefined;
  return typeof name === "string" && isInnerPath(name) ? name : undefined;
}

/** The records of one row of jxu124's layout. */
export function* rawRowRecords(
  row: Dict,
  where: string,
  fileSplit: string,
  state: EntryState,
  images: ImagesFolder,
): Generator<DatasetRecord> {
  const refId = exactId(field(row, "ref_id"));
  if (refId === undefined) return yield bad("bad id", where, idComplaint("ref_id", field(row, "ref_id")));
  const info = parseCell(field(row, "raw_image_info"));
  const name = imagePathOf(row);
  if (!isDict(info) || name === undefined) {
    const complaint = {
      expected: `"raw_image_info" to be JSON with file_name`,
      came: field(row, "raw_image_info"),
      remedy: "correct the row",
    };
    return yield bad("unreadable value", where, complaint);
  }
  const imageId = exactId(field(info, "id")) ?? exactId(field(row, "image_id"));
  if (imageId === undefined) return yield bad("bad id", where, idComplaint("image_id", field(row, "image_id")));
  const annotation = parseCell(field(row, "raw_anns"));
  if (!isDict(annotation)) {
    const complaint = {
      expected: `"raw_anns" to be JSON {id, segmentation, …}`,
      came: field(row, "raw_anns"),
      remedy: "correct the row",
    };
    return yield bad("unreadable value", where, complaint);
  }
  const id = exactId(field(annotation, "id")) ?? exactId(field(row, "ann_id"));
  if (id === undefined) return yield bad("bad id", where, idComplaint("ann_id", field(row, "ann_id")));
  const segmentation = parseSegmentation(field(annotation, "segmentation"));
  if ("complaint" in segmentation) return yield bad("bad segmentation", where, segmentation.complaint);
  const sentences = parseCell(field(row, "raw_sentences"));
  if (!Array.isArray(sentences)) {
    const complaint = {
      expected: `"raw_sentences" to be a JSON list`,
      came: field(row, "raw_sentences"),
      remedy: "correct the row",
    };
    return yield bad("unreadable value", where, complaint);
  }
  const [width, height] = [pixelsOf(field(info, "width")), pixelsOf(field(info, "height"))];
  const box = boxOf(field(annotation, "bbox"));
  const area = finite(field(annotation, "area"));
  const categoryId = field(annotation, "category_id") ?? field(row, "category_id");
  const split = field(row, "split");
  const crowd = field(annotation, "iscrowd");
  const isNew = !state.annotations.has(id);
  const found = entryRecords(
    {
      image: {
        id: imageId,
        file: images.fileOf(name),
        ...(width === undefined || height === undefined ? {} : { width, height }),
      },
      targets: [
        {
          id,
          category: cocoCategory(categoryId) ?? exactId(categoryId) ?? "",
          segmentation: segmentation.segmentation,
          isCrowd: crowd === 1 || crowd === true,
          ...(area === undefined ? {} : { area }),
          ...(box === undefined ? {} : { box }),
        },
      ],
      refId,
      split: typeof split === "string" && split !== "" ? split : fileSplit,
      sentences: sentences.map((sentence: unknown, index) =>
        isDict(sentence)
          ? { ...entrySentence(sentence, index), id: field(sentence, "sent_id") }
          : { id: undefined, sent: sentence },
      ),
      unusable: segmentation.unusable,
    },
    where,
    state,
  );
  if (isNew && found.some((record) => record.type === "ref"))
    for (const reason of segmentation.notes) yield note(reason, where);
  yield* found;
}

/** JSON text as its value; what is no JSON text is returned as it is (some exports nest it already). */
function parseCell(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}
