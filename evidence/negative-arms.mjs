// The arms that train on sentences that are true of nothing, their tests and their tables: npm run evidence -- --arms negatives.
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "./build.mjs";
import { falseKinds, hasFalseSet, kindOf, writeFalseSet } from "./false-set.mjs";
import { coreArms } from "./profiles.mjs";
import { json } from "./report.mjs";
import { scoreRuns } from "./score.mjs";
import { mineSentences, nemosaic, once, writeWhole } from "./steps.mjs";
import { gainText, mean, number, table, two, wrapPage } from "./tables.mjs";

/** The share of training samples without a target, the same in every arm but `none` as far as a ground allows (`withEqualShares`). */
export const falseShare = 0.2;

const sentenceArm = (name, title, source, over) => ({
  name,
  title,
  augment: "none",
  settings: { gres: { negativeSentence: falseShare, negativeSource: source } },
  over,
});

/** All but `none` have as many samples without a target; they differ in where these come from. */
export const negativeArms = [
  coreArms[0],
  {
    name: "n-left-out",
    title: "true sentences, mosaics that leave their image out",
    augment: "random",
    settings: { mosaic: { gamma: falseShare }, gres: { makeNoTarget: 1 } },
    over: ["n-random"],
  },
  sentenceArm("n-random", "random swap", "random", []),
  sentenceArm("n-mined", "mined", "mined", ["n-random"]),
  sentenceArm("n-edited", "edited", "edited", ["n-random"]),
  sentenceArm("n-both", "mined and edited", "mined+edited", ["n-random"]),
];

/**
 * The arms with the share of samples without a target that each draws of a ground (`drawn`): where not every sentence can be made false, more
 * are asked for.
 */
export async function withEqualShares(out, ground, arms) {
  const { Pool } = await load("pool/index.ts");
  const { Loader } = await load("loader/index.ts");
  const { parseSettings } = await load("settings/index.ts");
  const pool = await Pool.open(join(out, ground.pool));
  const shareOf = async ({ augment }, settings) => {
    const asked = { preset: augment, ...settings, tokens: { kind: "none" } };
    const loader = await Loader.open(pool, parseSettings(asked, "evidence"), { tiles: "off" });
    try {
      const planned = Math.min(3000, loader.length);
      const kinds = Array.from({ length: planned }, (_, index) => loader.plan(0, index).kind);
      return kinds.filter((kind) => kind === "no-target").length / planned;
    } finally {
      await loader.close();
    }
  };
  const withShare = ({ settings }, negativeSentence) => ({ ...settings, gres: { ...settings.gres, negativeSentence } });
  const equal = [];
  try {
    for (const arm of arms) {
      let { settings } = arm;
      if (settings.gres?.negativeSentence !== undefined) {
        const possible = await shareOf(arm, withShare(arm, 1));
        settings = withShare(arm, Math.min(1, Math.round((1000 * falseShare) / Math.max(falseShare, possible)) / 1000));
      }
      equal.push({ ...arm, settings, drawn: await shareOf(arm, settings) });
    }
  } finally {
    await pool.close();
  }
  return equal;
}

/** What the arms of a ground are tested on beside its usual test: {pool, split, predictions, title}. */
export function falseTests(ground) {
  const own = {
    pool: `pool-false-${ground.name}`,
    split: ground.test.split,
    predictions: "false",
    title: "false sentences",
  };
  if (ground.source !== undefined) return [own];
  // Scenes have refs with several targets and with none too.
  return [own, { pool: "pool-gres", split: "val", predictions: "gres", title: "several targets and none" }];
}

/** Ranks sentences for images, and makes the test sets. */
export async function prepareNegatives(out, profile, model, ground) {
  await mineSentences(out, profile, ground);
  await once(out, `false-${ground.name}`, async () => {
    const { pool, split } = ground.test;
    const isScenes = ground.source === undefined;
    if (isScenes) {
      await nemosaic(out, ["embed", pool, "--model", model]);
      await nemosaic(out, ["mine", pool, "--depth", profile.depth, "--candidates", split, "--sentences"]);
    }
    const { refer, images, truth } = isScenes
      ? { refer: join(out, "test", "refer", "scenes"), images: join(out, "test", "images"), truth: join(out, "test") }
      : { ...ground.source, truth: ground.truth };
    const folder = join(out, `false-${ground.name}`);
    if (!hasFalseSet(folder)) await writeFalseSet(join(out, pool), refer, { split, truth, folder });
    for (const test of falseTests(ground)) {
      const from = test.predictions === "gres" ? join(out, "test-gres", "grefs", "scenes") : folder;
      if (test.predictions === "gres") await drawGeneral(out, profile);
      const where = test.predictions === "gres" ? join(out, "test-gres", "images") : images;
      await nemosaic(out, ["import", "grefcoco", from, "--images", where, "--pool", test.pool, "--force"]);
    }
  });
}

/** Scenes with multi-target and no-target refs, of a seed that nothing else has. */
async function drawGeneral(out, profile) {
  const words = ["--count", profile.scenes.test, "--seed", 905, "--splits", "val=1", "--quality", 80];
  if (!existsSync(join(out, "test-gres", "scenes.json")))
    await nemosaic(out, ["scenes", "test-gres", ...words, "--multi-target", 0.5, "--without-target", 0.5]);
}

const metrics = ["N-acc", "T-acc", "gIoU", "cIoU"];

/** At this T-acc arms are compared, too: one that calls everything "no target" would be ahead otherwise. */
const equalTAcc = 0.95;

/** Runs and gains on each test: as ReLA's evaluator counts, at the pictures' own sizes; an empty mask (under 50 pixels) says "no target". */
export async function scoreNegatives(out, arms, seeds, profile, ground) {
  const { evaluationPreset, withChanges } = await load("evaluate/index.ts");
  const preset = withChanges(evaluationPreset("rela"), { size: "original" });
  const kinds = {
    name: "false",
    title: "What the sentence is",
    bins: falseKinds.map(({ name }) => name),
    // score.mjs tells runs apart by what it appends to keys.
    binOf: ({ truth }) => kindOf(truth.key.split("#")[0]),
  };
  const tests = [];
  for (const test of falseTests(ground)) {
    const breakdowns = test.predictions === "false" ? [kinds] : [];
    const how = { preset, metrics, breakdowns };
    const scored = await scoreRuns(out, arms, seeds, profile, { ...ground, test }, how);
    const equal = await scoreRuns(out, arms, seeds, profile, { ...ground, test }, { ...how, tAcc: equalTAcc });
    tests.push({ ...test, ...scored, atEqualTAcc: { tAcc: equalTAcc, runs: equal.runs, pairs: equal.pairs } });
  }
  const counts = JSON.parse(readFileSync(join(out, `false-${ground.name}`, "counts.json"), "utf8"));
  return { tests, falseCounts: counts };
}

/** Writes a ground's results and renews the page of all grounds; returns the page's path. */
export function writeNegatives(docs, results) {
  const folder = join(docs, "evidence");
  mkdirSync(folder, { recursive: true });
  writeWhole(join(folder, `negatives-${results.ground.name}.json`), json(results));
  const found = readdirSync(folder)
    .filter((name) => /^negatives-\w+\.json$/.test(name))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  const path = join(folder, "negatives.md");
  writeWhole(path, negativeTables(found));
  return path;
}

/** The page of tables. */
export function negativeTables(grounds) {
  const head = `# Training with false sentences

Generated by \`npm run evidence -- --arms negatives\`. All arms but \`none\` are to have ${Math.round(100 * falseShare)} % of samples without a target. ${[
    'A mask of fewer than 50 pixels counts as "no target".',
    "N-acc: of false sentences, T-acc: of true ones, the share that is told right; gIoU, cIoU as in GRES.",
    `N-acc at T-acc ${100 * equalTAcc} %: with the limit of pixels, of each run, at which so many true sentences are told right.`,
    "Gains are in points, with 95 % intervals of a paired bootstrap over test images, all seeds together; a star where the interval leaves 0 out.",
  ].join(" ")}
`;
  return wrapPage([head, ...grounds.map(groundTables)].join("\n"));
}

function groundTables(results) {
  const { ground, falseCounts, tests, arms, profile, seeds } = results;
  const counts = falseKinds.map(({ name, title }) => `${number(falseCounts[name])} ${title}`).join("; ");
  const parts = [
    `## ${ground.title}\n`,
    `- ${ground.about[0].toUpperCase()}${ground.about.slice(1)}.`,
    `- False test: ${counts}; ${number(falseCounts.trueAfterAll)} left out, being true by the ground's truth.`,
    `- Samples without a target: ${arms.map(({ title, drawn }) => `${title} ${(100 * drawn).toFixed(1)} %`).join("; ")}.`,
    `- Each run: ${number(profile.steps)} steps of ${profile.batchSize} samples of ${profile.size} × ${profile.size}, seeds ${seeds.join(", ")}.`,
  ];
  for (const test of tests) {
    const kinds =
      test.predictions === "false" ? falseKinds.map(({ name }) => name).filter((name) => name !== "true") : [];
    const ofFalse = [{ metric: "N-acc" }, ...kinds.map((kind) => ({ metric: "N-acc", kind }))];
    const ofTrue = kinds.length > 0 ? [{ title: "mIoU of true ones", metric: "gIoU", kind: "true" }] : [];
    const others = metrics.slice(1).map((metric) => ({ metric }));
    parts.push(`\n### On ${test.title}\n`, ...pairOfTables(arms, test, [...ofFalse, ...others, ...ofTrue]));
    const { atEqualTAcc: equal } = test;
    parts.push(`\nAt T-acc ${100 * equal.tAcc} %:\n`, ...pairOfTables(arms, equal, ofFalse));
  }
  return `${parts.join("\n")}\n`;
}

/** What each arm comes to, a mean over its seeds, and what it gains over others. Columns: {metric, kind? (of sentences), title?}. */
function pairOfTables(arms, { runs, pairs }, columns) {
  const titleOf = (name) => arms.find((arm) => arm.name === name)?.title ?? name;
  const titles = columns.map(
    ({ metric, kind, title }) => title ?? (kind === undefined ? metric : `${metric}: ${kind}`),
  );
  const found = (all, sets, from, { metric, kind }) =>
    kind === undefined ? all[metric] : sets.find((set) => set.by === "false" && set.label === kind)?.[from][metric];
  const rows = arms.map(({ name, title }) => {
    const own = runs.filter(({ arm }) => arm === name);
    const values = columns.map((column) =>
      own.map(({ metrics, sets }) => found(metrics, sets, "metrics", column)?.[0]),
    );
    return [title, String(own.length), ...values.map((each) => two(mean(each)))];
  });
  const gains = pairs.map(({ arm, over, together }) => [
    titleOf(arm),
    titleOf(over),
    ...columns.map((column) => gainText(found(together.gains, together.sets, "gains", column))),
  ]);
  const first = table(["arm", "seeds", ...titles], rows);
  return gains.length === 0 ? [first] : [first, `\n${table(["arm", "over", ...titles], gains)}`];
}
