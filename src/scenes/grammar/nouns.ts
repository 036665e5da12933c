import { objectClasses } from "../classes.ts";

/**
 * What a noun stands for. `classes` are the classes of which it is true, `doubtful` those of which people disagree
 * (is a tomato a fruit?): objects of these are neither counted as true nor as false.
 */
export interface Noun {
  /** The noun's identity in logical forms: its singular. */
  readonly name: string;
  readonly plural: string;
  readonly classes: ReadonlySet<string>;
  readonly doubtful: ReadonlySet<string>;
  /** Whether it names one class ("mug", "cup") or a wider group ("animal"). */
  readonly isGroup: boolean;
}

const inCategory = (category: string): string[] =>
  objectClasses.filter((entry) => entry.category === category).map((entry) => entry.name);

const trees = ["pine tree", "palm tree"];
const flowers = ["tulip", "sunflower"];
const balls = ["soccer ball", "basketball", "volleyball", "baseball"];
const animals = [...inCategory("animal"), ...inCategory("bird")];

const groups: readonly Noun[] = [
  group("animal", animals, ["teddy bear"]),
  group("bird", inCategory("bird"), []),
  group("flower", flowers, ["potted plant"]),
  group("tree", trees, ["potted plant", "cactus"]),
  group("plant", [...flowers, "cactus", "potted plant"], [...trees, "mushroom"]),
  group("fruit", inCategory("fruit"), ["tomato", "eggplant", "bell pepper", "corn cob"]),
  group("vegetable", ["carrot", "eggplant", "bell pepper", "potato", "onion", "corn cob"], ["tomato", "mushroom"]),
  group("vehicle", inCategory("vehicle"), ["roller skate"]),
  group("ball", balls, []),
  group("instrument", inCategory("instrument"), []),
  group("hat", ["top hat", "cap"], []),
  group("shoe", ["high heel", "sneaker", "boot"], ["roller skate"]),
  group("bag", ["backpack", "handbag"], ["suitcase", "basket"]),
  group("phone", ["cell phone", "telephone"], []),
  // A taxi is a car and a fire truck is a truck, but not to everyone.
  group("car", ["car"], ["taxi", "van"]),
  group("truck", ["truck"], ["fire truck"]),
  group("bike", ["bicycle"], ["motorcycle", "scooter"]),
  group("computer", ["laptop"], ["cell phone"]),
  group("cup", ["mug"], ["soda", "trophy"]),
  group("bucket", ["bucket"], ["basket"]),
  group("purse", ["handbag"], ["backpack"]),
];

/** Words for whatever is there: understood, never written. */
const anything: ReadonlySet<string> = new Set(["thing", "object", "item", "one"]);

/** Every noun of the grammar: names and synonyms of classes, and words for groups of classes. */
export const nouns: readonly Noun[] = (() => {
  const all = new Map<string, Noun>();
  for (const entry of objectClasses) {
    for (const [name, plural] of [[entry.name, entry.plural] as const, ...entry.synonyms]) {
      all.set(name, { name, plural, classes: new Set([entry.name]), doubtful: new Set(), isGroup: false });
    }
  }
  // A group with a class's name or synonym adds to it the classes that are in doubt.
  const everyClass = objectClasses.map((entry) => entry.name);
  for (const entry of [...groups, ...[...anything].map((name) => group(name, everyClass, []))]) {
    const known = all.get(entry.name);
    all.set(entry.name, known === undefined ? entry : { ...known, doubtful: entry.doubtful });
  }
  return [...all.values()];
})();

const bySingular = new Map(nouns.map((noun) => [noun.name, noun]));

/** The noun with this singular, or undefined. */
export function nounNamed(name: string): Noun | undefined {
  return bySingular.get(name);
}

/** The names and synonyms of a class that are true of it alone, the plain name first; then its groups; not "thing". */
export function nounsOfClass(className: string): readonly Noun[] {
  return nouns
    .filter((noun) => noun.classes.has(className) && !anything.has(noun.name))
    .sort((a, b) => Number(a.isGroup) - Number(b.isGroup));
}

function group(name: string, classes: readonly string[], doubtful: readonly string[]): Noun {
  return {
    name,
    plural: `${name}s`,
    classes: new Set(classes),
    doubtful: new Set(doubtful),
    isGroup: classes.length !== 1,
  };
}
