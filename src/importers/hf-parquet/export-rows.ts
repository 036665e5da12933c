/**
 * Rows of `nemosaic export parquet`: image and mask {bytes, path}, sentences [text], sentence_keys [key], kind, image_id, ref_id,
 * ref, category, category_id, targets (JSON), plan. A mask that is empty, without a category, is an expression that means nothing.
 */
import { parseJson } from "../../codecs/index.ts";
import { type DatasetRecord, NemosaicError } from "../../model/index.ts";
import type { EntryState } from "../entry-records.ts";
import { readExportedRecords } from "../exported-sample.ts";
import { bad } from "../findings.ts";
import { type Dict, field, isDict } from "../values.ts";

/** The records of one row. */
export async function exportRowRecords(
  row: Dict,
  where: string,
  split: string,
  state: EntryState,
): Promise<DatasetRecord[]> {
  const [image, mask] = [field(row, "image"), field(row, "mask")];
  const bytesOf = (value: unknown): unknown => (isDict(value) ? field(value, "bytes") : undefined);
  const [imageBytes, maskBytes] = [bytesOf(image), bytesOf(mask)];
  const name = isDict(image) ? field(image, "path") : undefined;
  if (!(imageBytes instanceof Uint8Array) || !(maskBytes instanceof Uint8Array) || typeof name !== "string") {
    const expected = `"image" and "mask" to be {bytes, path}`;
    return [bad("unreadable value", where, { expected, came: row, remedy: "export the pool again" })];
  }
  return readExportedRecords(
    {
      image: { name, bytes: imageBytes },
      mask: maskBytes,
      split,
      refId: field(row, "ref_id"),
      category: field(row, "category"),
      targets: parsedTargets(field(row, "targets")),
      sentences: field(row, "sentences"),
      keys: field(row, "sentence_keys"),
    },
    where,
    state,
  );
}

/** JSON text as its value; what is none stays text, which is no list. */
function parsedTargets(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return parseJson(value, "targets");
  } catch (error) {
    if (error instanceof NemosaicError) return value;
    throw error;
  }
}
