import {
  type Modifier,
  oneOf,
  type ParsedExpression,
  type Phrase,
  type PlainModifier,
  type Pole,
  phraseOf,
  type Relation,
} from "../grammar/logic.ts";
import { nounNamed, nounsOfClass } from "../grammar/nouns.ts";
import type { SceneObject } from "../scene.ts";
import { type Judged, judge, judgePhrase } from "./judge.ts";

/**
 * Every expression of moderate length that names `target`: plainly true of it, plainly false of all others, and with
 * nothing to spare: without any one of its modifiers it would be true of two objects or more.
 */
export function candidatesFor(target: SceneObject, scene: Judged): ParsedExpression[] {
  const marks = marksOf(scene, target);
  return nounsOfClass(target.className).flatMap((noun) => {
    const bare = phraseOf(noun.name, []);
    if (names(bare, target, scene)) return [oneOf(bare), oneOf(bare), oneOf(bare), { number: 1, phrases: [bare] }];
    const attributes = [...colourModifiers(target), ...poleModifiers(["big", "small"])];
    const places = [...poleModifiers(["left", "right", "top", "bottom", "front", "back"]), ...otherPlaces];
    const relations = relationModifiers(target, marks);
    const denials = denialModifiers(noun.name, target, marks, scene);
    const lists: Modifier[][] = [...attributes, ...places, ...relations, ...denials].map((modifier) => [modifier]);
    for (const attribute of attributes) {
      for (const other of [...places, ...relations]) lists.push([attribute, other]);
    }
    const [colours, sizes] = [colourModifiers(target), poleModifiers(["big", "small"])];
    for (const colour of colours) for (const size of sizes) lists.push([colour, size]);
    return lists
      .map((modifiers) => phraseOf(noun.name, modifiers))
      .filter((phrase) => isNatural(phrase, scene) && names(phrase, target, scene) && isMinimal(phrase, scene))
      .map(oneOf);
  });
}

/** Whether `phrase` is plainly true of `target` and plainly false of everything else. */
export function names(phrase: Phrase, target: SceneObject, scene: Judged): boolean {
  const truths = judgePhrase(phrase, scene);
  return scene.objects.every((object, position) => truths[position] === (object === target ? 2 : 0));
}

/** People count from three objects on. */
function isNatural(phrase: Phrase, scene: Judged): boolean {
  return phrase.modifiers.every((modifier) => {
    if (modifier.kind !== "ordinal") return true;
    const counted = phraseOf(
      phrase.noun,
      phrase.modifiers.filter((other) => other !== modifier),
    );
    return judgePhrase(counted, scene).filter((truth) => truth === 2).length >= 3;
  });
}

/** Whether dropping any one modifier leaves two objects or more of which the rest is plainly true. */
export function isMinimal(phrase: Phrase, scene: Judged): boolean {
  return phrase.modifiers.every((modifier) => {
    const rest = phraseOf(
      phrase.noun,
      phrase.modifiers.filter((other) => other !== modifier),
    );
    return judge(oneOf(rest), scene).filter((truth) => truth === 2).length > 1;
  });
}

/** An object that others can be compared with, and the shortest phrase that names it. */
export interface Mark {
  readonly object: SceneObject;
  readonly phrase: Phrase;
}

/** The objects other than `target` that a plain noun, or a noun with a colour, names. */
export function marksOf(scene: Judged, target: SceneObject | undefined): Mark[] {
  return scene.objects.flatMap((object): Mark[] => {
    if (object === target) return [];
    for (const noun of nounsOfClass(object.className).slice(0, 2)) {
      const bare = phraseOf(noun.name, []);
      if (names(bare, object, scene)) return [{ object, phrase: bare }];
    }
    const noun = nounsOfClass(object.className)[0];
    if (noun === undefined) return [];
    for (const modifier of colourModifiers(object)) {
      const phrase = phraseOf(noun.name, [modifier]);
      if (names(phrase, object, scene)) return [{ object, phrase }];
    }
    return [];
  });
}

function colourModifiers(object: SceneObject): Modifier[] {
  return object.colours.map((colour) => ({ kind: "colour", colour }));
}

function poleModifiers(poles: readonly Pole[]): Modifier[] {
  return poles.flatMap((pole) => [false, true].map((isMost): Modifier => ({ kind: "pole", pole, isMost })));
}

const otherPlaces: readonly Modifier[] = [
  { kind: "middle" },
  ...(["top", "bottom"] as const).flatMap((vertical) =>
    (["left", "right"] as const).map((horizontal): Modifier => ({ kind: "area", vertical, horizontal })),
  ),
  // People count from a side, and beyond the first.
  ...(["left", "right"] as const).flatMap((from) =>
    [1, 2, 3, 4].map((rank): Modifier => ({ kind: "ordinal", rank, from })),
  ),
  { kind: "ordinal", rank: 2, from: "front" },
  { kind: "ordinal", rank: 2, from: "back" },
];

const relationNames: readonly Relation[] = ["next to", "left of", "right of", "behind", "in front of"];

function relationModifiers(target: SceneObject, marks: readonly Mark[]): Modifier[] {
  const single = marks.flatMap(({ phrase }): Modifier[] => [
    ...relationNames.map((relation): Modifier => ({ kind: "relation", relation, of: phrase })),
    { kind: "nearest", to: phrase },
  ]);
  // The one on the left first, as people say it.
  const ordered = [...marks].sort((a, b) => a.object.box[0] - b.object.box[0]);
  const x = target.box[0] + target.box[2] / 2;
  const between = ordered.flatMap((first) =>
    ordered
      .filter(
        (second) => first.object.box[0] < x && second.object.box[0] + second.object.box[2] > x && first !== second,
      )
      .map((second): Modifier => ({ kind: "between", of: [first.phrase, second.phrase] })),
  );
  return [...single, ...between];
}

/** "Not red" of the colours about, "without a dog next to it", "not behind the car", "animal that is not a dog". */
function denialModifiers(noun: string, target: SceneObject, marks: readonly Mark[], scene: Judged): Modifier[] {
  const classes = nounNamed(noun)?.classes ?? new Set<string>();
  const alike = scene.objects.filter((object) => classes.has(object.className) && object !== target);
  const colours = [...new Set(alike.flatMap((object) => object.colours))];
  const kinds = [...new Set(alike.map((object) => object.className))].filter((name) => name !== target.className);
  const deny = (modifier: PlainModifier, presumes: boolean): Modifier => ({ kind: "not", modifier, presumes });
  return [
    ...colours.map((colour) => deny({ kind: "colour", colour }, true)),
    ...kinds.map((name) => deny({ kind: "is", noun: name }, false)),
    ...marks.flatMap(({ phrase }) => [
      deny({ kind: "relation", relation: "next to", of: phrase }, false),
      ...(["next to", "behind", "in front of"] as const).map((relation) =>
        deny({ kind: "relation", relation, of: phrase }, true),
      ),
    ]),
  ];
}
