// Scoring 10,000 masks of 640 × 480: run lengths here, and the NumPy loops of the CRIS and LAVT kind, in one run.
//
//   npm run build && node bench/evaluate.mjs [--masks 10000] [--rounds 5] [--json]
//
// Python is NEMOSAIC_PYTHON, else .venv/bin/python. Ours parses run lengths (text), also reads the file and rasterises the
// truth's polygons (file), and also makes breakdowns and intervals (whole), which the loops do not. The peers are timed twice:
// over decoded arrays in memory, so that reading is no part of their time, and from the same files as ours, with pycocotools
// to rasterise and decode. PNG files, one a mask, as `save_prediction` writes them, are decoded by threads of ours, and by OpenCV.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const dist = process.env.NEMOSAIC_DIST ?? join(root, "dist");
if (!existsSync(join(dist, "evaluate", "index.js"))) throw new Error("expected a build: run npm run build first");
const load = (room) => import(pathToFileURL(join(dist, room, "index.js")).href);
const { evaluate, evaluateDefaults, evaluationPresets, openPredictions, score } = await load("evaluate");
const { CounterRandom, rleArea, rleFromPolygon, rleFromString, rleToMask, rleToString } = await load("kernels");
const { encodePng } = await load("codecs");

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const masks = option("masks", 10_000);
const rounds = option("rounds", 5);
const [height, width] = [480, 640];
const distinct = Math.min(masks, 200);
// Of the loops, and of what lies in files of its own.
const fewMasks = Math.min(masks, 1000);

/** A blob of 24 corners with a ragged border of single pixels, as models predict it. */
function blob(seed) {
  const random = new CounterRandom(7, 0, seed, 1);
  const [x, y] = [width * (0.2 + 0.6 * random.float()), height * (0.2 + 0.6 * random.float())];
  const reach = 30 + 130 * random.float();
  const corners = Array.from({ length: 24 }, (_, i) => {
    const r = reach * (0.7 + 0.3 * random.float());
    return [x + r * Math.cos((i * Math.PI) / 12), y + r * Math.sin((i * Math.PI) / 12)];
  });
  return corners.flat();
}
const truthPolygons = Array.from({ length: distinct }, (_, i) => blob(i));
const predicted = truthPolygons.map((polygon, i) => {
  const random = new CounterRandom(7, 1, i, 1);
  return rleToString(
    rleFromPolygon(
      polygon.map((v) => v + 16 * random.float() - 8),
      height,
      width,
    ),
  );
});
const truthText = truthPolygons.map((polygon) => rleToString(rleFromPolygon(polygon, height, width)));

const folder = await mkdtemp(join(tmpdir(), "bench-evaluate-"));
try {
  const times = await ours(folder);
  const peers = numpy(folder);
  report(times, peers);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function ours(place) {
  const preset = evaluationPresets.cris;
  const text = [];
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    let sum = 0;
    for (let i = 0; i < masks; i++) {
      const truth = rleFromString(truthText[i % distinct], height, width);
      const guess = rleFromString(predicted[i % distinct], height, width);
      sum += score(
        {
          truth,
          truthAreaPx: rleArea(truth),
          noTarget: false,
          predicted: guess,
          decision: undefined,
          emptyBelowPx: 50,
        },
        preset,
      ).iou;
    }
    text.push((performance.now() - begin) / masks);
    if (!(sum / masks > 0.5 && sum / masks < 1)) throw new Error(`an mIoU of ${sum / masks} cannot be`);
  }
  const truths = Array.from({ length: masks }, (_, i) => ({
    key: `s/${i}/${i}`,
    source: "s",
    refId: String(i),
    sentenceId: String(i),
    imageKey: `image ${i >> 2}`,
    split: "test",
    height,
    width,
    segmentations: [{ kind: "polygons", parts: [truthPolygons[i % distinct]] }],
    noTarget: false,
    category: `category ${i % 40}`,
    similarObjects: i % 5,
    text: "the left mug of the two on the table",
    sentenceIndex: 0,
    sentenceCount: 1,
  }));
  const file = join(place, "predictions.jsonl");
  await writeFile(
    join(place, "truth.json"),
    JSON.stringify(truths.map(({ key, segmentations }) => ({ key, polygons: segmentations[0].parts }))),
  );
  await writeFile(
    file,
    truths
      .map(
        ({ key }, i) =>
          `${JSON.stringify({ key, segmentation: { size: [height, width], counts: predicted[i % distinct] } })}\n`,
      )
      .join(""),
  );
  const whole = [];
  const bare = [];
  for (let round = 0; round < rounds; round++) {
    for (const [times, changes] of [
      [bare, { breakdowns: [], replicates: 1 }],
      [whole, {}],
    ]) {
      const begin = performance.now();
      const predictions = await openPredictions(file);
      await evaluate(truths, predictions, { ...evaluateDefaults, preset, ...changes });
      await predictions.close();
      times.push((performance.now() - begin) / masks);
    }
  }
  const png = join(place, "png");
  const few = truths.slice(0, fewMasks);
  for (const [at, { key }] of few.entries()) {
    const data = rleToMask(rleFromString(predicted[at % distinct], height, width), 255);
    await mkdir(join(png, dirname(key)), { recursive: true });
    await writeFile(join(png, `${key}.png`), await encodePng({ width, height, channels: 1, data }));
  }
  const files = [];
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    const predictions = await openPredictions(png);
    await evaluate(few, predictions, { ...evaluateDefaults, preset, breakdowns: [], replicates: 1 });
    await predictions.close();
    files.push((performance.now() - begin) / few.length);
  }
  return { text, bare, whole, files };
}

/** Milliseconds a mask of the two loops, `rounds` times over 1,000 masks that lie decoded in memory. */
function numpy(place) {
  const script = `
import sys, json, time
import numpy as np
from pycocotools import mask as coco
d = json.load(sys.stdin)
size = [d["height"], d["width"]]
truth = [coco.decode({"size": size, "counts": c}) for c in d["truth"]]
hard = [coco.decode({"size": size, "counts": c}) for c in d["predicted"]]
soft = [m.astype(np.float32) * np.float32(0.9) for m in hard]
png = [np.ascontiguousarray(m) * np.uint8(255) for m in truth]
truth, hard, soft = ([np.ascontiguousarray(m) for m in ms] for ms in (truth, hard, soft))
n, out = d["few"], {"cris": [], "lavt": [], "crisFile": [], "lavtFile": [], "lavtPng": []}
for _ in range(d["rounds"]):
    begin, ious = time.perf_counter(), []
    for i in range(n):
        pred = np.array(soft[i % len(soft)] > 0.35)
        gt = png[i % len(png)] / 255.
        ious.append(np.sum(np.logical_and(pred, gt)) / (np.sum(np.logical_or(pred, gt)) + 1e-6))
    out["cris"].append((time.perf_counter() - begin) * 1000 / n)
    begin = time.perf_counter()
    for i in range(n):
        p, g = hard[i % len(hard)], truth[i % len(truth)]
        inter, union = np.sum(np.logical_and(p, g)), np.sum(np.logical_or(p, g))
        ious.append(0.0 if union == 0 else inter * 1.0 / union)
    out["lavt"].append((time.perf_counter() - begin) * 1000 / n)
# The polygons are in memory before the clock starts, as ours are.
polygons = {r["key"]: r["polygons"] for r in json.load(open(d["place"] + "/truth.json"))}
def pairs():
    for line in open(d["place"] + "/predictions.jsonl"):
        r = json.loads(line)
        yield coco.decode(r["segmentation"]), coco.decode(coco.frPyObjects(polygons[r["key"]], *size)).sum(axis=2, dtype=np.uint8)
for _ in range(d["rounds"]):
    begin, m = time.perf_counter(), 0
    for p, g in pairs():
        p, g, m = p > 0.35, g * np.uint8(255) / 255., m + 1
        ious.append(np.sum(np.logical_and(p, g)) / (np.sum(np.logical_or(p, g)) + 1e-6))
        if m == n: break
    out["crisFile"].append((time.perf_counter() - begin) * 1000 / m)
    begin, m = time.perf_counter(), 0
    for p, g in pairs():
        g, m = g == 1, m + 1
        inter, union = np.sum(np.logical_and(p, g)), np.sum(np.logical_or(p, g))
        ious.append(0.0 if union == 0 else inter * 1.0 / union)
        if m == n: break
    out["lavtFile"].append((time.perf_counter() - begin) * 1000 / m)
import cv2
for _ in range(d["rounds"]):
    begin, m = time.perf_counter(), 0
    for key, parts in polygons.items():
        p = cv2.imread(d["place"] + "/png/" + key + ".png", cv2.IMREAD_GRAYSCALE) > 127
        g, m = coco.decode(coco.frPyObjects(parts, *size)).sum(axis=2, dtype=np.uint8) == 1, m + 1
        inter, union = np.sum(np.logical_and(p, g)), np.sum(np.logical_or(p, g))
        ious.append(0.0 if union == 0 else inter * 1.0 / union)
        if m == n: break
    out["lavtPng"].append((time.perf_counter() - begin) * 1000 / m)
print(json.dumps(out))
`;
  const python = process.env.NEMOSAIC_PYTHON ?? join(root, ".venv", "bin", "python");
  const input = JSON.stringify({ height, width, truth: truthText, predicted, rounds, place, few: fewMasks });
  const done = spawnSync(python, ["-c", script], { input, maxBuffer: 2 ** 28, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`no peer: ${done.stderr || done.error}`);
  return JSON.parse(done.stdout);
}

/** Ours beside the loops that papers' scripts have, in milliseconds a mask; a ratio is that of a round. */
function report(ours, peers) {
  const named = {
    text: "run lengths as text to IoU",
    bare: "from a JSONL file and polygons",
    whole: "with breakdowns and bootstrap",
    files: "from a folder of PNG files and polygons",
  };
  const beside = {
    text: { lavt: "NumPy loop as in LAVT, arrays in memory", cris: "NumPy loop as in CRIS, arrays in memory" },
    bare: { lavtFile: "NumPy loop as in LAVT, same files", crisFile: "NumPy loop as in CRIS, same files" },
    whole: { lavtFile: "NumPy loop as in LAVT, same files", crisFile: "NumPy loop as in CRIS, same files" },
    files: { lavtPng: "OpenCV and a NumPy loop as in LAVT, same files" },
  };
  const rows = Object.entries(beside).flatMap(([own, others]) =>
    Object.entries(others).map(([peer, words]) => ({
      what: `${own === "files" ? fewMasks : masks} masks of ${width} × ${height}, ${named[own]}${own === "files" ? "" : ", one thread"}`,
      unit: "ms a mask",
      ours: spread(ours[own]),
      peer: words,
      theirs: spread(peers[peer]),
      ratio: spread(ours[own].map((time, round) => peers[peer][round] / time)),
    })),
  );
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ bench: "evaluate", rows }));
    return;
  }
  for (const { what, ours: own, peer, theirs, ratio } of rows)
    console.log(
      `${what}: ${own.median.toFixed(4)} ms a mask; ${peer}: ${theirs.median.toFixed(4)}; ${ratio.median.toFixed(1)} times as fast`,
    );
}

function spread(values) {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
