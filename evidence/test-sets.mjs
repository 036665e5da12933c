// The test sets, as breakdowns of our evaluator: by similar objects, by what the expression is built on.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "./build.mjs";

/** The sets that tables show, in their order: breakdown and bin. */
export const shownSets = [
  { by: "difficulty", label: "easy", title: "easy: no similar object" },
  { by: "difficulty", label: "hard", title: "hard: two or more similar objects" },
  { by: "kind", label: "relation", title: "relation expressions" },
  { by: "kind", label: "ordinal", title: "ordinal expressions" },
];

/** Breakdowns of the scenes in `folder`; an expression's kind is what scenes.jsonl says of its sentence. */
export async function testSets(folder, ground) {
  const { breakdowns: usual } = await load("evaluate/index.ts");
  if (ground.scenes === undefined) return wordSets(usual);
  const { expressionKinds } = await load("scenes/index.ts");
  const kinds = new Map();
  for (const line of (await readFile(join(folder, "scenes.jsonl"), "utf8")).trim().split("\n")) {
    for (const { ref_id, sentences } of JSON.parse(line).refs) {
      for (const { sent_id, kind } of sentences) kinds.set(`${ref_id}/${sent_id}`, kind);
    }
  }
  const difficulty = {
    name: "difficulty",
    title: "Easy and hard",
    bins: ["easy", "hard"],
    binOf: ({ truth }) => (truth.similarObjects === 0 ? "easy" : truth.similarObjects >= 2 ? "hard" : undefined),
  };
  const kind = {
    name: "kind",
    title: "What the expression is built on",
    bins: expressionKinds,
    // score.mjs tells runs apart by what it appends to keys.
    binOf: ({ truth }) => kinds.get(truth.key.split("#")[0].split("/").slice(1).join("/")),
  };
  return [difficulty, kind, ...usual.filter(({ name }) => alsoShown.includes(name))];
}

const alsoShown = ["similar", "area", "position"];

/** Breakdowns of other data: what an expression is built on is told by its words. */
async function wordSets(usual) {
  const { expressionFeatures } = await load("language/index.ts");
  const difficulty = {
    name: "difficulty",
    title: "Easy and hard",
    bins: ["easy", "hard"],
    binOf: ({ truth }) => (truth.similarObjects === 0 ? "easy" : (truth.similarObjects ?? 0) >= 1 ? "hard" : undefined),
  };
  const kind = {
    name: "kind",
    title: "What the expression is built on, by its words",
    bins: ["denial", "relation", "ordinal", "place", "colour", "other"],
    binOf: ({ truth }) => {
      const found = expressionFeatures(truth.text);
      if (found.hasNegation) return "denial";
      if (found.hasRelation) return "relation";
      if (found.ordinals.length > 0) return "ordinal";
      if (found.hasPositionWord) return "place";
      return found.hasColour ? "colour" : "other";
    },
  };
  return [difficulty, kind, ...usual.filter(({ name }) => alsoShown.includes(name))];
}
