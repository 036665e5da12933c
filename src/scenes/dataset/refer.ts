import { canonicalJson } from "../../io/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { colourWords } from "../colours.ts";
import {
  type ExpressionKind,
  kindOf,
  type Modifier,
  oneOf,
  type ParsedExpression,
  type Phrase,
  phraseOf,
} from "../grammar/logic.ts";
import { nouns, nounsOfClass } from "../grammar/nouns.ts";
import { tryParseExpression } from "../grammar/parse.ts";
import { textOf } from "../grammar/phrase-text.ts";
import { candidatesFor, marksOf } from "../meaning/candidates.ts";
import { judge } from "../meaning/judge.ts";
import type { Scene, SceneObject } from "../scene.ts";

/** One sentence of a ref. */
export interface SceneSentence {
  readonly text: string;
  readonly kind: ExpressionKind;
  /** What it means: `parseExpression(text)` gives the same. */
  readonly logic: ParsedExpression;
}

/** What is said of one object, of several, or of none that is there. */
export interface SceneRef {
  /** Ascending; [] for an expression that nothing in the scene satisfies. */
  readonly objectIds: readonly number[];
  /** Other objects of the target's class in the scene; 0 for refs to several or none. */
  readonly similar: number;
  /** Whether class, colour and size alone name the target. */
  readonly isPlain: boolean;
  readonly sentences: readonly SceneSentence[];
}

const streams = { targets: 3, sentences: 4, several: 5, none: 6 } as const;
const maxRefs = 3;
const kindWeights: Readonly<Record<ExpressionKind, number>> = {
  class: 5,
  attribute: 5,
  position: 3.6,
  ordinal: 2,
  relation: 6,
  negation: 3,
};

/**
 * The refs of a scene to one object each: up to three, with two to four sentences of different kinds and wordings. In a
 * scene with several objects of the target's class all targets have another of their class; in others none has.
 * Pure; [] only for scenes that `generateScene` does not make.
 */
export function expressionsOf(scene: Scene): SceneRef[] {
  const isHard = classCount(scene, scene.targetClass) > 1;
  const random = new CounterRandom(scene.seed, 0, scene.index, streams.targets);
  const eligible = random
    .shuffle(scene.objects.filter((object) => classCount(scene, object.className) > 1 === isHard))
    // The scene's own class first.
    .sort((a, b) => Number(b.className === scene.targetClass) - Number(a.className === scene.targetClass));
  const wanted = Math.min(maxRefs, 1 + random.below(isHard ? 3 : 2));
  const refs: SceneRef[] = [];
  const held: SceneRef[] = [];
  for (const target of eligible) {
    if (refs.length === wanted) break;
    const ref = refTo(target, scene);
    if (ref === undefined) continue;
    // Mostly, those that need a relation go first: what colour and size name is the easier part of a hard scene.
    const hasRelation = ref.sentences.some(({ kind }) => kind === "relation");
    const waits = isHard && (ref.isPlain || !hasRelation) && random.below(3) > 0;
    (waits ? held : refs).push(ref);
  }
  return [...refs, ...held].slice(0, wanted);
}

/** A ref to `target`, or undefined where fewer than two sentences can be said of it. */
export function refTo(target: SceneObject, scene: Scene): SceneRef | undefined {
  const byKind = new Map<ExpressionKind, ParsedExpression[]>();
  for (const candidate of candidatesFor(target, scene)) {
    const kind = kindOf(candidate);
    byKind.set(kind, [...(byKind.get(kind) ?? []), candidate]);
  }
  if (byKind.size === 0) return undefined;
  const random = new CounterRandom(scene.seed, target.id, scene.index, streams.sentences);
  const isPlain = byKind.has("class") || byKind.has("attribute");
  const wanted = random.pick([2, 2, 3, 3, 3, 4]);
  const sentences: SceneSentence[] = [];
  let left: ExpressionKind[] = [];
  for (let attempt = 0; attempt < 24 && sentences.length < wanted; attempt++) {
    if (left.length === 0) left = [...byKind.keys()];
    // Where class, colour and size do not suffice, a relation is what people turn to.
    const isDue = sentences.length === 0 && !isPlain && left.includes("relation") && random.below(12) > 0;
    const kind = isDue ? "relation" : (left[random.weighted(left.map((name) => kindWeights[name]))] ?? "class");
    left = left.filter((name) => name !== kind);
    const logic = drawn(byKind.get(kind) ?? [], random);
    const text = spokenPlainly(logic, random);
    if (text !== undefined && sentences.every((other) => other.text !== text)) sentences.push({ text, kind, logic });
  }
  if (sentences.length < 2) return undefined;
  const similar = classCount(scene, target.className) - 1;
  return { objectIds: [target.id], similar, isPlain, sentences: random.shuffle(sentences) };
}

/** A ref to several objects at once, such as "both red mugs" or "the dog and the bus"; undefined where none offers itself. */
export function refToSeveral(scene: Scene): SceneRef | undefined {
  const random = new CounterRandom(scene.seed, 0, scene.index, streams.several);
  const found = new Map<string, ParsedExpression[]>();
  for (const expression of pluralCandidates(scene, random)) {
    const truths = judge(expression, scene);
    const ids = scene.objects.filter((_, position) => truths[position] === 2).map((object) => object.id);
    if (truths.includes(1) || ids.length < 2 || ids.length === scene.objects.length) continue;
    const key = ids.join();
    found.set(key, [...(found.get(key) ?? []), expression]);
  }
  if (found.size === 0) return undefined;
  const [ids, expressions] = random.pick([...found]);
  return {
    objectIds: ids.split(",").map(Number),
    similar: 0,
    isPlain: false,
    sentences: wordExpressions(expressions, random),
  };
}

/** A ref to nothing in the scene, made to be as near to what is there as can be: one word off. */
export function refToNone(scene: Scene): SceneRef | undefined {
  const random = new CounterRandom(scene.seed, 0, scene.index, streams.none);
  const absent: ParsedExpression[] = [];
  const objects = random.shuffle([...scene.objects]);
  for (const object of objects) {
    for (const phrase of nearMisses(object, scene, random)) {
      const expression = oneOf(phrase);
      if (judge(expression, scene).every((truth) => truth === 0)) absent.push(expression);
    }
  }
  if (absent.length === 0) return undefined;
  return { objectIds: [], similar: 0, isPlain: false, sentences: wordExpressions(random.shuffle(absent), random) };
}

/** Objects of a class in a scene. */
export function classCount(scene: Pick<Scene, "objects">, className: string): number {
  return scene.objects.filter((object) => object.className === className).length;
}

/** One of the candidates, short ones more often; a class's own name more often than a group's. */
function drawn(candidates: readonly ParsedExpression[], random: CounterRandom): ParsedExpression {
  const weights = candidates.map((candidate) => {
    const phrase = candidate.phrases[0];
    const isGroup = nouns.find((noun) => noun.name === phrase?.noun)?.isGroup === true;
    return modifierWeight(phrase) * (isGroup ? 0.5 : 1) * 0.45 ** Math.max(0, (phrase?.modifiers.length ?? 0) - 1);
  });
  return candidates[random.weighted(weights)]!;
}

function modifierWeight(phrase: Phrase | undefined): number {
  return (phrase?.modifiers ?? []).reduce((weight, modifier) => {
    if (modifier.kind === "pole") return weight * (modifier.pole === "top" || modifier.pole === "bottom" ? 0.5 : 1);
    if (modifier.kind === "ordinal") return weight * (modifier.rank === 1 ? 0.5 : 1);
    if (modifier.kind === "between") return weight * 0.6;
    if (modifier.kind === "relation")
      return weight * (modifier.relation === "behind" || modifier.relation === "in front of" ? 2 : 1);
    return weight;
  }, 1);
}

/** A wording that is read as it is meant: "top hat" is never the hat at the top. */
function spokenPlainly(logic: ParsedExpression, random: CounterRandom): string | undefined {
  const meant = canonicalJson(logic);
  for (let attempt = 0; attempt < 4; attempt++) {
    const text = textOf(logic, random);
    const read = tryParseExpression(text);
    if (read !== undefined && canonicalJson(read) === meant) return text;
  }
  return undefined;
}

function wordExpressions(expressions: readonly ParsedExpression[], random: CounterRandom): SceneSentence[] {
  const sentences: SceneSentence[] = [];
  for (let attempt = 0; attempt < 8 && sentences.length < 2; attempt++) {
    const logic = random.pick(expressions);
    const text = spokenPlainly(logic, random);
    if (text !== undefined && sentences.every((other) => other.text !== text))
      sentences.push({ text, kind: kindOf(logic), logic });
  }
  return sentences;
}

function pluralCandidates(scene: Scene, random: CounterRandom): ParsedExpression[] {
  const singular: ParsedExpression[] = [];
  const classNames = [...new Set(scene.objects.map((object) => object.className))];
  for (const className of classNames) {
    for (const noun of nounsOfClass(className)) {
      const lists: Modifier[][] = [[]];
      for (const colour of new Set(scene.objects.flatMap((object) => object.colours)))
        lists.push([{ kind: "colour", colour }]);
      for (const { phrase } of marksOf(scene, undefined)) {
        for (const relation of ["left of", "right of", "next to"] as const)
          lists.push([{ kind: "relation", relation, of: phrase }]);
      }
      for (const modifiers of lists) {
        const phrase = phraseOf(noun.name, modifiers);
        const count = judge(oneOf(phrase), scene).filter((truth) => truth === 2).length;
        if (count >= 2)
          singular.push({ number: count <= 3 && random.below(2) === 0 ? count : "all", phrases: [phrase] });
      }
    }
  }
  const marks = marksOf(scene, undefined);
  if (marks.length >= 2) {
    for (const pair of [random.sample(marks.length, 2), random.sample(marks.length, 2)]) {
      const phrases = pair.flatMap((position) => marks[position]?.phrase ?? []);
      singular.push({ number: "all", phrases });
    }
  }
  return singular;
}

function nearMisses(object: SceneObject, scene: Scene, random: CounterRandom): Phrase[] {
  const noun = nounsOfClass(object.className)[0];
  if (noun === undefined) return [];
  const marks = marksOf(scene, object);
  const others = nouns.filter((other) => !other.isGroup && !other.classes.has(object.className));
  return [
    phraseOf(noun.name, [{ kind: "colour", colour: random.pick(colourWords) }]),
    ...(object.colours[0] === undefined
      ? [phraseOf(random.pick(others).name, [])]
      : [phraseOf(random.pick(others).name, [{ kind: "colour", colour: object.colours[0] }])]),
    ...marks
      .slice(0, 2)
      .map(({ phrase }) =>
        phraseOf(noun.name, [
          { kind: "relation", relation: random.pick(["next to", "behind", "in front of"]), of: phrase },
        ]),
      ),
  ];
}
