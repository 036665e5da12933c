import type { Command } from "commander";
import {
  type Recommendation,
  recommend,
  type TunedRule,
  type TunePoint,
  type TuneReport,
  tune,
  tunedRules,
} from "../../analysis/index.ts";
import { formatCount, formatNumber, writeFileOnce } from "../../io/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { type Difficulty, Loader, measureDifficulty, summariseFalseSentences } from "../../loader/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import { openRiskEstimate } from "../../risk/index.ts";
import { mostNegatives } from "../../settings/index.ts";
import { type ChartPanel, chartPng } from "../../sheets/index.ts";
import { difficultyTable, falseSentenceRows } from "../difficulty-text.ts";
import { action, integerOption, print, progressOf, readSettings, type SharedOptions, withShared } from "../session.ts";
import { textTable } from "../table.ts";
import { readSettingsTree, writeBandSettings } from "../write-settings.ts";

interface Options extends SharedOptions {
  readonly output?: string;
  readonly write?: string;
  readonly sample: number;
  readonly rate: number;
}

export function tuneCommand(program: Command): void {
  withShared(program.command("tune <pool>"))
    .description(
      "compare every rule at several K: how hard its negatives are, how many are probably false, and which rule to take",
    )
    .option("-o, --output <name>", "write NAME.png and NAME.json")
    .option("--rate <share>", "the share of false negatives that you accept", rateOption, 0.03)
    .option("--write <file>", "put the advice into this settings file, and keep what else it holds")
    .option("--sample <n>", "expressions to look at, spread evenly by the seed", integerOption("--sample", 1), 1000)
    .addHelpText("after", "\nExample:\n  nemosaic tune pool --rate 0.01 -o tune --write nemosaic.json")
    .action(action(run));
}

function rateOption(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    fail("usage", `expected a share from 0 to 1 for --rate, got ${quoteValue(text)}`);
  return value;
}

async function run(folder: string, options: Options): Promise<void> {
  const { output, rate, write } = options;
  const before = write === undefined ? undefined : await readSettingsTree(write);
  const settings = await readSettings(options);
  const loader = await Loader.open(folder, { ...settings, unit: "expression" }, { seed: options.seed });
  try {
    const { mined, pool, facts } = loader;
    if (mined === undefined) fail("incomplete", `"${folder}" has no mined candidates; run "nemosaic mine" first`);
    const rows = sampleRows(facts.units, options.sample, options.seed);
    const task = progressOf(options).begin("tune", rows.length, "expressions");
    const estimate = await openRiskEstimate(pool);
    const need = mostNegatives(settings);
    const report = tune(mined, estimate, loader.settings, { rows, need, contextOf: facts.bandContext, task });
    task.end();
    const { k, prefer } = loader.settings.band;
    const advice = recommend(report, rate, k, prefer);
    const difficulty = measureDifficulty(loader);
    const epoch = new CounterRandom(options.seed, 0, 0, 104).sample(loader.length, Math.min(loader.length, 2000));
    const sentences = await summariseFalseSentences(loader, 0, epoch);
    const result = {
      ...report,
      ...(sentences === undefined ? {} : { sentences }),
      difficulty,
      recommendation: advice,
      settings: loader.settings.band,
    };
    if (output !== undefined) {
      const title = `Tuning on ${formatCount(report.expressions, "expression")}`;
      const png = await chartPng(title, advice.text, panelsOf(report, advice, k));
      const once = { what: "file", force: options.force };
      await writeFileOnce(`${output}.json`, `${JSON.stringify(result, undefined, 2)}\n`, once);
      await writeFileOnce(`${output}.png`, png, once);
    }
    const written =
      write === undefined ? undefined : await writeBandSettings(write, before, advice.band, options.force);
    const notes = [
      ...(sentences === undefined ? [] : [textTable(falseSentenceRows(sentences))]),
      ...(output === undefined ? [] : [`wrote "${output}.png" and "${output}.json"`]),
      ...(written === undefined ? [] : [written]),
    ];
    print(options, result, [textOf(report, advice, difficulty), ...notes].join("\n"));
  } finally {
    await loader.close();
  }
}

function sampleRows(rows: Int32Array, most: number, seed: number): Int32Array {
  if (rows.length <= most) return rows;
  const chosen = new CounterRandom(seed, 0, 0, 103).sample(rows.length, most);
  return Int32Array.from(chosen, (at) => rows[at]!).sort();
}

const symbols: Readonly<Record<TunedRule | "now", string>> = {
  risk: "risk",
  tau: "τ",
  margin: "margin",
  ratio: "ratio",
  none: "guards alone",
  now: "your settings",
};

/** Every rule's trade at one K: what it costs in false negatives against what it gives; and the scores. */
function panelsOf(report: TuneReport, { best, rate }: Recommendation, wantedK: number): ChartPanel[] {
  const k = Math.min(wantedK, Math.max(1, report.depth));
  const lines = (of: (point: TunePoint) => number | null): ChartPanel["lines"] =>
    tunedRules
      .filter((rule) => rule !== "none")
      .map((rule) => ({
        label: symbols[rule],
        points: report.points
          .filter((point) => point.rule === rule && point.k === k)
          .flatMap((point): [number, number | null][] =>
            point.falseNegatives === null ? [] : [[point.falseNegatives, of(point)]],
          )
          .sort(([a], [b]) => a - b),
      }));
  const largest = (drawn: ChartPanel["lines"]): number =>
    Math.max(0, ...drawn.flatMap(({ points }) => points.map(([, y]) => y ?? 0)));
  const marks = [
    { x: rate, label: "accepted" },
    ...(best?.falseNegatives == null ? [] : [{ x: best.falseNegatives, label: "advised" }]),
  ];
  const shares = report.positives.map((_, at) => at / 20);
  const over = { xLabel: `estimated false negatives in the band, K = ${k}`, xPercent: true, marks };
  const hard = lines((point) => point.hard);
  const used = lines((point) => point.imagesUsed);
  return [
    { ...over, title: "Hard negatives: show the kind, are not true", top: largest(hard), percent: true, lines: hard },
    {
      ...over,
      title: "Expressions whose band can fill a mosaic",
      top: 1,
      percent: true,
      lines: lines(({ full }) => full),
    },
    { ...over, title: "Distinct images used as negatives", top: largest(used), percent: false, lines: used },
    {
      title: "Cumulative share of scores",
      xLabel: "text-to-image score",
      top: 1,
      percent: true,
      lines: [
        { label: "own images", points: report.positives.map((score, at) => [score, shares[at] ?? 0]) },
        { label: "candidates", points: report.candidates.map((score, at) => [score, at / 20]) },
      ],
      marks: [],
    },
  ];
}

function textOf(report: TuneReport, advice: Recommendation, difficulty: Difficulty | undefined): string {
  const { expressions, need, now, points } = report;
  const ks = [...new Set(points.map(({ k }) => k))];
  const best = advice.best ?? now;
  const k = ks.includes(best.k) ? best.k : (ks.at(-1) ?? best.k);
  const atK = points.filter((point) => point.k === k);
  // Of the other rules the hardest that keeps to the rate; where none does, the one with the fewest false negatives.
  const kept = (rule: TunedRule): TunePoint[] => {
    const ascending = atK
      .filter((point) => point.rule === rule && point.falseNegatives !== null)
      .sort((a, b) => (a.falseNegatives ?? 0) - (b.falseNegatives ?? 0));
    const chosen = advice.byRule[rule] ?? ascending[0];
    return chosen === undefined ? [] : [chosen];
  };
  const rows = [
    now,
    ...atK.filter(({ rule }) => rule === "risk"),
    ...(["tau", "margin", "ratio", "none"] as const).flatMap(kept),
  ];
  const overK = points.filter(({ rule, value }) => rule === best.rule && value === best.value);
  return [
    `${formatCount(expressions, "expression")}, mosaics of ${need} negatives; bands under the settings as they are:`,
    ...(difficulty === undefined ? [] : [textTable(difficultyTable(difficulty)), `rule: ${difficulty.rule}`]),
    "",
    `each rule alone at K = ${k}; of τ, margin and ratio the best limit for the rate asked for`,
    textTable([["rule", ...columns], ...rows.map((point) => [nameOf(point), ...cellsOf(point)])]),
    "",
    ...(overK.length < 2
      ? []
      : [
          `${nameOf(best)} over K (lists hold ${formatCount(report.depth, "candidate")})`,
          textTable([["K", ...columns], ...overK.map((point) => [String(point.k), ...cellsOf(point)])]),
          "",
        ]),
    advice.text,
  ].join("\n");
}

const columns = ["estimated true", "hard", "bands full", "mean score", "images used"];

function nameOf({ rule, value }: TunePoint): string {
  return value === null || rule === "now" ? symbols[rule] : `${symbols[rule]} ${value}`;
}

function cellsOf({ falseNegatives, hard, full, meanScore, imagesUsed }: TunePoint): string[] {
  const percent = (share: number | null): string => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);
  const score = meanScore === null ? "–" : meanScore.toFixed(3);
  return [percent(falseNegatives), percent(hard), percent(full), score, formatNumber(imagesUsed)];
}
