// False negatives, counted: of the negatives that a rule draws, the share of which the expression truly holds, against how
// hard they are. On scenes truth is known (docs/scenes.md), so nothing here is estimated.
//
//   node evidence/false-negatives.mjs POOL SCENES -o false-negatives.json [--expressions 1500]
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { isMain, load } from "./build.mjs";

/** Shares of the expressions whose own image scores less: where an absolute τ is put. */
const tauQuantiles = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1];
const ratios = [1, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5];
/** In units of the distance between the quartiles of the scores with own images. */
const margins = [0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2];
/** Quantiles of the text-to-text scores of each expression's 100 best candidates: where τₜ is put. */
const textQuantiles = [0.1, 0.25, 0.5, 0.7, 0.85, 0.95];
const ks = [5, 10, 20, 30, 50, 100, 200, 400];

/**
 * Counts for every rule at every strictness and K; also the presets `nemo` and `nemo-reference` as they are.
 * `expressions` training expressions, spread evenly; each draws one mosaic's three negatives.
 */
export async function countFalseNegatives(poolFolder, scenesFolder, { expressions = 1500, mined = "default" } = {}) {
  const { Pool } = await load("pool/index.ts");
  const { Loader } = await load("loader/index.ts");
  const { holds } = await load("scenes/index.ts");
  const { parseSettings } = await load("settings/index.ts");
  const pool = await Pool.open(poolFolder);
  try {
    const scenes = new Map();
    const byName = new Map(pool.images.path.map((path, row) => [basename(path), pool.images.hash[row]]));
    for (const line of (await readFile(`${scenesFolder}/scenes.jsonl`, "utf8")).trim().split("\n")) {
      const { file_name, scene } = JSON.parse(line);
      scenes.set(byName.get(basename(file_name)), scene);
    }
    const known = new Map();
    const isTrue = (text, image) => {
      const key = `${image} ${text}`;
      if (!known.has(key)) known.set(key, holds(text, scenes.get(image)).length > 0);
      return known.get(key);
    };
    const open = (changes, preset = "nemo") =>
      Loader.open(pool, parseSettings({ preset, unit: "expression", mined, ...changes }, "evidence"), { tiles: "off" });
    const measure = async (preset, changes) => {
      const loader = await open({ ...changes, mosaic: { gamma: 1, placement: "uniform" } }, preset);
      try {
        return rateOf(loader, expressions, isTrue);
      } finally {
        await loader.close();
      }
    };
    const scale = await scalesOf(await open({}));
    const points = [];
    for (const { rule, strictness, preset, band } of rulesOf(scale)) {
      for (const k of ks) {
        const found = await measure(preset, { band: { ...band, k } });
        points.push({ rule, strictness, k, ...found });
      }
    }
    const presets = [];
    for (const name of ["random", "nemo-reference", "nemo"]) presets.push({ name, ...(await measure(name, {})) });
    return { format: "nemosaic-evidence-false-negatives", version: 1, expressions, scale, presets, points };
  } finally {
    await pool.close();
  }
}

/** Each rule at each strictness. Rules but the reference's keep our guards; all others of their thresholds are off. */
function rulesOf({ taus, spread, textTaus }) {
  const off = { tau: null, tauImage: null, tauText: null, margin: null, ratio: null };
  const rule = (name, values, band, preset = "nemo") =>
    values.map((strictness) => ({ rule: name, strictness, preset, band: { ...off, ...band(strictness) } }));
  const pairsOf = (name, firsts, seconds, band) =>
    firsts.flatMap((first) =>
      rule(name, seconds, (second) => band(first, second)).map((each) => ({
        ...each,
        strictness: [first, each.strictness],
      })),
    );
  return [
    ...rule("no filter", [0], () => ({})),
    ...rule("reference", taus, (tau) => ({ tau }), "nemo-reference"),
    ...rule("absolute τ", taus, (tau) => ({ tau })),
    ...rule("ratio", ratios, (ratio) => ({ ratio })),
    ...rule("margin", margins, (share) => ({ margin: share * spread })),
    ...(textTaus === undefined
      ? []
      : [
          ...rule("text filter", textTaus, (tauText) => ({ tauText })),
          ...pairsOf("ratio and text", [0.9, 0.7], textTaus, (ratio, tauText) => ({ ratio, tauText })),
          ...pairsOf(
            "τ and text",
            taus.slice(2, -1).filter((_, at) => at % 2 === 0),
            textTaus,
            (tau, tauText) => ({ tau, tauText }),
          ),
        ]),
  ];
}

/** Where thresholds lie on the scale of this model's scores. */
async function scalesOf(loader) {
  try {
    const own = [];
    const texts = [];
    for (const [at, expression] of loader.facts.units.entries()) {
      if (at % 5 !== 0) continue;
      const row = loader.mined.row(expression);
      own.push(loader.mined.own[expression]);
      for (let rank = 0; rank < Math.min(100, row.ids.length); rank += 7) {
        if (row.t2t !== undefined) texts.push(row.t2t[rank]);
      }
    }
    const tauShares = tauQuantiles.map((share) => ({ share, tau: rounded(quantile(own, share)) }));
    return {
      tauShares,
      taus: [...new Set(tauShares.map(({ tau }) => tau))],
      spread: rounded(quantile(own, 0.75) - quantile(own, 0.25)),
      ...(texts.length > 0
        ? { textTaus: [...new Set(textQuantiles.map((share) => rounded(quantile(texts, share))))] }
        : {}),
    };
  } finally {
    await loader.close();
  }
}

/** Risk and difficulty of the negatives drawn; every share counts negatives, not mosaics. */
function rateOf(loader, expressions, isTrue) {
  const all = loader.length;
  const step = Math.max(1, Math.floor(all / expressions));
  let [negatives, wrong, ranks, gaps, mosaics, asked, widened] = [0, 0, 0, 0, 0, 0, 0];
  let [squares, products] = [0, 0];
  for (let index = 0; index < all; index += step) {
    asked++;
    const plan = loader.plan(0, index);
    const others = plan.layers.filter(({ role }) => role === "negative");
    if (others.length === 0) continue;
    mosaics++;
    if (plan.why.policy !== undefined) widened++;
    const row = loader.mined.row(loader.facts.units[index]);
    const own = loader.mined.own[loader.facts.units[index]];
    let wrongHere = 0;
    for (const [at, { image }] of others.entries()) {
      const { rank, t2i } = plan.why.negatives[at];
      // An image below the end of the list counts as its last.
      ranks += rank < 0 ? row.ids.length : rank;
      gaps += own - (t2i ?? row.t2i[row.ids.length - 1]);
      if (isTrue(plan.text, image)) wrongHere++;
    }
    negatives += others.length;
    wrong += wrongHere;
    squares += wrongHere ** 2;
    products += others.length * wrongHere;
  }
  const risk = negatives === 0 ? 0 : wrong / negatives;
  // A ratio estimator over expressions: the negatives of one mosaic are not independent.
  const spread = squares - 2 * risk * products + risk ** 2 * negatives * (negatives / Math.max(1, mosaics));
  return {
    asked,
    mosaics,
    negatives,
    falseNegatives: wrong,
    risk: rounded(risk),
    error: rounded(negatives === 0 ? 0 : (1.96 * Math.sqrt(Math.max(0, spread))) / negatives),
    meanRank: rounded(ranks / Math.max(1, negatives)),
    meanGap: rounded(gaps / Math.max(1, negatives)),
    fellBack: widened,
  };
}

/**
 * The least risk that a rule reaches with negatives at least as hard: the points that no other point of the rule beats in
 * both, by difficulty (`by`: "meanRank" or "meanGap", smaller is harder). Points that fill fewer than nine in ten mosaics
 * do not count.
 */
export function frontOf(points, by) {
  const sorted = points
    .filter(({ mosaics, asked }) => mosaics >= 0.9 * asked)
    .sort((a, b) => a[by] - b[by] || a.risk - b.risk);
  let least = Infinity;
  return sorted.filter(({ risk }) => {
    const isBetter = risk < least;
    least = Math.min(least, risk);
    return isBetter;
  });
}

/** A rule's least risk at this difficulty or harder; undefined where all its points are easier. */
export function riskAt(points, by, difficulty) {
  return frontOf(points, by).findLast((point) => point[by] <= difficulty);
}

function quantile(values, share) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)];
  return low + (sorted[Math.ceil(at)] - low) * (at - Math.floor(at));
}

function rounded(value) {
  return Number(value.toPrecision(5));
}

if (isMain(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { output: { type: "string", short: "o" }, expressions: { type: "string" }, mined: { type: "string" } },
  });
  const [pool, scenes] = positionals;
  const result = await countFalseNegatives(pool, scenes, {
    ...(values.expressions === undefined ? {} : { expressions: Number(values.expressions) }),
    ...(values.mined === undefined ? {} : { mined: values.mined }),
  });
  await writeFile(values.output, `${JSON.stringify(result, undefined, 1)}\n`);
}
