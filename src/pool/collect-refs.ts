import type { ExpressionRecord, RefRecord, Segmentation } from "../model/index.ts";
import { emptinessOf, hasPixel } from "./empty-target.ts";
import { isTrainingSplit } from "./leave-leaks-out.ts";
import type { Ledger } from "./ledger.ts";
import { parseSegmentation } from "./segmentation-text.ts";
import type { PoolRows, TableRow } from "./tables.ts";

/** Adds the refs of a source and their sentences: those whose image and targets are there, and seen where they are trained on. */
export function addRefs(
  gathered: { readonly refs: readonly RefRecord[]; readonly expressions: readonly ExpressionRecord[] },
  rows: PoolRows,
  imageRows: ReadonlyMap<string, number>,
  annotationRows: ReadonlyMap<string, number>,
  source: string,
  ledger: Ledger,
): void {
  const sentences = new Map<string, ExpressionRecord[]>();
  for (const record of gathered.expressions) {
    const list = sentences.get(record.refId);
    if (list === undefined) sentences.set(record.refId, [record]);
    else list.push(record);
  }
  const segmentationAt = (row: number): Segmentation =>
    parseSegmentation(rows.annotations[row]?.segmentation ?? "null", `annotation row ${row}`);
  const seen = new Map<number, boolean>();
  const isSeen = (row: number, image: number): boolean => {
    const known = seen.get(row) ?? hasPixel(segmentationAt(row), rows.images[image]!);
    seen.set(row, known);
    return known;
  };
  for (const record of gathered.refs) {
    const image = imageRows.get(record.imageId);
    if (image === undefined) {
      ledger.note("ref of an image left out");
      continue;
    }
    const targets = record.annotationIds.flatMap((id) => annotationRows.get(id) ?? []);
    if (targets.length < record.annotationIds.length) {
      ledger.note("ref of an annotation left out");
      continue;
    }
    if (targets.some((row) => isMaskless(rows.annotations[row]))) {
      if (isTrainingSplit(record.split)) {
        ledger.bad(
          "target without a mask",
          `ref ${record.id} of ${source}: expected a mask of what it means, got a box alone, which would be trained on as an empty mask; give it a mask, or a split that is not trained on`,
        );
        continue;
      }
      ledger.note("target with a box and no mask: to be looked at, not scored");
    }
    if (targets.length > 0 && !targets.some((target) => isSeen(target, image))) {
      const got = emptinessOf(targets.map(segmentationAt), rows.images[image]!);
      ledger.bad(
        "target without a mask",
        `ref ${record.id} of ${source}: expected its target to have a pixel inside, got ${got}`,
      );
      continue;
    }
    const own = sentences.get(record.id);
    if (own === undefined) {
      ledger.note("ref without sentences left out");
      continue;
    }
    const ref: TableRow<"refs"> = {
      source,
      id: record.id,
      image,
      annotations: targets,
      split: record.split,
    };
    const row = rows.refs.push(ref) - 1;
    for (const { id, raw, sent } of own)
      rows.expressions.push({ ref: row, id, raw, sent } satisfies TableRow<"expressions">);
  }
}

function isMaskless(row: TableRow<"annotations"> | undefined): boolean {
  return row?.segmentation === "null";
}
