// Records of runs: what a run came to on each sentence of its tests, small enough to keep and to carry. Runs of several machines add up by them.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { load } from "./build.mjs";
import { runsOf, testsOf } from "./grounds.mjs";
import { isDone, writeWhole } from "./steps.mjs";

const format = { format: "nemosaic-evidence-run", version: 1 };

/** Where the records of a ground are, in a folder of records. */
function recordPath(folder, ground, arm, seed) {
  return join(folder, recordsOf(ground), `${arm.name}-${seed}.json`);
}

/** The name of a ground's records: the arms of false sentences have tests of their own. */
export function recordsOf({ name, falseTests }) {
  return falseTests === undefined ? name : `negatives-${name}`;
}

/** The record of one run, or undefined. An arm of other settings or another size is an error: such runs do not add up. */
export function readRecord(folder, ground, arm, seed, profile) {
  const path = recordPath(folder, ground, arm, seed);
  if (!existsSync(path)) return undefined;
  const record = parseRecord(path);
  const expected = {
    ...format,
    arm: arm.name,
    seed,
    augment: arm.augment,
    settings: arm.settings,
    ...sizesOf(profile),
  };
  for (const [name, value] of Object.entries(expected)) {
    const [got, wanted] = [record[name], value].map((each) => JSON.stringify(each));
    if (got !== wanted) throw new Error(`${path}: expected ${name} ${wanted}, got ${got}; leave this record out`);
  }
  return record;
}

function parseRecord(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(
      `${path}: expected the JSON of a run, got something else (${error.message}); leave this record out`,
    );
  }
}

function sizesOf({ steps, batchSize, size, width }) {
  return { steps, batchSize, size, width };
}

/** Writes the record of each run that is done in this folder and has none. */
export async function makeRecords(out, arms, seeds, profile, ground) {
  const folder = join(out, "records");
  const runs = arms.flatMap((arm) => seeds.map((seed) => ({ arm, seed })));
  for (const { arm, seed } of runs) {
    const run = join(out, runsOf(ground), `${arm.name}-${seed}`);
    if (existsSync(recordPath(folder, ground, arm, seed)) || !isDone(out, arm, seed, ground)) continue;
    const { train_seconds: trainSeconds } = JSON.parse(readFileSync(join(run, "result.json"), "utf8"));
    const { code, torch } = JSON.parse(readFileSync(join(run, "trained-by.json"), "utf8"));
    const named = { arm: arm.name, seed, augment: arm.augment, settings: arm.settings };
    const facts = { ...format, ...named, ...sizesOf(profile), code, torch, trainSeconds };
    const tests = {};
    for (const test of testsOf(ground))
      tests[test.predictions] = packSamples(await samplesOf(out, test, join(run, "predictions", test.predictions)));
    mkdirSync(join(folder, recordsOf(ground)), { recursive: true });
    writeWhole(recordPath(folder, ground, arm, seed), `${JSON.stringify({ ...facts, tests })}\n`);
  }
}

async function samplesOf(out, test, folder) {
  const { evaluate, evaluateDefaults, evaluationPreset, openPredictions, withChanges } =
    await load("evaluate/index.ts");
  const preset = withChanges(evaluationPreset("rela"), { size: "original", sentences: "all" });
  const predictions = await openPredictions(folder);
  const options = { ...evaluateDefaults, preset, splits: [test.split], replicates: 1, breakdowns: [] };
  try {
    return (await evaluate(await truthsOf(out, test), predictions, options)).samples;
  } finally {
    await predictions.close();
  }
}

/** The sentences of a test that are scored, in their order. */
export async function truthsOf(out, { pool: name, split }) {
  const { truthsOfPool } = await load("evaluate/index.ts");
  const { Pool } = await load("pool/index.ts");
  const pool = await Pool.open(join(out, name));
  try {
    return truthsOfPool(pool).filter((truth) => truth.split === split);
  } finally {
    await pool.close();
  }
}

/** {sentences, keys (their hash), areas}: int32, little endian, deflated, base64: first what both masks share, then what is predicted. */
function packSamples(samples) {
  const areas = new Int32Array(2 * samples.length);
  samples.forEach(({ score }, at) => {
    // A false sentence shares nothing; where the model is right to say so, its union is told as 0.
    areas[at] = score.noTarget ? 0 : score.predictedAreaPx + score.truthAreaPx - score.union;
    areas[samples.length + at] = score.predictedAreaPx;
  });
  const keys = hashOf(samples.map(({ truth }) => truth.key));
  return { sentences: samples.length, keys, areas: deflateRawSync(areas).toString("base64") };
}

/** {shared, predicted}: pixels, by sentence. */
function unpackAreas({ sentences, keys, areas }, truths) {
  if (sentences !== truths.length || keys !== hashOf(truths.map(({ key }) => key)))
    throw new Error(`expected a record of these ${truths.length} test sentences, got one of ${sentences} others`);
  const bytes = inflateRawSync(Buffer.from(areas, "base64"));
  const all = Array.from({ length: 2 * sentences }, (_, at) => bytes.readInt32LE(4 * at));
  return { shared: all.slice(0, sentences), predicted: all.slice(sentences) };
}

/** The size in pixels below which a mask is to say "no target", so that a share `tAcc` of the true sentences are told right. */
export function emptyBelowFor(test, truths, tAcc) {
  const { predicted } = unpackAreas(test, truths);
  const ofTrue = predicted.filter((_, at) => !truths[at].noTarget).sort((a, b) => a - b);
  return ofTrue[Math.floor((1 - tAcc) * ofTrue.length)] ?? 0;
}

function hashOf(keys) {
  return createHash("sha256").update(keys.join("\n")).digest("hex").slice(0, 16);
}

/** The evaluation that a record's test stands for: as `evaluate` gives it, without masks. `truths` are those of the test. */
export async function evaluationOf(test, truths, options) {
  const { scoreAreas, summarise, truthMasks } = await load("evaluate/index.ts");
  const { preset, emptyBelowPx } = options;
  const { shared, predicted } = unpackAreas(test, truths);
  const masks = truthMasks(preset);
  const samples = truths.map((truth, at) => {
    const { areaPx: truthAreaPx, noTarget, areaShare } = masks.of(truth);
    const [sharedAreaPx, predictedAreaPx] = [shared[at], predicted[at]];
    const known = { truthAreaPx, noTarget, sharedAreaPx, predictedAreaPx, decision: undefined, emptyBelowPx };
    return { truth, score: scoreAreas(known, preset), areaShare, missing: false };
  });
  return { preset, samples, ...summarise(samples, options.breakdowns, preset, options) };
}

/** Copies the records of a ground from one folder of records to another, but for those that are there; returns how many it has now. */
export function copyRecords(from, to, ground) {
  const [source, target] = [from, to].map((folder) => join(folder, recordsOf(ground)));
  mkdirSync(target, { recursive: true });
  const isRecord = (name) => name.endsWith(".json");
  if (existsSync(source))
    for (const name of readdirSync(source).filter(isRecord))
      if (!existsSync(join(target, name))) copyFileSync(join(source, name), join(target, name));
  return readdirSync(target).filter(isRecord).length;
}
