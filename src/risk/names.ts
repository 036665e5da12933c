/**
 * Words that name a category though its name does not hold them: synonyms of the categories that the field's datasets
 * share (COCO, PASCAL VOC, Visual Genome), and for people the words that name some of them. A pool's own synonyms are
 * learnt from its sentences (word-statistics.ts).
 */

/** Words of one group name the same things. */
const synonyms: readonly (readonly string[])[] = [
  ["airplane", "aeroplane", "plane", "airliner", "jet"],
  ["automobile", "car"],
  ["bicycle", "bike"],
  ["boat", "ship"],
  ["bull", "cow", "ox", "cattle"],
  ["cat", "kitty", "kitten"],
  ["couch", "sofa"],
  ["cup", "mug"],
  ["dog", "doggy", "doggie", "puppy", "pup"],
  ["donut", "doughnut"],
  ["fridge", "refrigerator"],
  ["horse", "pony"],
  ["motorbike", "motorcycle"],
  ["monitor", "screen", "television", "tv"],
  ["phone", "cellphone"],
  ["handbag", "purse"],
  ["person", "people", "human", "somebody", "someone"],
  ["rabbit", "bunny"],
  ["sheep", "lamb"],
];

/** Each of these is a person; a person need not be one of them. */
const people = (
  "man men woman women guy guys girl girls boy boys lady ladies kid kids child children baby toddler dude gentleman " +
  "player batter catcher pitcher umpire skier surfer rider skateboarder snowboarder"
).split(" ");

const bySynonym = new Map(synonyms.flatMap((group) => group.map((word) => [word, group] as const)));

/** All words that name what `word` names, itself and its plural included. */
export function synonymsOf(word: string): string[] {
  return (bySynonym.get(word) ?? [word]).flatMap((each) => [each, `${each}s`]);
}

/** True for a word that names a person, but not every person. */
export function isPersonWord(word: string): boolean {
  return personWords.has(word);
}

const personWords = new Set(people);
