import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { summariseBands } from "../../analysis/index.ts";
import { limitsText } from "../../band/index.ts";
import { duration, formatCount, formatNumber, writeFileAtomic } from "../../io/index.ts";
import { Loader } from "../../loader/index.ts";
import { fail } from "../../model/index.ts";
import { Pool } from "../../pool/index.ts";
import { writeScenes } from "../../scenes/index.ts";
import { mostNegatives } from "../../settings/index.ts";
import { contactEntries, contactHtml, contactPng, type SummaryLine } from "../../sheets/index.ts";
import { embed, importDataset, mine } from "../../steps/index.ts";
import {
  action,
  listenerOf,
  print,
  progressOf,
  readSettings,
  remark,
  type SharedOptions,
  withShared,
} from "../session.ts";
import { textTable } from "../table.ts";
import { hubOf } from "./embed.ts";
import { bandLines } from "./stats.ts";

interface Options extends SharedOptions {
  readonly refer?: string;
  readonly format: string;
  readonly images?: string;
  readonly dataset?: string;
  readonly splitBy?: string;
  readonly model?: string;
  readonly output: string;
  readonly offline: boolean;
}

export function demoCommand(program: Command): void {
  withShared(program.command("demo"))
    .description("run every step once: import, embed, mine, draw mosaics, and write a page to look at")
    .option("--refer <folder>", "your dataset (default: the embedded scenes)")
    .option("--format <name>", "its format", "auto")
    .option("--images <folder>", "its images")
    .option("--dataset <name>", "which dataset, if the folder holds several")
    .option("--split-by <name>", "which split file")
    .option("--model <id|folder>", "image-text model (see embed --help)")
    .option("--offline", "never touch the network", false)
    .option("-o, --output <folder>", "where everything goes", "demo-out")
    .addHelpText(
      "after",
      "\nExamples:\n  npm run demo\n  npm run demo -- --refer data/refcoco --images data/train2014 --model Xenova/clip-vit-base-patch32",
    )
    .action(action(runDemo));
}

type Note = (step: string, what: string, reused: boolean) => void;

async function runDemo(options: Options): Promise<void> {
  const started = performance.now();
  const steps: string[][] = [];
  const note: Note = (step, what, reused) => {
    steps.push([step, what, reused ? "reused" : "made"]);
    remark(options, `${step}: ${what}${reused ? " (reused)" : ""}`);
  };

  const own = options.refer;
  const given = own === undefined ? await drawScenes(options, note) : { refer: own, images: options.images };
  const poolFolder = join(options.output, own === undefined ? "pool" : `pool-${basename(resolve(own))}`);
  const { format, dataset, splitBy, force } = options;
  const places = { source: given.refer, images: given.images, dataset, splitBy };
  const listener = listenerOf(options);
  const imported = await importDataset(poolFolder, { format, ...places, onBad: "skip", force }, listener);
  const { counts, skipped } = imported.source;
  const left = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  note(
    "import",
    `${formatCount(counts.images, "image")}, ${formatCount(counts.refs, "ref")}, ${formatCount(counts.expressions, "expression")}${left > 0 ? `, ${formatCount(left, "record")} left out` : ""}`,
    imported.reused,
  );

  const pool = await Pool.open(poolFolder);
  try {
    // The embedded sample must not start a download: the package brings a model for it.
    const model = options.model ?? (own === undefined ? "scene-clip" : "clip");
    const embedded = await embed(pool, { model, onBad: "skip", force, hub: hubOf(options) }, listener);
    note(
      "embed",
      `${embedded.model}, ${formatCount(pool.images.count, "image")}, ${formatCount(pool.expressions.count, "expression")}`,
      embedded.reused,
    );
    const { name } = embedded;
    const mined = await mine(pool, { name, embeddings: name, force }, listener);
    note(
      "mine",
      `${formatCount(mined.manifest.expressions, "expression")} × ${formatCount(mined.manifest.depth, "candidate")}`,
      mined.reused,
    );

    const sets = own === undefined ? [...sampleSets, ...options.set] : options.set;
    const settings = { ...(await readSettings({ ...options, set: sets })), mined: embedded.name };
    const loader = await Loader.open(pool, settings, { seed: options.seed });
    try {
      await showResult(loader, options, steps, started);
    } finally {
      await loader.close();
    }
  } finally {
    await pool.close();
  }
}

/**
 * Settings for the embedded sample. It has 240 candidates: the default K would reach into images that have nothing to do
 * with the text.
 */
const sampleSets = ["band.k=20"];

/** How many scenes the embedded sample has: enough for bands that differ, drawn in seconds. */
const sceneCount = 300;

async function drawScenes(options: Options, note: Note): Promise<{ refer: string; images: string }> {
  const folder = join(options.output, "scenes");
  const { isReused, manifest } = await writeScenes(
    folder,
    { count: sceneCount, seed: 0, force: options.force },
    progressOf(options),
  );
  note("scenes", `${formatNumber(manifest.settings.count)} scenes drawn by this machine`, isReused);
  return { refer: join(folder, "refer", "scenes"), images: join(folder, "images") };
}

async function showResult(loader: Loader, options: Options, steps: string[][], started: number): Promise<void> {
  const mined = loader.mined ?? fail("internal", "nothing was mined");
  const { pool, settings } = loader;
  const rows = trainExpressions(loader);
  const need = mostNegatives(settings);
  const bands = summariseBands(pool, mined, settings, { rows, need, contextOf: loader.facts.bandContext });
  const rate = await mosaicRate(loader);
  const task = progressOf(options).begin("draw the sheet", undefined, "pictures");
  const entries = await contactEntries(loader, { expressions: 6, candidates: 5, mosaics: 3 });
  task.end();
  const lines: SummaryLine[] = [
    { label: "images", value: formatNumber(pool.images.count) },
    { label: "expressions", value: formatNumber(pool.expressions.count) },
    { label: "candidates in the band", value: `${formatNumber(bands.inBand)} of ${formatNumber(bands.candidates)}` },
    { label: "bands that fill a mosaic", value: `${formatNumber(bands.full)} of ${formatNumber(bands.expressions)}` },
    { label: "mosaics", value: `${formatNumber(rate)}/s` },
  ];
  const title = "NeMo mosaics: what the miner chose, and what training sees";
  const subtitle = `${pool.manifest.sources.map(({ name }) => name).join(", ")} · ${mined.manifest.relevance.model} · ${limitsText(settings, mined.coverage?.isComplete !== false)} · K ${settings.band.k} · seed ${loader.seed}`;
  const png = await contactPng(entries, title, subtitle);
  const { picture, page } = await placeFor(png, options);
  await writeFileAtomic(picture, png);
  await writeFileAtomic(page, await contactHtml(entries, title, subtitle, lines));
  const elapsed = performance.now() - started;
  const table = textTable([
    ...lines.map(({ label, value }) => [label, value]),
    ...bandLines(bands, settings).filter(
      ([label]) => label.startsWith("dropped") || label.startsWith("risk") || label === "K",
    ),
  ]);
  const stepTable = textTable(steps);
  print(
    options,
    {
      steps: steps.map(([step, what, state]) => ({ step, what, state })),
      band: bands,
      settings: settings.band,
      mosaicsPerSecond: rate,
      sheet: picture,
      page,
      elapsedMs: Math.round(elapsed),
    },
    `\n${stepTable}\n\n${table}\n\n${picture}\n${page}\n\ndone in ${duration(elapsed)}; next: ${commandWord()} preview ${loader.pool.folder} -o preview.png --set mined=${settings.mined}`,
  );
}

/** sheet.png and index.html; where those are of another run, sheet-2.png and so on: a picture is replaced with --force only. */
async function placeFor(png: Uint8Array, options: Options): Promise<{ picture: string; page: string }> {
  for (let number = 1; ; number++) {
    const ending = number === 1 ? "" : `-${number}`;
    const picture = join(options.output, `sheet${ending}.png`);
    const page = join(options.output, `index${ending}.html`);
    const there = await readFile(picture).catch(() => undefined);
    if (options.force || there === undefined || there.equals(png)) return { picture, page };
    remark(options, `${picture} is of another run and stays; --force replaces it`);
  }
}

/** In a clone the command may be installed nowhere: npm run demo says how npm runs it. */
function commandWord(): string {
  return process.env.npm_lifecycle_event === "demo" ? "npx nemosaic" : "nemosaic";
}

function trainExpressions(loader: Loader): Int32Array {
  const { pool, split } = loader;
  return Int32Array.from({ length: pool.expressions.count }, (_, row) => row).filter(
    (row) => pool.refs.split[pool.expressions.ref[row]!] === split,
  );
}

/** Mosaics per second into memory, over about two seconds, decoding included. */
async function mosaicRate(loader: Loader): Promise<number> {
  const { settings, seed } = loader;
  const always = await Loader.open(loader.pool, { ...settings, mosaic: { ...settings.mosaic, gamma: 1 } }, { seed });
  try {
    const began = performance.now();
    let count = 0;
    for (let epoch = 0; performance.now() - began < 2000; epoch++) {
      for await (const batch of always.batches({ epoch, batchSize: 16 })) {
        count += batch.plans.length;
        if (performance.now() - began >= 2000) break;
      }
    }
    return (count * 1000) / (performance.now() - began);
  } finally {
    await always.close();
  }
}
