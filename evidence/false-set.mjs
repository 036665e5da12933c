// A test set in gRefCOCO's form of a pool's sentences and of false ones about the same pictures: each target's sentences as they are, and for each
// target up to three sentences that are true of nothing there. Numbers of refs say what they are (`kindOf`).
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { load } from "./build.mjs";
import { judgeOf } from "./negative-sentences.mjs";
import { writeWhole } from "./steps.mjs";

/** What a ref of the set is, in the order of tables; `first` is where its numbers begin. */
export const falseKinds = [
  { name: "true", title: "true sentences", first: 0 },
  { name: "edited", title: "own, another side, colour, size, count or landmark", first: 1_000_000 },
  { name: "noun", title: "own, another noun", first: 2_000_000 },
  { name: "mined", title: "the pool's, of a kind that is shown", first: 3_000_000 },
];

/** The kind of a sentence by its key, source/ref/sentence. */
export function kindOf(key) {
  const ref = Number(key.split("/")[1]);
  return falseKinds.findLast(({ first }) => ref >= first)?.name;
}

/**
 * Writes the set of split `split` of a pool to `folder`: grefs(false).json, and instances.json as `refer` has it. Mined sentences come from
 * the pool's own set. What `truth` (a folder as negative-sentences.mjs reads it; undefined: none) calls true is left out, and counted.
 */
export async function writeFalseSet(poolFolder, refer, { split, truth, folder }) {
  const { Mined, Pool } = await load("pool/index.ts");
  const { EditedSentences, isWithin, wordBag } = await load("sentences/index.ts");
  const instances = JSON.parse(await readFile(join(refer, "instances.json"), "utf8"));
  const idOf = new Map(instances.images.map(({ id, file_name }) => [file_name, id]));
  const pool = await Pool.open(poolFolder);
  const mined = await Mined.open(poolFolder, "default", pool.manifest.hash);
  try {
    const judge = truth === undefined ? undefined : await judgeOf(pool, truth);
    const edited = new EditedSentences(pool);
    const refs = [];
    const counts = Object.fromEntries([...falseKinds.map(({ name }) => [name, 0]), ["trueAfterAll", 0]]);
    const used = new Map();
    const add = (kind, ref, sentences, annotations) => {
      const { first } = falseKinds.find(({ name }) => name === kind);
      const number = first + ref + 1;
      const image = pool.refs.image[ref];
      const file = basename(pool.images.path[image]);
      counts[kind] += sentences.length;
      refs.push({
        ref_id: number,
        image_id: idOf.get(file) ?? fail(`${file} is not in ${refer}/instances.json`),
        file_name: file,
        split,
        sent_ids: sentences.map((_, at) => number * 10 + at),
        sentences: sentences.map((sent, at) => ({
          sent_id: number * 10 + at,
          sent,
          raw: sent,
          tokens: sent.split(" "),
        })),
        ann_id: annotations.length === 0 ? [-1] : annotations.map((row) => Number(pool.annotations.id[row])),
        category_id: [-1],
        no_target: annotations.length === 0,
      });
    };
    /** The first of `texts` that is new to the image and not true there by the truth. */
    const addFalse = (kind, ref, texts) => {
      const image = pool.refs.image[ref];
      const said = used.get(image) ?? new Set();
      used.set(image, said);
      for (const text of texts) {
        if (said.has(text)) continue;
        if (judge?.(text, pool.images.hash[image])?.isTrue) {
          counts.trueAfterAll++;
          continue;
        }
        said.add(text);
        return add(kind, ref, [text], []);
      }
    };
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const targets = [...pool.targetsOfRef(ref)];
      if (pool.refs.split[ref] !== split || targets.length === 0) continue;
      const [start, end] = pool.expressionsOfRef(ref);
      const own = pool.expressions.sent.slice(start, end);
      add("true", ref, own, targets);
      // Not always the first that can be changed: the kinds of change would come in their order.
      const edits = turned(
        own.flatMap((_, at) => edited.of(start + at)),
        ref,
      );
      addFalse("edited", ref, textsOf(edits.filter(({ kind }) => kind !== "noun")));
      addFalse("noun", ref, textsOf(edits.filter(({ kind }) => kind === "noun")));
      addFalse("mined", ref, turned(minedFor(pool, mined, pool.refs.image[ref], { isWithin, wordBag }), ref));
    }
    await mkdir(folder, { recursive: true });
    await copyFile(join(refer, "instances.json"), join(folder, "instances.json"));
    writeWhole(join(folder, "grefs(false).json"), `${JSON.stringify(refs)}\n`);
    writeWhole(join(folder, "counts.json"), `${JSON.stringify(counts)}\n`);
    return counts;
  } finally {
    await mined?.close();
    await pool.close();
  }
}

/** Sentences of a kind that the image shows and estimated to be false there, the best thirty, without what is said of anything in it. */
function minedFor(pool, mined, image, { isWithin, wordBag }) {
  const found = mined?.sentences(image);
  if (found === undefined) return [];
  const own = [];
  for (let ref = 0; ref < pool.refs.count; ref++) {
    if (pool.refs.image[ref] !== image) continue;
    const [start, end] = pool.expressionsOfRef(ref);
    own.push(...pool.expressions.sent.slice(start, end).map(wordBag));
  }
  const kept = [];
  for (let at = 0; at < found.ids.length && kept.length < 30; at++) {
    if (found.risk[at] >= mostRisk || found.showsKind[at] !== 1) continue;
    const text = pool.expressions.sent[found.ids[at]];
    const bag = wordBag(text);
    if (!own.some((said) => isWithin(bag, said) || isWithin(said, bag))) kept.push(text);
  }
  return kept;
}

const mostRisk = 0.03;

function textsOf(edits) {
  return [...new Set(edits.map(({ text }) => text))];
}

/** A list from another place on, told by a number. */
function turned(list, number) {
  const at = list.length === 0 ? 0 : (number * 7) % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

function fail(message) {
  throw new Error(message);
}

/** True where the set is written. */
export function hasFalseSet(folder) {
  return existsSync(join(folder, "counts.json"));
}
