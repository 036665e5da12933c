import { areNeighbours, type Colour } from "../colours.ts";
import type { Many, Modifier, ParsedExpression, Phrase, PlainModifier } from "../grammar/logic.ts";
import { nounNamed } from "../grammar/nouns.ts";
import { parseExpression } from "../grammar/parse.ts";
import type { Scene, SceneObject } from "../scene.ts";
import { deniedPolarTruths, leastTruths, middleTruths, ordinalTruths, polarTruths } from "./comparisons.ts";
import { areaTruth, betweenTruth, distance, isSeen, relationTruth } from "./geometry.ts";
import { andTruth, negateTruth, orTruth, resolveDoubts, type Truth } from "./truth.ts";

/** What can be judged: a scene, or just its objects. */
export type Judged = Pick<Scene, "objects">;

/**
 * The ids of the objects of `scene` of which `expression` is plainly true, ascending; [] where there are none. Any
 * expression of the grammar in any scene, also one without the things it mentions. Only objects that a person sees count.
 * Errors: "bad-input" for text outside of the grammar.
 */
export function holds(expression: ParsedExpression | string, scene: Judged): number[] {
  return idsWhere(scene, judge(expression, scene), (truth) => truth === 2);
}

/** As `holds`, with the objects that people would differ about: a superset. */
export function mayHold(expression: ParsedExpression | string, scene: Judged): number[] {
  return idsWhere(scene, judge(expression, scene), (truth) => truth > 0);
}

/** The truth of `expression` of each object, in the order of `scene.objects`. Errors as `holds`. */
export function judge(expression: ParsedExpression | string, scene: Judged): Truth[] {
  const parsed = typeof expression === "string" ? parseExpression(expression) : expression;
  const parts = parsed.phrases.map((phrase) => judgePhrase(phrase, scene));
  // "The dog and the cat" says that there is a dog and that there is a cat.
  const exist = parts.map((truths) => truths.reduce(orTruth, 0)).reduce(andTruth, 2);
  const united = scene.objects.map((_, position) =>
    parts.reduce<Truth>((best, truths) => orTruth(best, truths[position] ?? 0), 0),
  );
  const counted = typeof parsed.number === "number" ? countTruth(united, parsed.number) : 2;
  return united.map((truth) => andTruth(truth, andTruth(exist, counted)));
}

/** The truth of a phrase of each object, in the order of `scene.objects`. */
export function judgePhrase(phrase: Phrase, scene: Judged): Truth[] {
  const noun = nounNamed(phrase.noun);
  const start = scene.objects.map((object): Truth => {
    if (noun === undefined) return 0;
    return andTruth(
      isSeen(object),
      noun.classes.has(object.className) ? 2 : noun.doubtful.has(object.className) ? 1 : 0,
    );
  });
  return phrase.modifiers.reduce<Truth[]>((members, modifier) => judgeModifier(modifier, members, scene), start);
}

/** The truth of "has this colour". */
export function colourTruth(colour: Colour, object: Pick<SceneObject, "colours" | "tints">): Truth {
  if (object.colours.includes(colour)) return 2;
  return object.tints.includes(colour) || object.colours.some((own) => areNeighbours(own, colour)) ? 1 : 0;
}

function idsWhere(scene: Judged, truths: readonly Truth[], test: (truth: Truth) => boolean): number[] {
  return scene.objects.filter((_, position) => test(truths[position] ?? 0)).map((object) => object.id);
}

function countTruth(truths: readonly Truth[], count: number): Truth {
  const sure = truths.filter((truth) => truth === 2).length;
  const possible = truths.filter((truth) => truth > 0).length;
  if (count < sure || count > possible) return 0;
  return sure === possible ? 2 : 1;
}

function judgeModifier(modifier: Modifier, members: Truth[], scene: Judged): Truth[] {
  switch (modifier.kind) {
    case "pole":
      return compare(members, scene, (objects) => polarTruths(modifier, objects));
    case "ordinal":
      return compare(members, scene, (objects) => ordinalTruths(modifier.rank, modifier.from, objects));
    case "middle":
      return compare(members, scene, (objects) => middleTruths(objects, modifier.many));
    case "nearest":
      return judgeNearest(members, judgePhrase(modifier.to, scene), modifier.many, scene);
    case "not": {
      const denied = modifier.modifier;
      if (denied.kind === "pole") return compare(members, scene, (objects) => deniedPolarTruths(denied, objects));
      if (denied.kind === "middle") {
        return compare(members, scene, (objects) => middleTruths(objects, denied.many).map(negateTruth));
      }
      const truths = plainTruths(denied, scene);
      const presumed = modifier.presumes ? presumedTruth(denied, scene) : 2;
      return members.map((truth, position) => andTruth(truth, andTruth(presumed, negateTruth(truths[position] ?? 0))));
    }
    default: {
      const truths = plainTruths(modifier, scene);
      return members.map((truth, position) => andTruth(truth, truths[position] ?? 0));
    }
  }
}

function compare(
  members: readonly Truth[],
  scene: Judged,
  truthsOf: (objects: readonly SceneObject[]) => readonly Truth[],
): Truth[] {
  return resolveDoubts(members, (isMember) => {
    const truths = truthsOf(scene.objects.filter((_, position) => isMember[position]));
    let next = 0;
    return isMember.map((is) => (is ? (truths[next++] ?? 0) : 0));
  });
}

/** "Closest to the dog": among what matches and is not itself the dog. */
function judgeNearest(
  members: readonly Truth[],
  marks: readonly Truth[],
  many: Many | undefined,
  scene: Judged,
): Truth[] {
  if (marks.every((mark) => mark === 0)) return members.map(() => 0);
  const candidates = members.map((truth, position): Truth => andTruth(truth, negateTruth(marks[position] ?? 0)));
  const targets = scene.objects.filter((_, position) => (marks[position] ?? 0) === 2);
  if (marks.includes(1) || targets.length === 0) return candidates.map((truth) => andTruth(truth, 1));
  return compare(candidates, scene, (objects) =>
    leastTruths(
      objects.map((object) => Math.min(...targets.map((target) => distance(object, target)))),
      many,
    ),
  );
}

function plainTruths(modifier: PlainModifier, scene: Judged): Truth[] {
  switch (modifier.kind) {
    case "colour":
      return scene.objects.map((object) => colourTruth(modifier.colour, object));
    case "is":
      return judgePhrase({ noun: modifier.noun, modifiers: [] }, scene);
    case "area":
      return scene.objects.map((object) => areaTruth(modifier.vertical, modifier.horizontal, object));
    case "relation": {
      const marks = judgePhrase(modifier.of, scene);
      return scene.objects.map((object) =>
        anyOther(scene, object, marks, (other) => relationTruth(modifier.relation, object, other)),
      );
    }
    case "between": {
      const [firstMarks, secondMarks] = modifier.of.map((phrase) => judgePhrase(phrase, scene)) as [Truth[], Truth[]];
      return scene.objects.map((object) =>
        anyOther(scene, object, firstMarks, (first) =>
          anyOther(scene, object, secondMarks, (second) =>
            first === second ? 0 : betweenTruth(object, first, second),
          ),
        ),
      );
    }
  }
}

/** Whether there is another object that is marked and passes the test. */
function anyOther(
  scene: Judged,
  object: SceneObject,
  marks: readonly Truth[],
  test: (other: SceneObject) => Truth,
): Truth {
  return scene.objects.reduce<Truth>((best, other, position) => {
    const mark = marks[position] ?? 0;
    return other === object || mark === 0 || best === 2 ? best : orTruth(best, andTruth(mark, test(other)));
  }, 0);
}

/** Whether the things that a denied condition mentions are there. */
function presumedTruth(modifier: PlainModifier, scene: Judged): Truth {
  const phrases = modifier.kind === "relation" ? [modifier.of] : modifier.kind === "between" ? modifier.of : [];
  return phrases.map((phrase) => judgePhrase(phrase, scene).reduce(orTruth, 0)).reduce(andTruth, 2);
}
