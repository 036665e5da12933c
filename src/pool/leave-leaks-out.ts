import type { PoolRows } from "./tables.ts";

/** What a source's notes call the refs that `leaveLeaksOut` took. */
export const leakNote = "training ref left out: an evaluation split holds its image";

/** Whether a split is trained on: "train", "train2017", …; every other is evaluated on. */
export function isTrainingSplit(split: string): boolean {
  return split.startsWith("train");
}

/**
 * The number of a COCO image, without leading zeros: one photograph in several releases (COCO_train2014_000000000009.jpg,
 * 000000000009.jpg). Undefined for other names: VOC's 2007_000676.jpg and 2008_000676.jpg are different pictures, and a
 * number of less than six digits says nothing of where a picture comes from.
 */
export function photographNumber(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
  return /^(?:COCO_[a-z]+\d{4}_)?(\d{6,})$/.exec(name)?.[1]?.replace(/^0+(?=\d)/, "");
}

/**
 * Takes the refs of training splits out of `rows` (modified) whose image some evaluation split of any source holds: the
 * same file, or one of the same COCO number. Annotations and images stay. Returns how many were taken, by source.
 */
export function leaveLeaksOut(rows: PoolRows): Map<string, number> {
  const keyOf = rows.images.map(({ path }, row) => photographNumber(path) ?? `row ${row}`);
  const evaluated = new Set<string>();
  for (const { image, split } of rows.refs) if (!isTrainingSplit(split)) evaluated.add(keyOf[image] ?? "");
  const taken = new Map<string, number>();
  const now = new Map<number, number>();
  const refs = rows.refs.filter(({ image, split, source }, row) => {
    if (isTrainingSplit(split) && evaluated.has(keyOf[image] ?? "")) {
      taken.set(source, (taken.get(source) ?? 0) + 1);
      return false;
    }
    now.set(row, now.size);
    return true;
  });
  const expressions = rows.expressions.flatMap((row) => {
    const ref = now.get(row.ref);
    return ref === undefined ? [] : [{ ...row, ref }];
  });
  replace(rows.refs, refs);
  replace(rows.expressions, expressions);
  return taken;
}

/** Not by spreading: a million arguments are too many for a call. */
function replace<T>(list: T[], items: readonly T[]): void {
  list.length = 0;
  for (const item of items) list.push(item);
}
