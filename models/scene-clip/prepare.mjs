// What train.py reads, made from folders of `nemosaic scenes`: node models/scene-clip/prepare.mjs STEP … (after npm run build)
//
//   tokenizer SCENES…                 tokenizer.json beside this file: every word of the scenes' texts and of the grammar
//   scenes SCENES OUT                 OUT/<name>.{images,objects,tokens,owners}.npy of one folder
//   epochs OUT COUNT FROM SCENES…     OUT/epoch-<e>.npy for e = FROM … FROM + COUNT - 1: batches, with the exact truth of each pair
//
// images   uint8 [n, 96, 128, 3]: what the model's own preprocessing makes of the JPEG
// objects  int32 [n, 9, 6]: class (from 0, -1 none), left, top, width, height in 640 × 480 pixels, bits of the colours
// tokens   int32 [texts, 20]: ids with [CLS] and [SEP], 0 behind
// owners   int32 [texts]: the row of the image that the text was written for
// epoch-e  int32 [batches, 64 + 128 + 128 * 64 / 4]: rows of images and of texts (counted through all SCENES in their
//          order), then bytes [text][image]: 2 true, 1 in doubt, 0 false
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { decodeImage, encodeNpy } from "../../dist/codecs/index.js";
import { writeFileAtomic } from "../../dist/io/index.js";
import { CounterRandom, resizeTriangle } from "../../dist/kernels/index.js";
import { colourSynonyms, colourWords } from "../../dist/scenes/colours.js";
import { nouns } from "../../dist/scenes/grammar/nouns.js";
import { wordings } from "../../dist/scenes/grammar/wordings.js";
import { judge, objectClasses } from "../../dist/scenes/index.js";
import { loadTokenizer } from "../../dist/tokens/index.js";

const width = 128;
const height = 96;
const tokenLength = 20;
const imagesInBatch = 64;
const textsInBatch = 128;
/** So many images with the same target class stand together in a batch: negatives that differ in more than the noun. */
const kin = 4;
const here = import.meta.dirname;

const [step, ...rest] = process.argv.slice(2);
if (step === "tokenizer") await makeTokenizer(rest);
else if (step === "scenes") await prepareScenes(rest[0], rest[1]);
else if (step === "epochs") await makeEpochs(rest[0], Number(rest[1]), Number(rest[2]), rest.slice(3));
else throw new Error("expected a step: tokenizer, scenes or epochs");

function linesOf(folder) {
  return readFileSync(join(folder, "scenes.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function textsOf(line) {
  return line.refs.flatMap((ref) => ref.sentences);
}

async function makeTokenizer(folders) {
  const texts = [
    ...folders.flatMap((folder) => linesOf(folder).flatMap((line) => textsOf(line).map(({ text }) => text))),
    ...nouns.flatMap(({ name, plural }) => [name, plural]),
    ...wordings.map(({ text }) => text),
    ...colourWords,
    ...Object.keys(colourSynonyms),
    "all both two three four five with without no not other than the a an that is are in of it its and or one only",
  ];
  const words = new Set(texts.flatMap((text) => text.toLowerCase().match(/[a-z0-9]+|[^\sa-z0-9]/g) ?? []));
  const letters = [..."abcdefghijklmnopqrstuvwxyz0123456789"];
  const specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
  const entries = [...specials, ...letters, ...letters.map((letter) => `##${letter}`), ...[...words].sort()];
  const vocab = Object.fromEntries([...new Set(entries)].map((entry, id) => [entry, id]));
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specials.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: ["[CLS]", "A", "[SEP]"].map((id) =>
        id === "A" ? { Sequence: { id, type_id: 0 } } : { SpecialToken: { id, type_id: 0 } },
      ),
      pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: Object.fromEntries(["[CLS]", "[SEP]"].map((id) => [id, { id, ids: [vocab[id]], tokens: [id] }])),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
  // One number or word stays on its line, as the project's formatter has it.
  const written = JSON.stringify(json, null, 2).replace(/\[\n\s+([^\s{[][^\n]*)\n\s+\]/g, "[$1]");
  await writeFileAtomic(join(here, "tokenizer.json"), `${written}\n`);
  console.log(`tokenizer.json: ${Object.keys(vocab).length} entries`);
}

async function prepareScenes(folder, out) {
  await mkdir(out, { recursive: true });
  const tokenizer = await loadTokenizer(here);
  const lines = linesOf(folder);
  const size = width * height * 3;
  const images = new Uint8Array(lines.length * size);
  const objects = new Int32Array(lines.length * 9 * 6).fill(-1);
  const texts = lines.flatMap((line, row) => textsOf(line).map(({ text }) => ({ text, row })));
  const tokens = new Int32Array(texts.length * tokenLength);
  const atOnce = 8;
  for (let from = 0; from < lines.length; from += atOnce) {
    const some = lines.slice(from, from + atOnce);
    const decoded = await Promise.all(some.map((line) => decodeImage(join(folder, "images", line.file_name))));
    decoded.forEach((image, i) => {
      const whole = { x: 0, y: 0, width: image.width, height: image.height };
      resizeTriangle(
        image.data,
        image.width,
        image.height,
        3,
        whole,
        width,
        height,
        images,
        width * 3,
        (from + i) * size,
      );
    });
  }
  lines.forEach(({ scene }, row) => {
    scene.objects.forEach((object, place) => {
      const bits = object.colours.reduce((sum, colour) => sum | (1 << colourWords.indexOf(colour)), 0);
      const named = objectClasses.findIndex(({ name }) => name === object.className);
      objects.set([named, ...object.box, bits], (row * 9 + place) * 6);
    });
  });
  texts.forEach(({ text }, row) => {
    tokens.set(tokenizer.encode(text, tokenLength), row * tokenLength);
  });
  const name = basename(folder);
  const write = (what, shape, data, dtype) =>
    writeFileAtomic(join(out, `${name}.${what}.npy`), encodeNpy(data, shape, dtype));
  await write("images", [lines.length, height, width, 3], images, "uint8");
  await write("objects", [lines.length, 9, 6], objects, "int32");
  await write("tokens", [texts.length, tokenLength], tokens, "int32");
  await write(
    "owners",
    [texts.length],
    Int32Array.from(texts, ({ row }) => row),
    "int32",
  );
  console.log(`${name}: ${lines.length} images, ${texts.length} texts`);
}

async function makeEpochs(out, count, from, folders) {
  const lines = folders.flatMap(linesOf);
  let next = 0;
  const texts = lines.map((line) => line.refs.map((ref) => ref.sentences.map(({ logic }) => ({ logic, row: next++ }))));
  for (let epoch = from; epoch < from + count; epoch++) {
    const batches = Math.floor(lines.length / imagesInBatch);
    const words = imagesInBatch + textsInBatch + (textsInBatch * imagesInBatch) / 4;
    const data = new Int32Array(batches * words);
    const order = orderOf(lines, epoch);
    for (let batch = 0; batch < batches; batch++) {
      const rows = order.slice(batch * imagesInBatch, (batch + 1) * imagesInBatch);
      const chosen = rows.flatMap((row) => drawTexts(texts[row], epoch, row));
      const at = batch * words;
      data.set(rows, at);
      data.set(
        chosen.map(({ row }) => row),
        at + imagesInBatch,
      );
      const truth = new Uint8Array(data.buffer, (at + imagesInBatch + textsInBatch) * 4, textsInBatch * imagesInBatch);
      chosen.forEach(({ logic }, t) => {
        rows.forEach((row, i) => {
          truth[t * imagesInBatch + i] = Math.max(0, ...judge(logic, lines[row].scene));
        });
      });
    }
    await writeFileAtomic(join(out, `epoch-${epoch}.npy`), encodeNpy(data, [batches, words], "int32"));
    console.log(`epoch ${epoch}: ${batches} batches`);
  }
}

/** A new order for each epoch in which images of one target class come in groups of `kin`. */
function orderOf(lines, epoch) {
  const random = new CounterRandom(1, epoch, 0, 1);
  const byClass = new Map();
  for (const row of shuffled(
    lines.map((_, i) => i),
    random,
  )) {
    const name = lines[row].scene.targetClass;
    byClass.set(name, [...(byClass.get(name) ?? []), row]);
  }
  const groups = [...byClass.values()].flatMap((rows) =>
    Array.from({ length: Math.ceil(rows.length / kin) }, (_, i) => rows.slice(i * kin, (i + 1) * kin)),
  );
  return shuffled(groups, random).flat();
}

/** Two sentences of an image, of two refs where it has them. */
function drawTexts(refs, epoch, row) {
  const random = new CounterRandom(1, epoch, row, 2);
  const order = shuffled(refs, random);
  return [0, 1].map((i) => random.pick(order[i % order.length]));
}

function shuffled(values, random) {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}
