import { fail } from "../../model/index.ts";
import { imageNumber, type Pool } from "../../pool/index.ts";
import { pythonSetOrder } from "./set-order.ts";

/** Image rows of a pool by the dataset's image id, which is the number that their files' names end in. */
export function rowsByImageId(pool: Pool): ReadonlyMap<number, number> {
  const rows = new Map<number, number>();
  pool.images.path.forEach((path, row) => {
    const id = imageNumber(path);
    if (id !== undefined && !rows.has(id)) rows.set(id, row);
  });
  return rows;
}

/** Refs of one split of one source, in the pool's order, which is that of the refs file: the reference's own. */
export function refsOf(pool: Pool, source: string, split: string): number[] {
  return Array.from({ length: pool.refs.count }, (_, ref) => ref).filter(
    (ref) => pool.refs.source[ref] === source && pool.refs.split[ref] === split,
  );
}

/** Ids of the images of `refs` in the order in which the reference numbers them. Errors: "unsupported" for an image without an id. */
export function imagesInReferenceOrder(pool: Pool, refs: readonly number[]): number[] {
  return pythonSetOrder(refs.map((ref) => idOfImage(pool, pool.refs.image[ref] ?? 0)));
}

/** The dataset's id of an image row. Errors: "unsupported" where the file's name ends in no number. */
export function idOfImage(pool: Pool, row: number): number {
  return (
    imageNumber(pool.imageName(row)) ??
    fail("unsupported", `the reference's lists name images by number, and "${pool.imageName(row)}" ends in none`)
  );
}

/** The source whose lists are meant: the one named, or the only one. Errors: "usage". */
export function chosenSource(pool: Pool, name: string | undefined): string {
  const names = pool.manifest.sources.map((source) => source.name);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined)
    fail("usage", `the pool has several sources (${names.join(", ")}): name the lists' own with --source`);
  if (!names.includes(chosen)) fail("usage", `expected a source of the pool (${names.join(", ")}), got "${chosen}"`);
  return chosen;
}
