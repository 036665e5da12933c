import { cocoCategories } from "../codecs/index.ts";
import type { Category } from "./exporter.ts";

/** Stands for the category of an expression without target. */
export const noCategory: Category = { name: "", id: -1, dense: -1 };

/** The same where every id has to be in the list of categories: below all of COCO's. */
export const listedNoCategory: Category = { name: "no target", id: 0, dense: -1 };

/** COCO's ids end here; other categories are numbered from the next on. */
const lastCocoId = 90;

/**
 * Numbers for category names: COCO's own where the name is one of its 80, else numbers from 91 (dense: from 80) on in
 * alphabetical order.
 */
export function categoryNumbers(categories: Iterable<string>): ReadonlyMap<string, Category> {
  const coco = cocoCategories.map(([id, name], dense): Category => ({ name, id, dense }));
  const known = new Set(coco.map(({ name }) => name));
  const others = [...new Set(categories)].filter((name) => !known.has(name)).sort();
  const rest = others.map((name, at): Category => ({ name, id: lastCocoId + 1 + at, dense: coco.length + at }));
  return new Map([...coco, ...rest].map((category) => [category.name, category]));
}
