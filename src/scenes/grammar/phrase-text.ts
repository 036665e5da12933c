import type { CounterRandom } from "../../kernels/index.ts";
import { fail } from "../../model/index.ts";
import type { ComparedModifier, Modifier, ParsedExpression, Phrase, PlainModifier, Pole } from "./logic.ts";
import { nounNamed } from "./nouns.ts";
import {
  betweenForms,
  countForms,
  denialForms,
  linkForms,
  nearestForms,
  onlyForms,
  ordinalForms,
  originForms,
  pluralDenialForms,
  pluralLinkForms,
  relationForms,
  tailForms,
  withForms,
  wordings,
} from "./wordings.ts";

/** Words to put before and behind a noun. */
interface Spoken {
  readonly before: string;
  readonly after: string;
}

/** Words an expression in one of its wordings, drawn from `random`; `parseExpression` gives the same meaning back. */
export function textOf(expression: ParsedExpression, random: CounterRandom): string {
  const isPlural = expression.number !== "one" && expression.number !== 1 && expression.phrases.length === 1;
  // "Blue crab and pig": with words behind a noun it would not be clear what "and" joins.
  const use = isPlural ? "several" : expression.phrases.length > 1 ? "mark" : "one";
  const texts = expression.phrases.map((phrase) => phraseText(phrase, random, use));
  if (expression.number === "one") {
    const isBare = expression.phrases[0]?.modifiers.length === 0;
    return article(random) + (texts[0] ?? "") + (isBare && random.below(8) === 0 ? ` ${random.pick(tailForms)}` : "");
  }
  if (expression.number === 1) return `${random.pick(onlyForms)} ${texts[0]}`;
  if (expression.phrases.length > 1) return texts.map((text) => article(random) + text).join(" and ");
  if (typeof expression.number === "number" && expression.number > 3) {
    const count = countForms[expression.number - 2] ?? String(expression.number);
    return `${random.pick(["the ", "", "all "])}${count} ${texts[0]}`;
  }
  if (expression.number === 2) return `${random.pick(["both ", "both ", "the two ", "two "])}${texts[0]}`;
  if (expression.number === 3) return `${random.pick(["the three ", "three ", "all three "])}${texts[0]}`;
  return `${random.pick(["all ", "all the ", "the ", ""])}${texts[0]}`;
}

/** The article that one in four writers puts. */
function article(random: CounterRandom): string {
  return random.below(4) === 0 ? "the " : "";
}

/** How a phrase is used: for one object, for several, or as the mark that others are compared with (words before only). */
type PhraseUse = "one" | "several" | "mark";

/** A phrase without an article. `random` chooses among the wordings. */
function phraseText(phrase: Phrase, random: CounterRandom, use: PhraseUse): string {
  const noun = nounNamed(phrase.noun) ?? fail("internal", `"${phrase.noun}" is no noun of the grammar`);
  const spoken = phrase.modifiers.map((modifier) => spokenOf(modifier, random, use));
  // The last to apply stands farthest out: "left big red mug", "mug that is red on the left".
  const before = spoken.map((part) => part.before).reverse();
  const after = spoken.map((part) => part.after);
  return [...before, use === "several" ? noun.plural : noun.name, ...after].filter((part) => part !== "").join(" ");
}

function spokenOf(modifier: Modifier, random: CounterRandom, use: PhraseUse): Spoken {
  switch (modifier.kind) {
    case "ordinal":
      return ordinalText(modifier.rank, modifier.from, random);
    case "nearest":
      return { before: "", after: `${random.pick(nearestForms)} ${markText(modifier.to, random)}` };
    case "not":
      return deniedText(modifier.modifier, modifier.presumes, random, use);
    case "relation": {
      const forms = withForms[modifier.relation];
      if (forms !== undefined && random.below(4) === 0) {
        return { before: "", after: `with ${indefinite(modifier.of, random)} ${random.pick(forms)}` };
      }
      return {
        before: "",
        after: joinPhrases(
          random.pick(use === "several" ? pluralLinkForms : linkForms),
          relationText(modifier, random),
        ),
      };
    }
    case "between":
      return { before: "", after: betweenText(modifier.of, random) };
    case "is":
      return fail("internal", "a noun can only be denied");
    default:
      return fixedText(modifier, random, use);
  }
}

function fixedText(modifier: Modifier, random: CounterRandom, use: PhraseUse): Spoken {
  const known = writtenFor(modifier);
  const wording = random.pick(use === "one" ? known : known.filter(({ place }) => place === "before"));
  return wording.place === "before" ? { before: wording.text, after: "" } : { before: "", after: wording.text };
}

function writtenFor(modifier: Modifier): readonly { text: string; place: "before" | "after" }[] {
  const key = JSON.stringify("many" in modifier ? { ...modifier, many: undefined } : modifier);
  return written.get(key) ?? fail("internal", `no wording for ${key}`);
}

/** The wordings that are written, by their modifier. */
const written = (() => {
  const found = new Map<string, { text: string; place: "before" | "after" }[]>();
  for (const { text, place, modifier, weight } of wordings) {
    if (weight === 0) continue;
    const key = JSON.stringify(modifier);
    found.set(key, [...(found.get(key) ?? []), { text, place }]);
  }
  return found;
})();

function ordinalText(rank: number, from: Pole, random: CounterRandom): Spoken {
  const [word, figure] = ordinalForms[rank - 1] ?? fail("internal", `no ordinal for ${rank}`);
  if (from === "big" || from === "small")
    return { before: `${random.pick([word, figure])} ${from === "big" ? "biggest" : "smallest"}`, after: "" };
  const origin = random.pick(originForms.filter(([, pole]) => pole === from))[0];
  switch (random.below(6)) {
    case 0:
      return { before: "", after: `${random.pick([word, figure])} from ${origin}` };
    case 1:
      if (rank > 1) return { before: "", after: `number ${rank} from ${origin}` };
      return { before: word, after: `from ${origin}` };
    case 2:
      return { before: "", after: `that is ${word} from ${origin}` };
    case 3:
      return { before: `${random.pick([word, figure])} from ${from}`, after: "" };
    default:
      return { before: random.pick([word, figure]), after: `from ${origin}` };
  }
}

function deniedText(
  modifier: PlainModifier | ComparedModifier,
  presumes: boolean,
  random: CounterRandom,
  use: PhraseUse,
): Spoken {
  const denial = random.pick(use === "several" ? pluralDenialForms : denialForms);
  switch (modifier.kind) {
    case "colour":
      if (random.below(6) === 0) return { before: `non ${modifier.colour}`, after: "" };
      return { before: "", after: `${denial} ${modifier.colour}` };
    case "is": {
      const noun = nounNamed(modifier.noun)?.name ?? modifier.noun;
      if (random.below(5) === 0) return { before: "", after: `other than the ${noun}` };
      return { before: "", after: `${random.pick(denialForms.filter((form) => form !== "not"))} ${withArticle(noun)}` };
    }
    case "relation": {
      const forms = withForms[modifier.relation];
      if (!presumes && forms !== undefined) {
        const mark =
          random.below(3) === 0
            ? `with no ${phraseText(modifier.of, random, "mark")}`
            : `without ${indefinite(modifier.of, random)}`;
        return { before: "", after: `${mark} ${random.pick(forms)}` };
      }
      // "Not just behind" would mean something else.
      const plain = relationForms[modifier.relation].filter((form) => !/^(?:right|just|directly)\b(?! of)/.test(form));
      return { before: "", after: `${denial} ${random.pick(plain)} ${markText(modifier.of, random)}` };
    }
    case "pole":
    case "middle": {
      // "Not that is biggest" is no English; "that is not biggest" is.
      const forms = writtenFor(modifier).filter(({ text }) => !text.startsWith("that"));
      return { before: "", after: `${denial} ${random.pick(forms).text}` };
    }
    case "between":
      return { before: "", after: `${denial} ${betweenText(modifier.of, random, true)}` };
    case "area": {
      const area = `${random.pick(["in", "in the", "at"])} ${modifier.vertical} ${modifier.horizontal}`;
      return { before: "", after: `${denial} ${area}` };
    }
  }
}

function relationText(modifier: Extract<PlainModifier, { kind: "relation" }>, random: CounterRandom): string {
  return `${random.pick(relationForms[modifier.relation])} ${markText(modifier.of, random)}`;
}

function betweenText(of: readonly [Phrase, Phrase], random: CounterRandom, isBare = false): string {
  const form = isBare ? random.pick(["between", "in between"]) : random.pick(betweenForms);
  return `${form} ${markText(of[0], random)} and ${markText(of[1], random)}`;
}

/** The thing that another is compared with: mostly with an article. */
function markText(phrase: Phrase, random: CounterRandom): string {
  return (random.below(4) === 0 ? "" : "the ") + phraseText(phrase, random, "mark");
}

function indefinite(phrase: Phrase, random: CounterRandom): string {
  return withArticle(phraseText(phrase, random, "mark"));
}

function withArticle(text: string): string {
  return `${/^[aeiou]/.test(text) ? "an" : "a"} ${text}`;
}

function joinPhrases(link: string, text: string): string {
  return link === "" ? text : `${link} ${text}`;
}
