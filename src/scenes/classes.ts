import { fail } from "../model/index.ts";
import { belongingsClasses } from "./classes/belongings.ts";
import { edibleClasses } from "./classes/edible.ts";
import { householdClasses } from "./classes/household.ts";
import { livingClasses } from "./classes/living.ts";
import type { ObjectClass } from "./object-class.ts";

/** Every class that a scene may hold; a class's category id in the dataset is its position here, plus 1. */
export const objectClasses: readonly ObjectClass[] = [
  ...livingClasses,
  ...edibleClasses,
  ...householdClasses,
  ...belongingsClasses,
];

const byName = new Map(objectClasses.map((entry) => [entry.name, entry]));

/** The class called `name`. Errors: "bad-input" where there is none. */
export function classNamed(name: string): ObjectClass {
  return byName.get(name) ?? fail("bad-input", `expected the name of a class of scene objects, got "${name}"`);
}
