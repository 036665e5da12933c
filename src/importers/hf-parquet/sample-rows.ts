/**
 * Rows of moondream/refcoco-m: one row an image, image {bytes, path}, image_id, file_name, samples [{id, category, sentences
 * [text], bbox [x, y, w, h], mask {counts, size}}], a sample a ref.
 */
import type { DatasetRecord } from "../../model/index.ts";
import { type EntryState, entryRecords } from "../entry-records.ts";
import { bad, note } from "../findings.ts";
import { parseSegmentation } from "../segmentation.ts";
import { boxOf, type Dict, exactId, field, idComplaint, isDict, isInnerPath } from "../values.ts";

/** The records of one row; images carry their bytes. */
export function* sampleRowRecords(
  row: Dict,
  where: string,
  split: string,
  state: EntryState,
): Generator<DatasetRecord> {
  const image = field(row, "image");
  const bytes = isDict(image) ? field(image, "bytes") : undefined;
  if (!(bytes instanceof Uint8Array) || bytes.length === 0) {
    const complaint = { expected: `"image" to be {bytes, path}`, came: image, remedy: "correct or remove the row" };
    return yield bad("unreadable value", where, complaint);
  }
  const [name, samples] = [field(row, "file_name"), field(row, "samples")];
  if (typeof name !== "string" || !isInnerPath(name)) {
    const complaint = { expected: `"file_name" to be the image's name`, came: name, remedy: "correct the name" };
    return yield bad("unsafe file name", where, complaint);
  }
  if (!Array.isArray(samples)) {
    const complaint = { expected: `"samples" to be a list`, came: samples, remedy: "correct the row" };
    return yield bad("wrong type", where, complaint);
  }
  for (const [i, sample] of samples.entries()) {
    const place = `${where}, sample ${i}`;
    const refId = isDict(sample) ? exactId(field(sample, "id")) : undefined;
    if (!isDict(sample) || refId === undefined) {
      yield bad("bad id", place, idComplaint("id", isDict(sample) ? field(sample, "id") : sample));
      continue;
    }
    const parsed = parseSegmentation(field(sample, "mask"));
    if ("complaint" in parsed) {
      yield bad("bad segmentation", place, parsed.complaint);
      continue;
    }
    for (const reason of parsed.notes) yield note(reason, place);
    const box = boxOf(field(sample, "bbox"));
    const [category, sentences] = [field(sample, "category"), field(sample, "sentences")];
    yield* entryRecords(
      {
        // A copy: the reader's bytes are a view into a whole row group.
        image: { id: name, file: name, bytes: state.images.has(name) ? bytes : bytes.slice() },
        targets: [
          {
            id: refId,
            category: typeof category === "string" ? category : "",
            segmentation: parsed.segmentation,
            isCrowd: false,
            ...(box === undefined ? {} : { box }),
          },
        ],
        refId,
        split,
        sentences: Array.isArray(sentences) ? sentences.map((sent: unknown, id) => ({ id, sent })) : [],
        unusable: parsed.unusable,
      },
      place,
      state,
    );
  }
}
