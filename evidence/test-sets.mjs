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
export async function testSets(folder) {
  const { breakdowns: usual } = await load("evaluate/index.ts");
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
  const similar = usual.find(({ name }) => name === "similar");
  return [difficulty, kind, similar];
}
