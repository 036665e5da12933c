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
