/** One sample of `nemosaic export parquet` or `webdataset`, as records. Its mask is the union of its targets. */
import { type DatasetRecord, NemosaicError } from "../model/index.ts";
import { type EntryState, entryRecords } from "./entry-records.ts";
import { type BadReason, bad, note } from "./findings.ts";
import { decodedMask, emptyMaskComplaint } from "./mask-file.ts";
import { exactId, idComplaint, isInnerPath } from "./values.ts";

/** A sample as its container holds it; what is unknown is still unchecked. */
export interface ExportedSample {
  readonly image: { readonly name: string; readonly bytes: Uint8Array };
  readonly mask: Uint8Array;
  readonly split: string;
  readonly refId: unknown;
  readonly category: unknown;
  readonly sentences: unknown;
  /** Stable keys of the sentences; their last part is the sentence's id. */
  readonly keys: unknown;
}

/** The records of a sample. */
export async function exportedRecords(
  sample: ExportedSample,
  where: string,
  state: EntryState,
): Promise<DatasetRecord[]> {
  const complain = (reason: BadReason, expected: string, came: unknown): DatasetRecord[] => [
    bad(reason, where, { expected, came, remedy: "export the pool again" }),
  ];
  const { image, split, category, sentences, keys } = sample;
  const refId = exactId(sample.refId);
  if (refId === undefined) return [bad("bad id", where, idComplaint("ref_id", sample.refId))];
  if (!isInnerPath(image.name)) return complain("unsafe file name", "an image's name", image.name);
  if (!Array.isArray(sentences)) return complain("wrong type", `"sentences" to be a list`, sentences);
  const read = await decodedMask(sample.mask, "the mask").catch((error: unknown) => {
    if (error instanceof NemosaicError) return error;
    throw error;
  });
  if (read instanceof NemosaicError) return complain("unreadable mask", "a PNG mask", read);
  const isNothing = read.isEmpty && (category === "" || category === "no target" || category == null);
  if (read.isEmpty && !isNothing) return [bad("target without a mask", where, emptyMaskComplaint("the mask"))];
  const isNew = !state.images.has(image.name);
  const target = {
    id: refId,
    category: typeof category === "string" ? category : "",
    segmentation: read.segmentation,
    isCrowd: false,
  };
  const listed: readonly unknown[] = Array.isArray(keys) ? keys : [];
  const records = entryRecords(
    {
      // A copy: a container's bytes are a view into more than this sample.
      image: { id: image.name, file: image.name, bytes: isNew ? image.bytes.slice() : image.bytes },
      targets: isNothing ? [] : [target],
      refId,
      split,
      sentences: sentences.map((sent: unknown, at) => ({ id: sentenceId(listed[at], at), sent })),
    },
    where,
    state,
  );
  return [...read.notes.map((reason) => note(reason, where)), ...records];
}

/** "source/ref/sentence" → sentence, where it is unescaped text; else its place. */
function sentenceId(key: unknown, at: number): string {
  const last = typeof key === "string" ? key.split("/").at(-1) : undefined;
  return last === undefined || last === "" ? String(at) : last.replaceAll("%2F", "/").replaceAll("%25", "%");
}
