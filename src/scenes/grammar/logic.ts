import type { Colour } from "../colours.ts";

/** A direction along which objects are compared. Left, right, top and bottom are the picture's. */
export type Pole = "left" | "right" | "top" | "bottom" | "front" | "back" | "big" | "small";

/** How one object stands to another. */
export type Relation = "next to" | "left of" | "right of" | "behind" | "in front of";

/** A condition on an object that looks at that object, its picture and the objects that it names: no comparison. */
export type PlainModifier =
  | { readonly kind: "colour"; readonly colour: Colour }
  | { readonly kind: "is"; readonly noun: string }
  | { readonly kind: "area"; readonly vertical: "top" | "bottom"; readonly horizontal: "left" | "right" }
  | { readonly kind: "relation"; readonly relation: Relation; readonly of: Phrase }
  | { readonly kind: "between"; readonly of: readonly [Phrase, Phrase] };

/**
 * How many objects a comparison picks: so many ("the two left mugs") or all that are so ("the left mugs"). Without it,
 * one.
 */
export type Many = "all" | number;

/** Where or how big an object is, by comparison with the objects of the rest of the phrase. */
export type ComparedModifier =
  /** "left mug" (`isMost` false) or "leftmost mug" (true). */
  | { readonly kind: "pole"; readonly pole: Pole; readonly isMost: boolean; readonly many?: Many }
  | { readonly kind: "middle"; readonly many?: Many };

/** One part of a phrase beside its noun. */
export type Modifier =
  | PlainModifier
  | ComparedModifier
  /** `presumes`: "not behind the car" takes it that there is a car; "without a car next to it" does not. */
  | { readonly kind: "not"; readonly modifier: PlainModifier | ComparedModifier; readonly presumes: boolean }
  | { readonly kind: "ordinal"; readonly rank: number; readonly from: Pole }
  | { readonly kind: "nearest"; readonly to: Phrase; readonly many?: Many };

/** A noun and its modifiers, those that compare last: see `stageOf`. */
export interface Phrase {
  /** A singular of `nouns`. */
  readonly noun: string;
  readonly modifiers: readonly Modifier[];
}

/**
 * How many objects an expression is about: one (true of whatever matches), all that match, or exactly so many: "both mugs"
 * (2) and "the only mug" (1) are true of nothing where there are more or fewer.
 */
export type ExpressionNumber = "one" | "all" | number;

/** The logical form of an expression. Several phrases: what any of them names ("the dog and the red car"). */
export interface ParsedExpression {
  readonly number: ExpressionNumber;
  readonly phrases: readonly Phrase[];
}

/**
 * The order in which modifiers apply: colour and kind (0), then size among what is left (1), then conditions of place and
 * relation (2), then comparisons of place (3). "big red car behind the dog" is the one behind the dog of the big red cars.
 */
export function stageOf(modifier: Modifier): 0 | 1 | 2 | 3 {
  const inner = modifier.kind === "not" ? modifier.modifier : modifier;
  if (inner.kind === "colour" || inner.kind === "is") return 0;
  if (inner.kind === "pole") return inner.pole === "big" || inner.pole === "small" ? 1 : 3;
  if (inner.kind === "area" || inner.kind === "relation" || inner.kind === "between") return 2;
  return 3;
}

/** A phrase with its modifiers in the order in which they apply (equal stages as given). */
export function phraseOf(noun: string, modifiers: readonly Modifier[]): Phrase {
  return { noun, modifiers: [...modifiers].sort((a, b) => stageOf(a) - stageOf(b)) };
}

/**
 * A phrase as it is meant of several: its comparisons pick all that are so, and the last one, where nothing is said
 * after it, as many as the expression is about. "The two big mugs" are the two biggest, "the big mugs" all big ones.
 */
export function inPlural(phrase: Phrase, number: "all" | number): Phrase {
  const many = (position: number): Many => (position === phrase.modifiers.length - 1 ? number : "all");
  return {
    noun: phrase.noun,
    modifiers: phrase.modifiers.map((modifier, position): Modifier => {
      switch (modifier.kind) {
        case "pole":
        case "middle":
        case "nearest":
          return { ...modifier, many: many(position) };
        case "not": {
          const denied = modifier.modifier;
          if (denied.kind !== "pole" && denied.kind !== "middle") return modifier;
          return { ...modifier, modifier: { ...denied, many: "all" } };
        }
        default:
          return modifier;
      }
    }),
  };
}

/** An expression about one object. */
export function oneOf(phrase: Phrase): ParsedExpression {
  return { number: "one", phrases: [phrase] };
}

/** What an expression is built on, as the dataset counts it: its most telling modifier. */
export type ExpressionKind = "class" | "attribute" | "position" | "ordinal" | "relation" | "negation";

/** The kinds, in the order in which they tell more. */
export const expressionKinds: readonly ExpressionKind[] = [
  "class",
  "attribute",
  "position",
  "ordinal",
  "relation",
  "negation",
];

/** The kind of an expression. */
export function kindOf(expression: ParsedExpression): ExpressionKind {
  const kinds = expression.phrases.flatMap((phrase) => phrase.modifiers.map(kindOfModifier));
  return kinds.reduce<ExpressionKind>(
    (best, kind) => (expressionKinds.indexOf(kind) > expressionKinds.indexOf(best) ? kind : best),
    "class",
  );
}

function kindOfModifier(modifier: Modifier): ExpressionKind {
  switch (modifier.kind) {
    case "not":
      return "negation";
    case "relation":
    case "between":
    case "nearest":
      return "relation";
    case "ordinal":
      return "ordinal";
    case "pole":
      return modifier.pole === "big" || modifier.pole === "small" ? "attribute" : "position";
    case "middle":
    case "area":
      return "position";
    default:
      return "attribute";
  }
}
