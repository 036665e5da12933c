/**
 * One sample of `nemosaic export parquet` or `webdataset`, as records. Its mask is the union of its targets; where these are
 * several, `targets` lists them (also in `cris-lmdb`): [{category, size [height, width], counts}, …].
 */

import { type Rle, rleFromString, rleToString, rleUnion } from "../kernels/index.ts";
import { type DatasetRecord, NemosaicError } from "../model/index.ts";
import { type Entry, type EntryState, entryRecords } from "./entry-records.ts";
import { type BadReason, bad, type Complaint, InWords, note } from "./findings.ts";
import { decodeMaskImage, emptyMaskComplaint, type ReadMaskImage } from "./mask-file.ts";
import { parseSegmentation } from "./segmentation.ts";
import { exactId, field, idComplaint, isDict, isInnerPath } from "./values.ts";

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
  /** The list of several targets; undefined or null where there is one, or none. */
  readonly targets: unknown;
}

/** The records of a sample. */
export async function readExportedRecords(
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
  const read = await decodeMaskImage(sample.mask, "the mask").catch((error: unknown) => {
    if (error instanceof NemosaicError) return error;
    throw error;
  });
  if (read instanceof NemosaicError) return complain("unreadable mask", "a PNG mask", read);
  const isNothing = read.isEmpty && (category === "" || category === "no target" || category == null);
  if (read.isEmpty && !isNothing) return [bad("target without a mask", where, emptyMaskComplaint("the mask"))];
  const isNew = !state.images.has(image.name);
  const named = typeof category === "string" ? category : "";
  const whole = { id: refId, category: named, segmentation: read.segmentation, isCrowd: false };
  const targets = readListedTargets(sample.targets, refId, read);
  if (targets !== undefined && "complaint" in targets) return [bad("bad segmentation", where, targets.complaint)];
  const listed: readonly unknown[] = Array.isArray(keys) ? keys : [];
  const records = entryRecords(
    {
      // A copy: a container's bytes are a view into more than this sample.
      image: { id: image.name, file: image.name, bytes: isNew ? image.bytes.slice() : image.bytes },
      targets: isNothing ? [] : (targets ?? [whole]),
      refId,
      split,
      sentences: sentences.map((sent: unknown, at) => ({ id: sentenceId(listed[at], at), sent })),
    },
    where,
    state,
  );
  return [...read.notes.map((reason) => note(reason, where)), ...records];
}

type Target = Entry["targets"][number];

/**
 * The targets of a list, called <refId>.<n>; undefined where there is none. Together they have to be the sample's mask: else
 * somebody changed one of the two.
 */
export function readListedTargets(
  value: unknown,
  refId: string,
  { segmentation: whole, size: [height, width] }: ReadMaskImage,
): readonly Target[] | { readonly complaint: Complaint } | undefined {
  if (value === undefined || value === null) return undefined;
  const remedy = "export the pool again";
  if (!Array.isArray(value) || !value.every(isDict))
    return { complaint: { expected: `"targets" to be a list of {category, size, counts}`, came: value, remedy } };
  const targets: Target[] = [];
  const rles: Rle[] = [];
  for (const [at, target] of value.entries()) {
    const [parsed, category] = [parseSegmentation(target), field(target, "category")];
    if ("complaint" in parsed) return parsed;
    const { segmentation } = parsed;
    const isFit = segmentation.kind === "rle" && segmentation.size[0] === height && segmentation.size[1] === width;
    if (!isFit) return { complaint: { expected: `targets of ${height} × ${width} pixels`, came: target, remedy } };
    rles.push(rleFromString(segmentation.counts, height, width));
    targets.push({
      id: `${refId}.${at}`,
      category: typeof category === "string" ? category : "",
      segmentation,
      isCrowd: false,
    });
  }
  const isWhole = whole.kind === "rle" && rleToString(rleUnion(rles, height, width)) === whole.counts;
  if (isWhole) return targets;
  return { complaint: { expected: `"targets" that make the mask together`, came: new InWords("others"), remedy } };
}

/** "source/ref/sentence" → sentence, where it is unescaped text; else its place. */
function sentenceId(key: unknown, at: number): string {
  const last = typeof key === "string" ? key.split("/").at(-1) : undefined;
  return last === undefined || last === "" ? String(at) : last.replaceAll("%2F", "/").replaceAll("%25", "%");
}
