// Mining: exact top lists, ours and FAISS IndexFlatIP over the same vectors with the same threads, in turn.
//
//   npm run build && node bench/mining.mjs [--images 17000] [--queries 4096] [--dimension 512] [--depth 300] [--rounds 7]
//
// FAISS is Debian's python3-faiss (NEMOSAIC_PYTHON, else .venv); libopenblas0-pthread has to be there, or it runs eight times
// slower and the ratio flatters: the BLAS is printed. NEMOSAIC_FAISS_PYTHON is a second Python, with numpy and the newest faiss-cpu
// from PyPI, which is faster than Debian's; it runs in the same rounds. "product" is the matrix product alone in onnxruntime. FAISS gives no scores
// by image: in the rows "t2i and i2i" NumPy adds those of what it found, and every few expressions have an image of their own.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { compared, interleaved, load, main, option, python, seconds, startPeer } from "./measure.mjs";

const faiss = `
import json, sys, time, os
import numpy as np, faiss
folder, depth, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
faiss.omp_set_num_threads(threads)
images, queries = (np.load(os.path.join(folder, name + ".npy")) for name in ("images", "expressions"))
index = faiss.IndexFlatIP(images.shape[1]); index.add(images)
index.search(queries[:8], depth)
blas = sorted({os.path.realpath(line.split()[-1]) for line in open("/proc/self/maps") if "blas" in line})
print(json.dumps({"faiss": faiss.__version__, "blas": blas}), flush=True)
own = images[np.arange(len(queries)) // int(sys.argv[4]) % len(images)]
for line in sys.stdin:
    start = time.perf_counter(); scores, ids = index.search(queries, depth)
    if line.strip() == "both":
        for at in range(0, len(ids), 64):
            np.einsum("qd,qkd->qk", own[at:at + 64], images[ids[at:at + 64]], optimize=True)
    took = time.perf_counter() - start
    np.save(os.path.join(folder, "faiss-ids.npy"), ids.astype(np.int32)); np.save(os.path.join(folder, "faiss-scores.npy"), scores)
    print(json.dumps(took), flush=True)
`;

/** About as many as a referring dataset has. */
const expressionsPerImage = 8;

/** Vectors in clusters, as embeddings are, of unit length. */
export async function writeVectors(path, count, dimension, seed) {
  const [{ CounterRandom }, { encodeNpy }] = [await load("kernels/index.ts"), await load("codecs/index.ts")];
  const centres = Array.from({ length: 64 }, (_, at) => gaussians(new CounterRandom(3, 0, at, 0), dimension));
  const data = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const random = new CounterRandom(seed, 1, row, 0);
    const centre = centres[random.below(centres.length)];
    const noise = gaussians(random, dimension);
    const part = data.subarray(row * dimension, (row + 1) * dimension);
    for (let k = 0; k < dimension; k++) part[k] = centre[k] * 0.7 + noise[k];
    const length = Math.hypot(...part);
    for (let k = 0; k < dimension; k++) part[k] /= length;
  }
  await writeFile(path, encodeNpy(data, [count, dimension]));
}

function gaussians(random, count) {
  return Float32Array.from(
    { length: count },
    () => random.float() + random.float() + random.float() + random.float() - 2,
  );
}

export async function openVectors(path) {
  const { NpyReader } = await load("codecs/index.ts");
  const reader = await NpyReader.open(path);
  return {
    path,
    count: reader.shape[0],
    dimension: reader.rowLength,
    read: (start, count, into) => reader.rowsAsFloat32(start, count, into),
    readSync: (start, count, into) => reader.rowsAsFloat32Sync(start, count, into),
    close: () => reader.close(),
  };
}

/** Ids may differ only where scores are equal but for rounding. */
async function differences(folder, found, depth) {
  const { NpyReader } = await load("codecs/index.ts");
  const [ids, scores] = await Promise.all(
    ["ids", "scores"].map((name) => NpyReader.open(join(folder, `faiss-${name}.npy`))),
  );
  const theirs = { ids: await ids.rows(0, ids.shape[0]), scores: await scores.rows(0, scores.shape[0]) };
  await Promise.all([ids.close(), scores.close()]);
  let wrong = 0;
  for (let at = 0; at < found.ids.length; at++) {
    if (Math.abs(found.t2i[at] - theirs.scores[at]) > 2e-6) wrong++;
    if (found.ids[at] === theirs.ids[at]) continue;
    const row = at - (at % depth);
    const place = theirs.ids.subarray(row, row + depth).indexOf(found.ids[at]);
    const score = place < 0 ? theirs.scores[row + depth - 1] : theirs.scores[row + place];
    if (Math.abs(found.t2i[at] - score) > 2e-6) wrong++;
  }
  return wrong;
}

export async function benchMining(size = {}) {
  const {
    images = option("images", 17_000),
    queries = option("queries", 4096),
    dimension = option("dimension", 512),
  } = size;
  const { depth = option("depth", 300), rounds = option("rounds", 7), threadCounts = [1, 2] } = size;
  const [{ createDenseScorer }, { gemmGraph }] = [
    await load("mining/index.ts"),
    await load("mining/dense/gemm-graph.ts"),
  ];
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  const rows = [];
  const notes = {};
  try {
    await writeVectors(join(folder, "images.npy"), images, dimension, 1);
    await writeVectors(join(folder, "expressions.npy"), queries, dimension, 2);
    const interpreter = python("faiss", "numpy");
    for (const threads of threadCounts) {
      const candidates = Int32Array.from({ length: images }, (_, at) => at);
      const vectors = [
        await openVectors(join(folder, "images.npy")),
        await openVectors(join(folder, "expressions.npy")),
      ];
      const scorer = await createDenseScorer(...vectors, { candidates, threads, files: true });
      const step = Math.ceil(queries / threads);
      const miners = await scorer.miners("t2i", depth, step);
      const each = Math.ceil(queries / miners.length);
      const found = { ids: new Int32Array(queries * depth), t2i: new Float32Array(queries * depth) };
      // One image stands in for the expressions' own, so that looking up the other score costs next to nothing.
      const mine = (imageFor = () => 0) =>
        Promise.all(
          miners.map(async (miner, at) => {
            const part = Int32Array.from({ length: Math.min(each, queries - at * each) }, (_, row) => at * each + row);
            const own = [...new Set(Array.from(part, imageFor))];
            const placeOf = new Map(own.map((image, place) => [image, place]));
            const imageOf = part.map((row) => placeOf.get(imageFor(row)));
            const columns = await miner.mine(part, Int32Array.from(own), imageOf);
            found.ids.set(columns.ids, at * each * depth);
            found.t2i.set(columns.t2i, at * each * depth);
          }),
        );
      const product = await productOf(gemmGraph, images, queries, dimension, threads);
      const env = { OPENBLAS_NUM_THREADS: String(threads), OMP_NUM_THREADS: String(threads) };
      const peer =
        interpreter && (await startPeer(interpreter, faiss, [folder, depth, threads, expressionsPerImage], env));
      const newest = process.env.NEMOSAIC_FAISS_PYTHON || undefined;
      const second = newest && (await startPeer(newest, faiss, [folder, depth, threads, expressionsPerImage], env));
      const ofImage = (row) => Math.floor(row / expressionsPerImage) % images;
      const sides = { ours: () => seconds(mine), product: () => seconds(product.run) };
      if (peer !== undefined) {
        sides.faiss = () => peer.ask("search");
        sides.oursBoth = () => seconds(() => mine(ofImage));
        sides.faissBoth = () => peer.ask("both");
      }
      if (second !== undefined) sides.faissPypi = () => second.ask("search");
      const took = await interleaved(rounds, sides);
      const rates = (name) => took[name].map((s) => (2 * images * queries * dimension) / s / 1e9);
      const what = `t2i top ${depth} of ${images} × ${dimension}, ${queries} queries, ${threads} thread${threads > 1 ? "s" : ""}`;
      if (peer !== undefined) {
        Object.assign(notes, peer.facts, { [`differences${threads}`]: await differences(folder, found, depth) });
        rows.push(compared(what, "GFLOP/s", rates("ours"), "FAISS IndexFlatIP", rates("faiss"), "≥ 3"));
        const both = `${what}, t2i and i2i`;
        rows.push(compared(both, "GFLOP/s", rates("oursBoth"), "FAISS, then NumPy", rates("faissBoth")));
        await peer.close();
      }
      if (second !== undefined) {
        notes.faissPypi = second.facts.faiss;
        notes.blasPypi = second.facts.blas;
        const name = `FAISS ${second.facts.faiss} from PyPI`;
        rows.push(compared(what, "GFLOP/s", rates("ours"), name, rates("faissPypi"), "≥ 2"));
        await second.close();
      }
      rows.push(compared(what, "GFLOP/s", rates("ours"), "the product alone", rates("product"), "≥ 0.77"));
      await product.close();
      await scorer.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { bench: "mining", rows, notes };

  async function productOf(graph, n, q, d, threads) {
    const [blockRows, blockColumns] = [256, 4096];
    const session = await InferenceSession.create(graph(blockRows, blockColumns, d), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
    });
    const tensor = (r, c) => new Tensor("float32", new Float32Array(r * c).fill(0.04), [r, c]);
    const feeds = { queries: tensor(blockRows, d), candidates: tensor(blockColumns, d) };
    const fetches = { scores: tensor(blockRows, blockColumns) };
    // As many products as have the same number of multiplications.
    const runs = Math.max(1, Math.round((n * q) / (blockRows * blockColumns)));
    return {
      async run() {
        for (let at = 0; at < runs; at++) await session.run(feeds, fetches);
      },
      close: () => session.release(),
    };
  }
}

await main(import.meta.url, () => benchMining());
