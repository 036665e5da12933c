// Drawing 2×2 mosaics of 416 × 416 from photographs: our loader warm (tiles) and cold (opencv, fast), and the reference's
// steps in Python and OpenCV over the same images and cells, in turn.
//
//   npm run build && node bench/loader.mjs [--samples 256] [--rounds 5]
//
// The photographs are those of NEMOSAIC_SAMPLE (else ../shared/sample); without them, drawn scenes. Both sides end with uint8
// images and masks in memory; the peer runs a process per core, as a DataLoader's workers do, and reads files as we do.
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import {
  compared,
  interleaved,
  load,
  main,
  option,
  python,
  sampleDir,
  seconds,
  spread,
  startPeer,
} from "./measure.mjs";

const reference = `
import json, sys, time, os
from multiprocessing import Pool
import cv2, numpy as np
from pycocotools import mask as masks
cv2.setNumThreads(1)
size = int(sys.argv[1])
def draw(plan):
    image = np.zeros((size, size, 3), np.uint8); mask = np.zeros((size, size), np.uint8)
    for path, (x, y, w, h), truth in plan:
        with open(path, "rb") as file: pixels = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        image[y:y+h, x:x+w] = cv2.resize(pixels, (w, h), interpolation=cv2.INTER_LINEAR)
        if truth is not None:
            full = masks.decode({"size": truth["size"], "counts": truth["counts"].encode()})
            mask[y:y+h, x:x+w] = cv2.resize(full, (w, h), interpolation=cv2.INTER_NEAREST)
    return int(image[::37, ::41].sum()), int(mask.sum())
if __name__ == "__main__":
    plans = json.loads(sys.stdin.readline())
    with Pool(int(sys.argv[2])) as pool:
        print(json.dumps({"opencv": cv2.__version__}), flush=True)
        for line in sys.stdin:
            start = time.perf_counter(); sums = pool.map(draw, plans, chunksize=max(1, len(plans) // (4 * int(sys.argv[2]))))
            print(json.dumps({"seconds": time.perf_counter() - start, "sums": sums}), flush=True)
`;

async function openPool(folder) {
  const { findImporter } = await load("importers/index.ts");
  const { importPool, Pool } = await load("pool/index.ts");
  const { silentProgress } = await load("io/index.ts");
  const sample = sampleDir();
  let source = { source: sample && join(sample, "refer", "cocorefs"), images: sample && join(sample, "images") };
  if (sample === undefined) {
    const { writeScenes } = await load("scenes/index.ts");
    await writeScenes(join(folder, "scenes"), { count: 200, seed: 1 });
    source = { source: join(folder, "scenes", "refer", "scenes"), images: join(folder, "scenes", "images") };
  }
  const opened = await findImporter("refer").open(source);
  await importPool(join(folder, "pool"), opened, {
    onBad: "skip",
    pack: false,
    force: false,
    progress: silentProgress,
  });
  return {
    pool: await Pool.open(join(folder, "pool")),
    material: sample === undefined ? "drawn scenes" : "photographs",
  };
}

export async function benchLoader(size = {}) {
  const { samples = option("samples", 256), rounds = option("rounds", 5) } = size;
  const { Loader, tileDemand } = await load("loader/index.ts");
  const { parseSettings } = await load("settings/index.ts");
  const { buildTiles } = await load("tiles/index.ts");
  const { resizerOf } = await load("mosaic/index.ts");
  const { silentProgress } = await load("io/index.ts");
  const { setImageThreads } = await load("codecs/index.ts");
  const { rleToString } = await load("kernels/index.ts");
  const { resampleVersions } = await load("model/index.ts");
  setImageThreads(1);
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  const cores = availableParallelism();
  const loaders = [];
  let peer;
  try {
    const { pool, material } = await openPool(folder);
    const [split] = [...new Set(pool.refs.split)].includes("train") ? ["train"] : [pool.refs.split[0]];
    const open = async (resample, tiles) => {
      const settings = parseSettings(
        { preset: "random", resample, mosaic: { gamma: 1 }, tokens: { kind: "none" } },
        "bench",
      );
      const loader = await Loader.open(pool, settings, { split, tiles });
      loaders.push(loader);
      return loader;
    };
    const cold = await open("opencv", "off");
    const indices = Array.from({ length: samples }, (_, at) => at % cold.length);
    const plans = indices.map((index) => cold.plan(0, index));
    const building = await seconds(async () => {
      const { demands } = tileDemand(cold);
      const resample = { name: "opencv", version: resampleVersions.opencv };
      await buildTiles(pool, demands, {
        resample,
        resizer: resizerOf,
        threads: cores,
        onBad: "skip",
        force: true,
        progress: silentProgress,
      });
    });
    const warm = await open("opencv", "use");
    const fast = await open("fast", "off");
    const sides = {
      warm: () => seconds(() => drawAll(warm, indices)),
      cold: () => seconds(() => drawAll(cold, indices)),
      fast: () => seconds(() => drawAll(fast, indices)),
    };
    const interpreter = python("cv2", "numpy", "pycocotools");
    const notes = { material, cores, photographs: pool.images.count, buildSeconds: Number(building.toFixed(2)) };
    if (interpreter !== undefined) {
      const asked = await Promise.all(
        plans.map(({ layers }) =>
          Promise.all(
            layers.map(async (layer) => {
              const path = await pool.imagePath(pool.imageRow(layer.image));
              if (layer.masks.length === 0) return [path, layer.destination, null];
              const rle = pool.mask(
                pool.imageRow(layer.image),
                layer.masks.map((key) => pool.annotationRow(key)),
              );
              return [path, layer.destination, { size: [rle.height, rle.width], counts: rleToString(rle) }];
            }),
          ),
        ),
      );
      peer = await startPeer(interpreter, reference, [cold.settings.size, cores], {}, JSON.stringify(asked));
      Object.assign(notes, peer.facts);
      sides.reference = async () => (await peer.ask("draw")).seconds;
    }
    const took = await interleaved(rounds, sides);
    const rates = (name) => took[name].map((s) => samples / s);
    const rows = [];
    for (const [name, what, goal] of [
      ["warm", "warm, from tiles", undefined],
      ["cold", "cold, opencv", undefined],
      ["fast", "cold, fast", undefined],
    ]) {
      if (took.reference)
        rows.push(
          compared(
            `2×2 at 416, ${what}`,
            "samples/s",
            rates(name),
            "the reference's steps (OpenCV)",
            rates("reference"),
            goal,
          ),
        );
      else rows.push({ what: `2×2 at 416, ${what}`, unit: "samples/s", ours: spread(rates(name)) });
    }
    rows.push(compared("2×2 at 416, fast beside opencv", "samples/s", rates("fast"), "our opencv path", rates("cold")));
    if (peer !== undefined)
      notes.maskPixelsDiffer = differing((await peer.ask("draw")).sums, await sumsOf(cold, indices));
    return { bench: "loader", rows, notes };
  } finally {
    await peer?.close();
    for (const loader of loaders) await loader.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Batches of 32 into memory that is used again, as a trainer's or the server's is. */
async function drawAll(loader, indices) {
  for (let at = 0; at < indices.length; at += 32) await loader.get(0, indices.slice(at, at + 32), memoryOf(loader));
}

let memory;

function memoryOf({ settings: { size } }) {
  memory ??= { image: new Uint8Array(32 * size * size * 3), mask: new Uint8Array(32 * size * size) };
  return memory;
}

/** Pixels of truth by sample. */
async function sumsOf(loader, indices) {
  const sums = [];
  for (let at = 0; at < indices.length; at += 32) {
    const { mask, size, indices: part } = await loader.get(0, indices.slice(at, at + 32));
    for (let sample = 0; sample < part.length; sample++) {
      const pixels = mask.subarray(sample * size * size, (sample + 1) * size * size);
      sums.push(pixels.reduce((a, b) => a + b, 0));
    }
  }
  return sums;
}

/** How many samples have another number of mask pixels than the peer's. */
function differing(theirs, ours) {
  return ours.filter((sum, at) => sum !== theirs[at][1]).length;
}

await main(import.meta.url, () => benchLoader());
