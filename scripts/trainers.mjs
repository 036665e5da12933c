// Reads exports with the data code of the trainers themselves, from clones of their repositories that you give, and
// compares every mask, sentence and image with `nemosaic draw`; then takes a few optimiser steps on what was read. Not a
// part of npm test: the clones are other people's, and so are their licences.
//
//   node scripts/trainers.mjs --clones DIR [--only LAVT,CRIS] [--pool POOL] [--steps 3] [--out .cache/trainers]
//
// DIR holds a folder a clone, by the repository's own name. Without --pool a small one of drawn scenes is made. Python is
// NEMOSAIC_PYTHON or .venv; what a trainer imports beyond torch, torchvision, numpy, Pillow, OpenCV, pycocotools and lmdb
// stands in the table below. Needs dist/ (npm run build).
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";

const root = resolve(import.meta.dirname, "..");
const transformers = "transformers<4.31";
const openmm = ["mmcv==1.7.2", "mmdet==2.28.2", transformers, "textdistance", "scipy"];

/** Name of the reader in trainers/readers.py, repository, packages, and the export: format, name, size, folder inside `out`. */
const trainers = [
  ["LAVT", "yz93/LAVT-RIS", ["sacremoses", "tokenizers"], "refer", "refcoco", 480],
  ["VPD", "wl-zhao/VPD", [transformers], "refer", "refcoco", 512],
  ["RMSIN", "Lsan2401/RMSIN", ["sacremoses", "tokenizers"], "refer", "rrsisd", 480],
  ["AeroReformer", "lironui/AeroReformer", ["sacremoses", "tokenizers"], "refer", "uavid_ris", 480],
  ["MaskRIS", "naver-ai/maskris", ["sacremoses", "tokenizers"], "refer", "refcoco", 448],
  ["RefSegformer", "jianzongwu/robust-ref-seg", [transformers], "refer", "refcoco", 480],
  [
    "ReLA",
    "henghuiding/ReLA",
    [transformers, "fvcore", "iopath", "omegaconf", "a clone of detectron2"],
    "refer",
    "refcoco",
    480,
  ],
  ["ReLA gRefCOCO", "henghuiding/ReLA", ["as ReLA"], "refer", "grefcoco", 480],
  ["CRIS", "DerrickWang005/CRIS.pytorch", ["pyarrow", "ftfy", "regex"], "cris-lmdb", "refcoco", 416],
  ["ETRIS", "kkakkkka/ETRIS", ["pyarrow", "ftfy", "regex"], "cris-lmdb", "refcoco", 416],
  ["DETRIS", "jiaqihuang01/DETRIS", ["pyarrow", "ftfy", "regex"], "cris-lmdb", "refcoco", 448],
  ["CGFormer", "Toneyaya/CGFormer", ["pyarrow", "sacremoses", "tokenizers"], "cris-lmdb", "refcoco", 480],
  ["LISA", "dvlab-research/LISA", [transformers], "refer", "refcoco", 1024, "lisa/refer_seg"],
  ["LISA gRefCOCO", "dvlab-research/LISA", [transformers], "refer", "grefcoco", 1024, "lisa-general/refer_seg"],
  ["EVF-SAM", "hustvl/EVF-SAM", [transformers], "refer", "refcoco", 1024, "lisa/refer_seg"],
  ["SeqTR", "seanzhuh/SeqTR", openmm, "seqtr", "refcoco", 640],
  ["DeRIS", "Dmmm1997/DeRIS", openmm, "seqtr", "grefcoco", 384],
  ["InstanceVG", "Dmmm1997/InstanceVG", openmm, "seqtr", "grefcoco", 384],
  ["SAM 3", "facebookresearch/sam3", [], "sam3", "refcoco", 1008],
  ["SAM 3 evaluation", "facebookresearch/sam3", ["scipy", "tqdm"], "sam3", "refcoco", 1008],
  ["SAM3_LoRA", "Sompote/SAM3_LoRA", [], "sam3", "refcoco", 1008],
  ["Sa2VA", "bytedance/Sa2VA", ["mmengine"], "sa2va", "refcoco", 1024],
  ["Sa2VA RefCOCO", "bytedance/Sa2VA", ["mmengine"], "refer", "refcoco", 1024, "lisa/refer_seg"],
].map(([name, repository, needs, format, dataset, size, folder]) => ({
  name,
  repository,
  needs,
  format,
  dataset,
  size,
  folder: folder ?? `${format}-${dataset.replace("+", "plus")}-${size}`,
}));

const { values: options } = parseArgs({
  options: {
    clones: { type: "string" },
    only: { type: "string" },
    pool: { type: "string" },
    steps: { type: "string", default: "3" },
    out: { type: "string", default: join(root, ".cache", "trainers") },
    help: { type: "boolean", default: false },
  },
});
const wanted = options.only?.split(",");
const unknown = wanted?.find((name) => !trainers.some((trainer) => trainer.name === name));
if (options.help || options.clones === undefined || unknown !== undefined || !/^\d+$/.test(options.steps)) {
  if (unknown !== undefined)
    console.error(`unknown trainer "${unknown}"; known: ${trainers.map(({ name }) => name).join(", ")}`);
  console.error(
    "usage: node scripts/trainers.mjs --clones DIR [--only NAME,NAME] [--pool POOL] [--steps 3] [--out DIR]",
  );
  process.exit(options.help ? 0 : 2);
}
const out = resolve(options.out);
const command = join(root, "dist", "cli", "main.js");
if (!existsSync(command)) {
  console.error(`${command} is not there: run "npm run build" first`);
  process.exit(2);
}
const python = process.env.NEMOSAIC_PYTHON || join(root, ".venv", "bin", "python");
mkdirSync(join(out, "bert-base-uncased"), { recursive: true });
// Trainers load this tokenizer by name; where the name is a folder, its vocabulary is read from there.
const vocabulary = gunzipSync(readFileSync(join(root, "assets", "bert-base-uncased-vocab.txt.gz")));
writeFileSync(join(out, "bert-base-uncased", "vocab.txt"), vocabulary);

let failed = 0;
const missing = [];
const pool = options.pool === undefined ? scenePool() : resolve(options.pool);
for (const trainer of trainers) {
  if (wanted !== undefined && !wanted.includes(trainer.name)) continue;
  const clone = resolve(options.clones, trainer.repository.split("/")[1]);
  if (!existsSync(clone)) {
    missing.push(trainer);
    continue;
  }
  const drawn = exportAndDraw(trainer);
  const script = join(root, "scripts", "trainers", "check.py");
  const args = [script, trainer.name, clone, join(out, trainer.folder), drawn, String(trainer.size), options.steps];
  const done = spawnSync(python, args, { cwd: out, encoding: "utf8", maxBuffer: 2 ** 28 });
  const version = spawnSync("git", ["-C", clone, "rev-parse", "--short", "HEAD"], { encoding: "utf8" }).stdout.trim();
  if (done.status === 0)
    console.log(`${trainer.name} (${version}): ${report(JSON.parse(done.stdout.trim().split("\n").at(-1)))}`);
  else {
    failed++;
    const reason = done.stderr.trim().split("\n").at(-1);
    console.log(`${trainer.name} (${version}): FAILED: ${reason}; it may need ${trainer.needs.join(", ")}`);
    writeFileSync(join(out, `${trainer.name.replaceAll(" ", "-")}.log`), done.stderr);
  }
}
for (const { name, repository } of missing)
  console.log(`${name}: did not run, ${options.clones} holds no clone of ${repository}`);
process.exit(failed > 0 ? 1 : 0);

function nemosaic(...args) {
  const done = spawnSync(process.execPath, [command, ...args, "--quiet"], {
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (done.status !== 0) {
    console.error(`nemosaic ${args.join(" ")}: ${done.stderr.trim()}`);
    process.exit(1);
  }
}

/** Drawn scenes, mined: several targets and none among them. */
function scenePool() {
  const folder = join(out, "pool");
  if (existsSync(join(folder, "mined"))) return folder;
  rmSync(folder, { recursive: true, force: true });
  nemosaic(
    "scenes",
    join(out, "scenes"),
    "--count",
    "24",
    "--multi-target",
    "0.3",
    "--without-target",
    "0.2",
    "--force",
  );
  nemosaic(
    "import",
    "grefcoco",
    join(out, "scenes", "grefs", "scenes"),
    "--images",
    join(out, "scenes", "images"),
    "--pool",
    folder,
  );
  nemosaic("embed", folder, "--model", "scene-clip");
  nemosaic("mine", folder);
  return folder;
}

/** One epoch without loss, so that pixels compare too; returns the folder of the same plans, drawn. */
function exportAndDraw({ format, dataset, size, folder }) {
  const output = join(out, folder);
  const set = `size=${size}`;
  nemosaic("export", format, pool, "-o", output, "--split", "train,val", "--dataset", dataset, "--set", set, "--png");
  const drawn = join(out, "drawn", folder);
  nemosaic("draw", pool, join(output, "plans-train.jsonl"), "-o", drawn, "--force");
  return drawn;
}

function report({ samples, images, left_out, steps, loss }) {
  const pixels = images === 0 ? "images not compared" : `${images} images equal`;
  const left = left_out === 0 ? "" : `, ${left_out} with nothing to be seen left out`;
  const trained = steps === 0 ? "" : `; ${steps} steps, loss ${loss.map((value) => value.toFixed(3)).join(" → ")}`;
  return `${samples} masks and sentences equal, ${pixels}${left}${trained}`;
}
