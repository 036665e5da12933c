import type { Command } from "commander";
import { type Recommendation, recommend, type TunePoint, type TuneReport, tune } from "../../analysis/index.ts";
import { grouped, writeFileOnce } from "../../io/index.ts";
import { CounterRandom } from "../../kernels/index.ts";
import { Loader } from "../../loader/index.ts";
import { fail, shown } from "../../model/index.ts";
import { openRiskEstimate } from "../../risk/index.ts";
import { mostNegatives } from "../../settings/index.ts";
import { type ChartPanel, chartPng } from "../../sheets/index.ts";
import { action, integerOption, print, progressOf, readSettings, type SharedOptions, withShared } from "../session.ts";
import { textTable } from "../table.ts";

interface Options extends SharedOptions {
  readonly output?: string;
  readonly sample: number;
  readonly rate: number;
}

export function tuneCommand(program: Command): void {
  withShared(program.command("tune <pool>"))
    .description("how bands change with τ and K, how many negatives are probably false, and which τ to take")
    .option("-o, --output <name>", "write NAME.png and NAME.json")
    .option("--rate <share>", "the share of false negatives that you accept", rateOption, 0.02)
    .option("--sample <n>", "expressions to look at, spread by the seed", integerOption("--sample", 1), 1000)
    .addHelpText("after", "\nExample:\n  nemosaic tune pool --rate 0.01 -o tune")
    .action(action(run));
}

function rateOption(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    fail("usage", `expected a share from 0 to 1 for --rate, got ${shown(text)}`);
  return value;
}

async function run(folder: string, options: Options): Promise<void> {
  const { output, rate } = options;
  const settings = await readSettings(options);
  const loader = await Loader.open(folder, { ...settings, unit: "expression" }, { seed: options.seed });
  try {
    const { mined, pool, facts } = loader;
    if (mined === undefined) fail("incomplete", `"${folder}" has no mined candidates; run "nemosaic mine" first`);
    const rows = sampled(facts.units, options.sample, options.seed);
    const task = progressOf(options).begin("tune", rows.length, "expressions");
    const estimate = await openRiskEstimate(pool);
    const need = mostNegatives(settings);
    const report = tune(mined, estimate, loader.settings, { rows, need, contextOf: facts.bandContext, task });
    task.end();
    const advice = recommend(report, rate, loader.settings.band.k);
    const result = { ...report, recommendation: advice, settings: loader.settings.band };
    if (output !== undefined) {
      const title = `Tuning on ${grouped(report.expressions)} expressions`;
      const png = await chartPng(title, advice.text, panelsOf(report, advice));
      const once = { what: "file", force: options.force };
      await writeFileOnce(`${output}.json`, `${JSON.stringify(result, undefined, 2)}\n`, once);
      await writeFileOnce(`${output}.png`, png, once);
    }
    print(options, result, textOf(report, advice, output));
  } finally {
    await loader.close();
  }
}

function sampled(rows: Int32Array, most: number, seed: number): Int32Array {
  if (rows.length <= most) return rows;
  const chosen = new CounterRandom(seed, 0, 0, 103).sample(rows.length, most);
  return Int32Array.from(chosen, (at) => rows[at] as number).sort();
}

/** Four pictures of the same grid: false negatives and full bands over τ, reuse of images, and the scores. */
function panelsOf(report: TuneReport, advice: Recommendation): ChartPanel[] {
  const ks = [...new Set(report.tau.map(({ k }) => k))];
  const lines = (of: (point: TunePoint) => number | null): ChartPanel["lines"] =>
    ks.map((k) => ({
      label: `K = ${k}`,
      points: report.tau
        .filter((point) => point.k === k && point.value !== null)
        .map((point): [number, number | null] => [point.value ?? 0, of(point)]),
    }));
  const most = (of: (point: TunePoint) => number | null): number =>
    Math.max(...report.tau.map((point) => of(point) ?? 0), 0);
  const marks = [
    ...(report.now.value === null ? [] : [{ x: report.now.value, label: "τ now" }]),
    ...(advice.tau?.value == null ? [] : [{ x: advice.tau.value, label: "advised" }]),
  ];
  const rate = (point: TunePoint): number | null => point.falseNegatives;
  const used = (point: TunePoint): number => point.imagesUsed;
  const shares = report.positives.map((_, at) => at / 20);
  const xLabel = "τ (text-to-image score)";
  return [
    {
      title: "Estimated false negatives in the band",
      xLabel,
      top: most(rate),
      percent: true,
      lines: lines(rate),
      marks,
    },
    {
      title: "Expressions whose band can fill a mosaic",
      xLabel,
      top: 1,
      percent: true,
      lines: lines(({ full }) => full),
      marks,
    },
    { title: "Distinct images used as negatives", xLabel, top: most(used), percent: false, lines: lines(used), marks },
    {
      title: "Scores below which a share lies",
      xLabel,
      top: 1,
      percent: true,
      lines: [
        { label: "own images", points: report.positives.map((score, at) => [score, shares[at] ?? 0]) },
        { label: "candidates", points: report.candidates.map((score, at) => [score, at / 20]) },
      ],
      marks,
    },
  ];
}

function textOf(report: TuneReport, advice: Recommendation, output: string | undefined): string {
  const percent = (share: number | null): string => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);
  const ks = [...new Set(report.tau.map(({ k }) => k))];
  const values = [...new Set(report.tau.map(({ value }) => value))].filter(
    (_, at, all) => at % 2 === 0 || at === all.length - 1,
  );
  const cell = (value: number | null, k: number): string => {
    const point = report.tau.find((one) => one.value === value && one.k === k);
    return point === undefined ? "" : `${percent(point.falseNegatives)} / ${percent(point.full)}`;
  };
  return [
    `estimated false negatives / bands that can fill a mosaic (${report.need} negatives), ${grouped(report.expressions)} expressions`,
    textTable([
      ["τ", ...ks.map((k) => `K = ${k}`)],
      ...values.map((value) => [value === null ? "off" : value.toFixed(3), ...ks.map((k) => cell(value, k))]),
    ]),
    "",
    advice.text,
    ...(output === undefined ? [] : [`wrote "${output}.png" and "${output}.json"`]),
  ].join("\n");
}
