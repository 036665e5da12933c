// How well a model finds scenes by expressions, and tells those where they hold from those where they do not:
//
//   node models/scene-clip/evaluate.mjs SCENES [MODEL] [--json] [--split train] [--bands 20]       (after npm run build)
//
// SCENES is a folder of `nemosaic scenes`, MODEL one in the hub's layout (default: this folder). Pairs on which people would
// differ (`mayHold` without `holds`) count neither as right nor as wrong, except that an expression's own image is always right.
// --split takes the scenes of one split only. --bands K adds what bands of the best K images at or below a τ would hold, for τ at
// quantiles of the scores with own images.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decodeImage } from "../../dist/codecs/index.js";
import { hubAccess, openImageTextModel } from "../../dist/relevance/index.js";
import { expressionKinds, judge, kindOf } from "../../dist/scenes/index.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false }, split: { type: "string" }, bands: { type: "string" } },
});
const [folder, modelFolder = import.meta.dirname] = positionals;
if (folder === undefined) throw new Error("expected a folder of `nemosaic scenes`");

const lines = readFileSync(join(folder, "scenes.jsonl"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line))
  .filter(({ split }) => values.split === undefined || split === values.split);
const texts = lines.flatMap((line, own) =>
  line.refs.flatMap((ref) => ref.sentences.map(({ text, logic }) => ({ text, logic, own, kind: kindOf(logic) }))),
);
const model = await openImageTextModel(modelFolder, { hub: hubAccess({}, { offline: true }) });
const { dimension } = model;
const images = await embedImages();
const queries = await embedTexts();
await model.close();

const kinds = ["all", ...expressionKinds];
const tally = Object.fromEntries(kinds.map((kind) => [kind, newTally()]));
const captions = { of: 0, 1: 0, 5: 0, 10: 0 };
const best = lines.map(() => []);
const ranking = [];
texts.forEach(judgeText);
countCaptions();
report();

async function embedImages() {
  const size = 3 * model.preprocessing.width * model.preprocessing.height;
  const result = new Float32Array(lines.length * dimension);
  const atOnce = 16;
  for (let from = 0; from < lines.length; from += atOnce) {
    const some = lines.slice(from, from + atOnce);
    const pixels = new Float32Array(some.length * size);
    const decoded = await Promise.all(some.map((line) => decodeImage(join(folder, "images", line.file_name))));
    decoded.forEach((image, i) => {
      model.preprocess(image, pixels.subarray(i * size, (i + 1) * size));
    });
    result.set(await model.embedImages({ pixels, count: some.length }), from * dimension);
  }
  return result;
}

async function embedTexts() {
  const result = new Float32Array(texts.length * dimension);
  const atOnce = 128;
  for (let from = 0; from < texts.length; from += atOnce) {
    const some = texts.slice(from, from + atOnce).map(({ text }) => text);
    result.set(await model.embedTexts(some), from * dimension);
  }
  return result;
}

/** Bins of the score for rank statistics: 1/10,000 of cosine each. */
function newTally() {
  const bins = () => new Float64Array(20001);
  return {
    of: 0,
    own: { 1: 0, 5: 0, 10: 0 },
    any: { 1: 0, 5: 0, 10: 0 },
    right: bins(),
    wrong: bins(),
    rightNamed: bins(),
    wrongNamed: bins(),
  };
}

function judgeText({ logic, own, kind }, t) {
  const nouns = { number: "all", phrases: logic.phrases.map(({ noun }) => ({ noun, modifiers: [] })) };
  const scores = lines.map((_, i) => dot(t, i));
  const truths = lines.map(({ scene }, i) => (i === own ? 2 : Math.max(0, ...judge(logic, scene))));
  const ranked = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
  const named = lines.map(({ scene }) => Math.max(0, ...judge(nouns, scene)) > 0);
  const ownRank = ranked.indexOf(own);
  const anyRank = ranked.findIndex((i) => truths[i] === 2);
  for (const name of ["all", kind]) {
    const entry = tally[name];
    entry.of++;
    for (const k of [1, 5, 10]) {
      if (ownRank < k) entry.own[k]++;
      if (anyRank < k) entry.any[k]++;
    }
  }
  if (values.bands !== undefined) {
    const others = ranked
      .filter((i) => i !== own)
      .map((i) => ({ score: scores[i], truth: truths[i], isNamed: named[i] }));
    ranking.push({ own: scores[own], others });
  }
  lines.forEach((_, i) => {
    best[i].push([scores[i], truths[i]]);
    if (truths[i] === 1) return;
    const bin = Math.round((scores[i] + 1) * 10000);
    const isNamed = named[i];
    for (const name of ["all", kind]) {
      tally[name][truths[i] === 2 ? "right" : "wrong"][bin]++;
      if (isNamed) tally[name][truths[i] === 2 ? "rightNamed" : "wrongNamed"][bin]++;
    }
  });
}

/** Images to texts: whether one of the best k texts is true of the image. */
function countCaptions() {
  for (const scored of best) {
    const order = scored.sort((a, b) => b[0] - a[0]);
    captions.of++;
    for (const k of [1, 5, 10]) if (order.slice(0, k).some(([, truth]) => truth === 2)) captions[k]++;
  }
}

function dot(t, i) {
  let sum = 0;
  for (let k = 0; k < dimension; k++) sum += queries[t * dimension + k] * images[i * dimension + k];
  return sum;
}

/** Area under the ROC curve of two histograms: the chance that a right pair scores above a wrong one, ties counted half. */
function areaUnder(right, wrong) {
  let below = 0;
  let sum = 0;
  for (let bin = 0; bin < right.length; bin++) {
    sum += right[bin] * (below + wrong[bin] / 2);
    below += wrong[bin];
  }
  return sum / (right.reduce((a, b) => a + b, 0) * below);
}

function quantile(bins, share) {
  const total = bins.reduce((a, b) => a + b, 0);
  let running = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    running += bins[bin];
    if (running >= share * total) return bin / 10000 - 1;
  }
  return 1;
}

/** For each τ: shares of the bands' images in percent, and the bands that fill a 2 × 2 mosaic. */
function bandRows(k) {
  const own = ranking.map((entry) => entry.own).sort((a, b) => a - b);
  return [null, 0.5, 0.25, 0.1, 0.05].map((part) => {
    const tau = part === null ? Number.POSITIVE_INFINITY : own[Math.floor(part * own.length)];
    const bands = ranking.map(({ others }) => others.filter(({ score }) => score <= tau).slice(0, k));
    const all = bands.flat();
    const percent = (test) => Number(((100 * all.filter(test).length) / all.length).toFixed(1));
    return {
      tau: part === null ? "off" : `${tau.toFixed(3)} (${part} of own scores)`,
      true: percent(({ truth }) => truth === 2),
      inDoubt: percent(({ truth }) => truth === 1),
      falseWhereNamed: percent(({ truth, isNamed }) => truth === 0 && isNamed),
      full: bands.filter((band) => band.length >= 3).length,
    };
  });
}

function report() {
  const share = (count, of) => Number(((100 * count) / of).toFixed(1));
  const shares = (counts, of) => [1, 5, 10].map((k) => share(counts[k], of));
  const rows = kinds.map((kind) => {
    const { of, own, any, right, wrong, rightNamed, wrongNamed } = tally[kind];
    return {
      kind,
      expressions: of,
      textToOwnImage: shares(own, of),
      textToAnyTrueImage: shares(any, of),
      auc: Number(areaUnder(right, wrong).toFixed(4)),
      aucWhereNamed: Number(areaUnder(rightNamed, wrongNamed).toFixed(4)),
    };
  });
  const quantiles = (bins) => [0.05, 0.25, 0.5, 0.75, 0.95].map((part) => Number(quantile(bins, part).toFixed(3)));
  const scores = {
    true: quantiles(tally.all.right),
    false: quantiles(tally.all.wrong),
    falseWhereNamed: quantiles(tally.all.wrongNamed),
  };
  const bands = values.bands === undefined ? [] : bandRows(Number(values.bands));
  const result = {
    bands,
    images: lines.length,
    expressions: texts.length,
    imageToAnyTrueText: shares(captions, captions.of),
    rows,
    scores,
  };
  if (values.json) {
    console.log(JSON.stringify(result));
    return;
  }
  console.log(
    `${result.images} images, ${result.expressions} expressions; image to any true text R@1/5/10 ${result.imageToAnyTrueText.join(" / ")}\n`,
  );
  console.log(
    "| kind | expressions | text to own image R@1 / 5 / 10 | text to any true image R@1 / 5 / 10 | AUC | AUC where the noun is there |",
  );
  console.log("|---|---|---|---|---|---|");
  for (const row of rows) {
    console.log(
      `| ${row.kind} | ${row.expressions} | ${row.textToOwnImage.join(" / ")} | ${row.textToAnyTrueImage.join(" / ")} | ${row.auc.toFixed(3)} | ${row.aucWhereNamed.toFixed(3)} |`,
    );
  }
  console.log("\nScores (5th, 25th, 50th, 75th, 95th percentile):");
  for (const [name, numbers] of Object.entries(scores)) console.log(`  ${name}: ${numbers.join(", ")}`);
  for (const { tau, true: holding, inDoubt, falseWhereNamed, full } of bands) {
    console.log(
      `τ ${tau}: ${holding} % hold, ${inDoubt} % in doubt, ${falseWhereNamed} % false with the noun there; ${full} of ${ranking.length} bands of 3 or more`,
    );
  }
}
