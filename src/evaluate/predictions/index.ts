import { stat } from "node:fs/promises";
import { fail, quoteValue } from "../../model/index.ts";
import { readCocoRlePredictions } from "./coco-rle.ts";
import { readPredictionFolder } from "./folder.ts";
import { readNpyStack } from "./npy-predictions.ts";
import type { PredictionSource } from "./prediction.ts";

export {
  type Binarised,
  binarise,
  type LevelEvidence,
  type LevelReading,
  levelCut,
  levelReadings,
  onesAreMasks,
} from "./binarise.ts";
export type { NamedId, PredictionEntry, PredictionSource, RawMask, RawPrediction } from "./prediction.ts";
export {
  type Assignment,
  type DuplicatePolicy,
  duplicatePolicies,
  type IdReading,
  idReadings,
  resolvePredictions,
} from "./resolve.ts";

/**
 * Opens predictions in any form: a folder of PNG and NPY files, COCO run lengths (.json, .jsonl), or a stack (.npy, whose
 * ids are in the file `ids` or beside it). The caller closes it. Errors: "not-found", "unsupported", "bad-input".
 */
export async function openPredictions(path: string, ids?: string): Promise<PredictionSource> {
  const found = await stat(path).catch((error: unknown) =>
    fail("not-found", `expected predictions at ${quoteValue(path)}, but there is nothing`, error),
  );
  if (found.isDirectory()) return readPredictionFolder(path);
  if (/\.npy$/i.test(path)) return readNpyStack(path, ids);
  if (/\.(json|jsonl|ndjson)$/i.test(path)) return readCocoRlePredictions(path);
  if (/\.npz$/i.test(path))
    fail(
      "unsupported",
      `expected predictions as a .npy stack, got ${quoteValue(path)}; save the array with numpy.save`,
    );
  return fail(
    "unsupported",
    `expected predictions as a folder, a .json or .jsonl of run lengths, or a .npy stack, got ${quoteValue(path)}`,
  );
}
