import { countNamed } from "../language/index.ts";
import type { PictureObject, StyleRequest } from "./style.ts";

/**
 * The objects of the target's image that its sentence names beside the target: every object of a category that the sentence
 * names, those of the target's own where it names it more than once ("dog next to the other dog"). Without them in sight the
 * sentence means nothing.
 */
export function landmarksOf({
  facts,
  expression,
  ref,
}: Pick<StyleRequest, "facts" | "expression" | "ref">): PictureObject[] {
  const { image, masks } = facts.ref(ref);
  const { text } = facts.expression(expression);
  const objects = facts.objectsOfImage(image);
  const own = new Set(objects.flatMap(({ key, category }) => (masks.includes(key) ? [category] : [])));
  const counts = new Map<string, number>();
  return objects.filter(({ key, category }) => {
    if (masks.includes(key)) return false;
    if (!counts.has(category)) counts.set(category, countNamed(text, category));
    return (counts.get(category) ?? 0) > (own.has(category) ? 1 : 0);
  });
}
