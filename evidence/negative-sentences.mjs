// Sentences that should be true of nothing, measured by truth that no score and no rule has seen: of those that training draws, the
// share that is true after all, and the share that names a kind of thing the picture shows (hard: it cannot be told by the kind).
//
//   node evidence/negative-sentences.mjs POOL TRUTH [--sources edited,mined,random] [--seed 0] [--epochs 1] [--json]
//
// TRUTH is a folder with scenes.jsonl (docs/scenes.md), or one with truth.jsonl: an object a line {image, cls, cx, facing, colour, colours},
// images by the number in their name, sentences made of templates ("black dog", "the cat that looks to the left", "left horse",
// "dog right of the person", "the bigger cow"). What cannot be decided (a horse seen from the front, "facing left") counts as true.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { isMain, load } from "./build.mjs";

export const sources = ["edited", "mined", "mined+edited", "random"];

/** The shares for each source; `samples` of each epoch at most. */
export async function measureNegativeSentences(poolFolder, truthFolder, options = {}) {
  const { seed = 0, epochs = 1, samples = 5000, settings = {} } = options;
  const { Pool } = await load("pool/index.ts");
  const { Loader } = await load("loader/index.ts");
  const { parseSettings } = await load("settings/index.ts");
  const pool = await Pool.open(poolFolder);
  try {
    const judge = await judgeOf(pool, truthFolder);
    const result = {};
    for (const source of options.sources ?? sources) {
      const asked = {
        ...settings,
        tokens: { kind: "none" },
        mosaic: { ...settings.mosaic, gamma: 0 },
        gres: { ...settings.gres, negativeSentence: 1, negativeSource: source },
      };
      const loader = await Loader.open(pool, parseSettings(asked, "evidence"), { seed, tiles: "off" });
      try {
        result[source] = countOf(loader, judge, epochs, samples);
      } finally {
        await loader.close();
      }
    }
    return result;
  } finally {
    await pool.close();
  }
}

/** (text, image's SHA-256) → {isTrue, namesKind}, or undefined where the truth in `folder` cannot tell. */
export function judgeOf(pool, folder) {
  return existsSync(join(folder, "scenes.jsonl")) ? sceneJudge(pool, folder) : templateJudge(pool, folder);
}

function countOf(loader, judge, epochs, samples) {
  const all = tally();
  const kinds = new Map();
  const examples = [];
  let asked = 0;
  for (let epoch = 0; epoch < epochs; epoch++)
    for (let index = 0; index < Math.min(samples, loader.length); index++) {
      const { text, why, layers } = loader.plan(epoch, index);
      asked++;
      if (why.sentence === undefined) continue;
      const verdict = judge(text, layers[0].image);
      const kind = why.sentence.change?.kind ?? why.sentence.source;
      if (!kinds.has(kind)) kinds.set(kind, tally());
      for (const each of [all, kinds.get(kind)]) add(each, verdict);
      if (verdict?.isTrue && examples.length < 20) examples.push(text);
    }
  const byKind = Object.fromEntries([...kinds].sort().map(([kind, counts]) => [kind, sharesOf(counts)]));
  return { asked, ...sharesOf(all), byKind, trueAfterAll: examples };
}

const tally = () => ({ drawn: 0, unjudged: 0, isTrue: 0, names: 0 });

function add(counts, verdict) {
  counts.drawn++;
  if (verdict === undefined) counts.unjudged++;
  else {
    counts.isTrue += verdict.isTrue ? 1 : 0;
    counts.names += verdict.namesKind ? 1 : 0;
  }
}

function sharesOf({ drawn, unjudged, isTrue, names }) {
  const judged = Math.max(1, drawn - unjudged);
  const percent = (part) => Math.round((1000 * part) / judged) / 10;
  return { drawn, unjudged, true: percent(isTrue), namesKind: percent(names) };
}

/** On scenes: a sentence that may hold counts as true; one outside of the grammar is not judged. */
async function sceneJudge(pool, folder) {
  const { mayHold, tryParseExpression } = await load("scenes/index.ts");
  const scenes = new Map();
  const hashes = new Map(pool.images.path.map((path, row) => [basename(path), pool.images.hash[row]]));
  for (const line of (await readFile(join(folder, "scenes.jsonl"), "utf8")).trim().split("\n")) {
    const { file_name, scene } = JSON.parse(line);
    scenes.set(hashes.get(basename(file_name)), scene);
  }
  return (text, image) => {
    const parsed = tryParseExpression(text);
    const scene = scenes.get(image);
    if (parsed === undefined || scene === undefined) return undefined;
    const bare = parsed.phrases.map(({ noun }) => ({ number: "one", phrases: [{ noun, modifiers: [] }] }));
    return {
      isTrue: mayHold(parsed, scene).length > 0,
      namesKind: bare.some((phrase) => mayHold(phrase, scene).length > 0),
    };
  };
}

const colours = "black|white|brown|gr[ea]y|red|blue|green|yellow|orange|purple|pink";
const templates = [
  [/^(?<noun>.+?) (facing|that looks to the) (?<side>left|right)$/, "facing"],
  [/^(?<noun>.+?) (?<side>left|right) of the (?<mark>.+)$/, "beside"],
  [/^(?<noun>.+?) on the (?<side>left|right)$/, "place"],
  [/^(?<side>left|right) (?<noun>.+)$/, "place"],
  [/^(bigger|smaller) (?<noun>.+)$/, "size"],
  [new RegExp(`^(?<noun>.+?) that is (?<colour>${colours})$`), "colour"],
  [new RegExp(`^(?<colour>${colours}) (?<noun>.+)$`), "colour"],
  [/^(?<noun>.+)$/, "class"],
];

function readTemplate(text) {
  const bare = text.replace(/^(the|an?) /, "");
  for (const [pattern, kind] of templates) {
    const groups = pattern.exec(bare)?.groups;
    if (groups !== undefined) return { kind, ...groups };
  }
  return undefined;
}

async function templateJudge(pool, folder) {
  const { spokenName } = await load("language/index.ts");
  const classOf = new Map();
  for (const name of new Set(pool.annotations.category))
    for (const word of [name, spokenName(name)]) classOf.set(word, name);
  pool.expressions.sent.forEach((sentence, row) => {
    const target = pool.targetsOfRef(pool.expressions.ref[row])[0];
    const noun = readTemplate(sentence)?.noun;
    if (target !== undefined && noun !== undefined && !classOf.has(noun))
      classOf.set(noun, pool.annotations.category[target]);
  });
  const numberOf = (path) => Number(/(\d+)\D*$/.exec(basename(path).replace("_", ""))?.[1]);
  const things = new Map();
  for (const line of (await readFile(join(folder, "truth.jsonl"), "utf8")).trim().split("\n")) {
    const thing = JSON.parse(line);
    if (!things.has(thing.image)) things.set(thing.image, []);
    things.get(thing.image).push(thing);
  }
  const byHash = new Map(
    pool.images.hash.map((hash, row) => [hash, things.get(numberOf(pool.images.path[row])) ?? []]),
  );
  return (text, image) => {
    const read = readTemplate(text);
    const cls = classOf.get(read?.noun);
    if (cls === undefined) return undefined;
    const all = byHash.get(image) ?? [];
    const same = all.filter((thing) => thing.cls === cls);
    return { isTrue: same.length > 0 && isTrueOf(read, same, all, classOf), namesKind: same.length > 0 };
  };
}

function isTrueOf({ kind, side, colour, mark }, same, all, classOf) {
  switch (kind) {
    case "facing":
      return same.some(({ facing }) => facing === null || facing === side);
    case "colour": {
      const wanted = colour === "gray" ? "grey" : colour;
      return same.some((thing) => thing.colour === wanted || thing.colours.includes(wanted));
    }
    case "place":
      return same.length > 1 || same.some(({ cx }) => cx < 0.5 === (side === "left"));
    case "size":
      return same.length > 1;
    case "beside":
      return all.some(
        (other) =>
          other.cls === classOf.get(mark) &&
          same.some((thing) => thing !== other && thing.cx < other.cx === (side === "left")),
      );
    default:
      return true;
  }
}

/** The shares as lines for people. */
export function negativeLines(result) {
  const line = (name, { drawn, unjudged, true: isTrue, namesKind }) =>
    `${name.padEnd(16)}${String(drawn).padStart(7)} drawn  true after all ${isTrue.toFixed(1).padStart(5)} %  names a kind that the picture shows ${namesKind.toFixed(1).padStart(5)} %${unjudged > 0 ? `  (${unjudged} not judged)` : ""}`;
  return Object.entries(result).flatMap(([source, counts]) => [
    line(source, counts),
    ...Object.entries(counts.byKind).map(([kind, each]) => line(`  ${kind}`, each)),
  ]);
}

if (isMain(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sources: { type: "string", default: sources.join(",") },
      seed: { type: "string", default: "0" },
      epochs: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const [pool, truth] = positionals;
  if (pool === undefined || truth === undefined) {
    process.stderr.write("expected a pool and a folder of truth: node evidence/negative-sentences.mjs POOL TRUTH\n");
    process.exitCode = 2;
  } else {
    const result = await measureNegativeSentences(pool, truth, {
      sources: values.sources.split(","),
      seed: Number(values.seed),
      epochs: Number(values.epochs),
    });
    process.stdout.write(`${values.json ? JSON.stringify(result, undefined, 1) : negativeLines(result).join("\n")}\n`);
  }
}
