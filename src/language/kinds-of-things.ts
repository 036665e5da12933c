/**
 * Which categories are of one supercategory, so that one can stand for another in a sentence: those of COCO, PASCAL VOC and of
 * this project's own scenes. Categories of no group here are taken together as one.
 */

const groups: readonly string[] = [
  "bicycle, car, motorcycle, motorbike, airplane, aeroplane, bus, train, truck, boat, taxi, van, fire truck, scooter, tractor, helicopter, ambulance",
  "traffic light, fire hydrant, stop sign, parking meter, bench",
  "bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, pig, rabbit, fox, lion, tiger, monkey, mouse, frog, turtle, duck, owl, penguin, parrot, chicken",
  "backpack, umbrella, handbag, tie, suitcase, basket",
  "frisbee, snowboard, kite, baseball bat, baseball glove, skateboard, surfboard, tennis racket, soccer ball, basketball, volleyball, baseball",
  "bottle, wine glass, cup, fork, knife, spoon, bowl, mug, teapot, plate",
  "banana, apple, sandwich, orange, carrot, hot dog, pizza, donut, cake, pear, lemon, strawberry, watermelon, pineapple, tomato, eggplant, potato, onion, hamburger",
  "chair, couch, sofa, potted plant, pottedplant, bed, dining table, diningtable, toilet",
  "tv, tvmonitor, tv/monitor, laptop, remote, keyboard, cell phone, camera, telephone",
  "microwave, oven, toaster, sink, refrigerator",
  "book, clock, vase, teddy bear, toothbrush, candle, alarm clock",
];

/**
 * Categories that datasets and people take for each other, or that show one thing together: where one is in the picture, a
 * sentence about another may be true of it.
 */
const confusable: readonly string[] = [
  "car, truck, bus, van, taxi, fire truck, ambulance",
  "train, bus",
  "bicycle, motorcycle, motorbike, scooter",
  "airplane, aeroplane, helicopter",
  "couch, sofa, chair, bed, bench",
  "dining table, diningtable, bench",
  "cup, wine glass, bowl, bottle, vase, mug, teapot, plate",
  "fork, knife, spoon",
  "backpack, handbag, suitcase, basket",
  "tv, tvmonitor, tv/monitor, laptop, cell phone, telephone, remote, keyboard, camera",
  "snowboard, surfboard, skateboard, skis",
  "sports ball, soccer ball, basketball, volleyball, baseball",
  "microwave, oven, toaster",
  "sandwich, hot dog, hamburger, pizza, cake, donut",
  "apple, orange, pear, lemon, tomato, onion, potato",
  "teddy bear, bear",
  "bird, duck, parrot, chicken, owl, penguin",
  "potted plant, pottedplant, vase, flower, tree, tulip, sunflower, cactus, palm tree, pine tree",
  "bucket, basket",
  "cake, cupcake, muffin, donut",
  "clock, alarm clock",
];

/** How people call what datasets name otherwise. */
const spoken: ReadonlyMap<string, string> = new Map([
  ["pottedplant", "plant"],
  ["potted plant", "plant"],
  ["diningtable", "table"],
  ["dining table", "table"],
  ["tvmonitor", "tv"],
  ["tv/monitor", "tv"],
  ["cell phone", "phone"],
  ["aeroplane", "airplane"],
]);

const listed = (lines: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, string[]>();
  for (const line of lines) {
    const names = line.split(", ");
    for (const name of names) found.set(name, [...(found.get(name) ?? []), ...names]);
  }
  return found;
};
const byGroup = listed(groups);
const byLikeness = listed(confusable);

/** True where both are of one supercategory, and neither is the other. */
export function areOfOneKind(category: string, other: string): boolean {
  if (isSameThing(category, other)) return false;
  const [group, otherGroup] = [byGroup.get(category), byGroup.get(other)];
  return group === undefined ? otherGroup === undefined : group.includes(other);
}

/** True where one may be taken for the other, or is the other under another name. */
export function areConfusable(category: string, other: string): boolean {
  return isSameThing(category, other) || byLikeness.get(category)?.includes(other) === true;
}

function isSameThing(category: string, other: string): boolean {
  return category === other || (spoken.get(category) ?? category) === (spoken.get(other) ?? other);
}

/** The word that people say for a category; undefined for a name that makes no singular noun. */
export function spokenName(category: string): string | undefined {
  const name = category.toLowerCase();
  const said = spoken.get(name) ?? name;
  return /^[a-z]+( [a-z]+)*$/.test(said) && !noSingular.test(said) ? said : undefined;
}

/** Names in the plural, or of a stuff: "a scissors", "a broccoli" are no English. */
const noSingular = /(^|\s)(skis|scissors|broccoli|glasses|pants|jeans|shorts|grass|sky|water|sand|snow|people)$/;
