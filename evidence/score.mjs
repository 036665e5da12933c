// Scores with our evaluator: each run on its ground's test, and its gain over the run without augmentation.
import { join } from "node:path";
import { load } from "./build.mjs";
import { emptyBelowFor, evaluationOf, readRecord, truthsOf } from "./records.mjs";
import { testSets } from "./test-sets.mjs";

const usualMetrics = ["oIoU", "mIoU", "P@0.5", "P@0.7"];

/**
 * {runs, gains, pairs}: per run its metrics on all test expressions and on every test set; per arm its gain over `none`, seed by
 * seed and of all seeds together. Together means: the samples of all seeds in one set, drawn by image, so that the interval
 * covers the choice of test images (not that of seeds, whose spread is told beside it). An arm counts with the seeds that it was
 * trained with. Pairs are the same, over the arms that an arm names. `how`: {preset, metrics, breakdowns, tAcc (see
 * `emptyBelowFor`)}, where it is not the usual test.
 */
export async function scoreRuns(out, arms, seeds, profile, ground, how = {}) {
  const { compare, evaluateDefaults, evaluationPreset, withChanges } = await load("evaluate/index.ts");
  const {
    breakdowns = await testSets(join(out, "test"), ground),
    metrics = usualMetrics,
    preset = withChanges(evaluationPreset("cris"), { sentences: "all" }),
    tAcc,
  } = how;
  const options = { ...evaluateDefaults, preset, replicates: profile.bootstrap, breakdowns };
  const truths = await truthsOf(out, ground.test);
  const found = new Map();
  const runs = [];
  for (const arm of arms) {
    for (const seed of seeds) {
      const record = readRecord(join(out, "records"), ground, arm, seed, profile);
      if (record === undefined) continue;
      const test = record.tests[ground.test.predictions];
      const emptyBelowPx = tAcc === undefined ? options.emptyBelowPx : emptyBelowFor(test, truths, tAcc);
      const evaluation = await evaluationOf(test, truths, { ...options, emptyBelowPx });
      found.set(`${arm.name}-${seed}`, evaluation);
      const { steps, trainSeconds, code, torch } = record;
      runs.push({ arm: arm.name, seed, steps, trainSeconds, code, torch, ...evaluationFacts(evaluation, metrics) });
    }
  }
  const gainOver = (base, name) => {
    const trained = seeds.filter((seed) => found.has(`${base}-${seed}`) && found.has(`${name}-${seed}`));
    if (trained.length === 0) return [];
    const pairs = trained.map((seed) => [found.get(`${base}-${seed}`), found.get(`${name}-${seed}`)]);
    const bySeed = pairs.map(([a, b], at) => ({
      seed: trained[at],
      ...comparisonFacts(compare(a, b, options, breakdowns), metrics),
    }));
    const together = compare(joined(pairs.map(([a]) => a)), joined(pairs.map(([, b]) => b)), options, breakdowns);
    return [{ arm: name, together: comparisonFacts(together, metrics), bySeed }];
  };
  const gains = arms.flatMap(({ name }) => (name === "none" ? [] : gainOver("none", name)));
  const pairs = arms.flatMap(({ name, over = [] }) =>
    over.flatMap((base) => gainOver(base, name).map((gain) => ({ over: base, ...gain }))),
  );
  return { runs, gains, pairs };
}

/** The samples of several runs as one evaluation: keys tell the runs apart, images stay what is drawn. */
function joined(evaluations) {
  const samples = evaluations.flatMap((evaluation, at) =>
    evaluation.samples.map((sample) => ({ ...sample, truth: { ...sample.truth, key: `${sample.truth.key}#${at}` } })),
  );
  return { ...evaluations[0], samples };
}

function evaluationFacts({ metrics: whole, breakdowns, samples }, metrics) {
  const sets = breakdowns.flatMap(({ name, bins }) =>
    bins.map((bin) => ({
      by: name,
      label: bin.label,
      samples: bin.samples,
      metrics: estimatesOf(bin.metrics, metrics),
    })),
  );
  return { samples: samples.length, metrics: estimatesOf(whole, metrics), sets };
}

function comparisonFacts({ samples, images, gains, breakdowns }, metrics) {
  const sets = breakdowns.flatMap(({ name, bins }) =>
    bins.map((bin) => ({ by: name, label: bin.label, samples: bin.samples, gains: gainsOf(bin.gains, metrics) })),
  );
  return { samples, images, gains: gainsOf(gains, metrics), sets };
}

function estimatesOf(all, metrics) {
  return Object.fromEntries(
    metrics.map((name) => [name, [all[name].value, all[name].low, all[name].high].map(percent)]),
  );
}

function gainsOf(all, metrics) {
  return Object.fromEntries(
    metrics.map((name) => [name, [all[name].gain, all[name].low, all[name].high].map(percent)]),
  );
}

/** Shares as per cent with two decimals: what a table can show; null where there is no interval, being of too few images. */
function percent(share) {
  return share === null ? null : Math.round(share * 10000) / 100;
}
