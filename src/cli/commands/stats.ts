import type { Command } from "commander";
import { type BandSummary, type PoolSummary, summariseBands, summarisePool } from "../../analysis/index.ts";
import { dropRules, dropRuleTexts } from "../../band/index.ts";
import { formatCount, formatNumber } from "../../io/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { languageRemark } from "../../language/index.ts";
import {
  countPlans,
  type Difficulty,
  difficultyWarnings,
  type FalseSentenceSummary,
  Loader,
  measureDifficulty,
  type PlanCounts,
  splitsOf,
  summariseFalseSentences,
} from "../../loader/index.ts";
import { chooseMined, Mined, Pool, suggestNames } from "../../pool/index.ts";
import { mostNegatives, type ResolvedSettings, type Settings } from "../../settings/index.ts";
import { difficultyTable, falseSentenceRows } from "../difficulty-text.ts";
import {
  action,
  integerOption,
  print,
  progressOf,
  readSettings,
  remark,
  type SharedOptions,
  warn,
  withShared,
} from "../session.ts";
import { textTable } from "../table.ts";

interface Options extends SharedOptions {
  readonly split?: string;
  readonly sample: number;
}

export function statsCommand(program: Command): void {
  withShared(program.command("stats <pool>"), { force: false })
    .description("show what a pool holds, and its bands under the present settings")
    .option("--split <name>", "split whose bands are looked at (default: train, else the largest)")
    .option(
      "--sample <n>",
      "look at the bands of at most this many expressions, spread evenly by the seed",
      integerOption("--sample", 1),
      20_000,
    )
    .addHelpText("after", "\nExample:\n  nemosaic stats pool --set band.k=50")
    .action(
      action(async (folder: string, options: Options) => {
        const pool = await Pool.open(folder);
        try {
          const summary = summarisePool(pool);
          const bands = await bandsOf(pool, await readSettings(options), options);
          print(
            options,
            {
              pool: summary,
              band: bands?.summary ?? null,
              plans: bands?.plans ?? null,
              difficulty: bands?.difficulty ?? null,
              ...(bands?.sentences === undefined ? {} : { sentences: bands.sentences }),
              settings: bands?.settings.band ?? null,
            },
            statsText(summary, bands, await suggestNames(folder)),
          );
          const language = languageRemark(pool.expressions.sent);
          if (language !== undefined) remark(options, language);
          for (const warning of bands?.difficulty === undefined ? [] : difficultyWarnings(bands.difficulty))
            warn(warning);
        } finally {
          await pool.close();
        }
      }),
    );
}

interface Bands {
  readonly summary: BandSummary;
  /** Of the first epoch; absent where the split is not augmented. */
  readonly plans?: PlanCounts;
  /** Where samples have sentences that are true of nothing. */
  readonly sentences?: FalseSentenceSummary;
  readonly settings: ResolvedSettings;
  readonly split: string;
  /** Of the first epoch, beside chance. */
  readonly difficulty?: Difficulty;
}

async function bandsOf(pool: Pool, asked: Settings, options: Options): Promise<Bands | undefined> {
  const settings = { ...asked, mined: await chooseMined(pool.folder, asked.mined) };
  if (settings.mined !== asked.mined) remark(options, `looking at mined/${settings.mined}, the only one of this pool`);
  const known = await Mined.open(pool.folder, settings.mined, pool.manifest.hash);
  await known?.close();
  if (known === undefined) return undefined;
  const splits = splitsOf(pool);
  const split = options.split ?? (splits.includes("train") ? "train" : (splits[0] ?? "train"));
  // As training sees it: the loader resolves "auto" thresholds and knows the judgements.
  const loader = await Loader.open(pool, settings, { split, seed: options.seed });
  try {
    const mined = loader.mined;
    if (mined === undefined) return undefined;
    const rows = expressionsOfEpoch(loader, options.sample, options.seed);
    const task = progressOf(options).begin("bands", rows.length, "expressions");
    const need = mostNegatives(settings);
    const summary = summariseBands(pool, mined, loader.settings, {
      rows,
      need,
      contextOf: loader.facts.bandContext,
      task,
    });
    task.end();
    const difficulty = measureDifficulty(loader, { most: 2000 });
    if (!loader.augmented) return { summary, settings: loader.settings, split };
    const indices = new CounterRandom(options.seed, 0, 0, 104).sample(
      loader.length,
      Math.min(loader.length, plansCounted),
    );
    const plans = countPlans(loader, 0, indices);
    const sentences = await summariseFalseSentences(loader, 0, indices);
    return {
      summary,
      plans,
      settings: loader.settings,
      split,
      ...(sentences === undefined ? {} : { sentences }),
      ...(difficulty === undefined ? {} : { difficulty }),
    };
  } finally {
    await loader.close();
  }
}

/** The sentences that epoch 0 trains on: one drawn for each ref, or all, as the settings' unit has it. */
function expressionsOfEpoch(loader: Loader, most: number, seed: number): Int32Array {
  const { facts, pool } = loader;
  if (facts.unit === "expression") return sampleRows(facts.units, most, seed);
  const indices = sampleRows(
    facts.units.map((_, index) => index),
    most,
    seed,
  );
  return indices.map((index) => pool.expressionRow(loader.plan(0, index).expression));
}

/** Enough to see a policy that decides one sample in a hundred. */
const plansCounted = 5000;

function sampleRows(rows: Int32Array, most: number, seed: number): Int32Array {
  if (rows.length <= most) return rows;
  const chosen = new CounterRandom(seed, 0, 0, 102).sample(rows.length, most);
  return Int32Array.from(chosen, (at) => rows[at]!).sort();
}

/** The lines of a band summary for people: label and value. */
export function bandLines(bands: BandSummary, settings: ResolvedSettings): [label: string, value: string][] {
  const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
  const threshold = (value: number | null): string => (value === null ? "off" : value.toFixed(4));
  return [
    ["risk, at most", settings.band.risk === null ? "off" : `${Number((100 * settings.band.risk).toPrecision(3))} %`],
    ["first in the band", settings.band.prefer],
    ["τ (text-to-image)", threshold(settings.band.tau)],
    ["τᵢ (image-to-image)", threshold(settings.band.tauImage)],
    ["K", formatNumber(settings.band.k)],
    ["expressions in this sample", formatNumber(bands.expressions)],
    ["band can fill a mosaic", `${formatNumber(bands.full)} (${percent(bands.full, bands.expressions)})`],
    ["band size, min · quartiles · max", bands.bandSize.join(" · ")],
    ["bands that a deeper list could fill", formatNumber(bands.mineDeeper)],
    [
      "mean score: own image / band",
      `${bands.meanOwn.toFixed(3)} / ${bands.inBand === 0 ? "–" : bands.meanBand.toFixed(3)}`,
    ],
    [
      "images used as negatives",
      bands.imagesUsed === 0
        ? "none"
        : `${formatNumber(bands.imagesUsed)}; the top 1 % take ${(100 * bands.topPercentShare).toFixed(1)} % of the places in bands`,
    ],
    ["candidates in the band", formatNumber(bands.inBand)],
    ...dropRules
      .filter((rule) => bands.drops[rule] > 0)
      .map((rule): [string, string] => [
        `dropped by ${rule}`,
        `${formatNumber(bands.drops[rule])}, ${percent(bands.drops[rule], bands.candidates)}  (${dropRuleTexts[rule]})`,
      ]),
  ];
}

function planLines(plans: PlanCounts | undefined): [label: string, value: string][] {
  if (plans === undefined) return [];
  const said = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${formatNumber(count)}`)
      .join(", ") || "none";
  const stop = plans.stopped > 0 ? `; ${formatNumber(plans.stopped)} would stop the run` : "";
  return [
    [`${formatCount(plans.plans, "sample")} of epoch 0`, `${said(plans.kinds)}${stop}`],
    ["not possible as drawn, by why.policy", said(plans.policies)],
  ];
}

function statsText(pool: PoolSummary, bands: Bands | undefined, instead: string): string {
  const head = [
    `${formatCount(pool.images, "image")}, ${formatCount(pool.annotations, "annotation")}, ${formatCount(pool.refs, "ref")} ` +
      `(${formatNumber(pool.multiTarget)} multi-target, ${formatNumber(pool.noTarget)} no-target), ${formatCount(pool.expressions, "expression")} of ${pool.meanWords.toFixed(1)} words`,
    "",
    textTable([
      ["source", "split", "images", "refs", "expressions"],
      ...pool.splits.map((row) => [
        row.source,
        row.split,
        formatNumber(row.images),
        formatNumber(row.refs),
        formatNumber(row.expressions),
      ]),
    ]),
    "",
  ];
  if (bands === undefined)
    return [
      ...head,
      instead === ""
        ? 'no mined candidates yet: run "nemosaic embed" and "nemosaic mine"'
        : `no candidates of that name${instead}`,
    ].join("\n");
  return [
    ...head,
    `band of split ${bands.split}:`,
    ...(bands.difficulty === undefined
      ? []
      : [
          textTable(difficultyTable(bands.difficulty).map((row) => ["  ", ...row])),
          "",
          `  rule: ${bands.difficulty.rule}`,
          "",
        ]),
    textTable(
      [
        ...bandLines(bands.summary, bands.settings),
        ...planLines(bands.plans),
        ...(bands.sentences === undefined ? [] : falseSentenceRows(bands.sentences)),
      ].map((row) => ["  ", ...row]),
    ),
  ].join("\n");
}
