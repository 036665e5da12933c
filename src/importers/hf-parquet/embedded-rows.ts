import type { DatasetRecord } from "../../model/index.ts";
import { type EntryState, entryRecords } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import { parseSegmentation } from "../segmentation.ts";
import { boxOf, type Dict, exactId, field, idComplaint, isDict, isInnerPath, numbersOf } from "../values.ts";

/** The records of one row of lmms-lab's layout; images carry their bytes. */
export function* embeddedRowRecords(
  row: Dict,
  where: string,
  split: string,
  state: EntryState,
): Generator<DatasetRecord> {
  const refId = exactId(field(row, "question_id"));
  if (refId === undefined) return yield bad("bad id", where, idComplaint("question_id", field(row, "question_id")));
  const image = field(row, "image");
  const bytes = isDict(image) ? field(image, "bytes") : undefined;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) {
    const complaint = {
      expected: `"image" to be {bytes, path} with the image's bytes`,
      came: image,
      remedy: "correct or remove the row",
    };
    return yield bad("unreadable value", where, complaint);
  }
  const name = imageName(field(row, "file_name"));
  if (name === undefined || !isInnerPath(name)) {
    const complaint = {
      expected: `"file_name" to be the image's name`,
      came: field(row, "file_name"),
      remedy: "correct the name",
    };
    return yield bad("unsafe file name", where, complaint);
  }
  const answers = field(row, "answer");
  if (!Array.isArray(answers)) {
    return yield bad("wrong type", where, {
      expected: `"answer" to be a list of texts`,
      came: answers,
      remedy: "correct the row",
    });
  }
  const flat = numbersOf(field(row, "segmentation"));
  const parsed = parseSegmentation(flat === undefined ? field(row, "segmentation") : [flat]);
  if ("complaint" in parsed) return yield bad("bad segmentation", where, parsed.complaint);
  const box = boxOf(field(row, "bbox"));
  const crowd = field(row, "iscrowd");
  const found = entryRecords(
    {
      // A copy: the reader's bytes are a view into a whole row group.
      image: { id: name, file: name, bytes: state.images.has(name) ? bytes : bytes.slice() },
      targets: [
        {
          id: refId,
          category: "",
          segmentation: parsed.segmentation,
          isCrowd: crowd === 1 || crowd === 1n || crowd === true,
          ...(box === undefined ? {} : { box }),
        },
      ],
      refId,
      split,
      sentences: answers.map((sent: unknown, id) => ({ id, sent })),
      unusable: parsed.unusable,
    },
    where,
    state,
  );
  if (found.some((record) => record.type === "ref")) for (const reason of parsed.notes) yield note(reason, where);
  yield* found;
}

/** COCO_train2014_000000000009_3.jpg → COCO_train2014_000000000009.jpg: REFER's running number is no part of the name. */
function imageName(value: unknown): string | undefined {
  return typeof value === "string" ? value.replace(/^(COCO_[a-z]+\d{4}_\d{12})_\d+(\.[a-z]+)$/i, "$1$2") : undefined;
}
