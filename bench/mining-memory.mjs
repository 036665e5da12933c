// Memory of mining: peak resident size for a pool of many images, at two numbers of expressions, each in its own process.
//
//   npm run build && node bench/mining-memory.mjs [--images 1000000] [--dimension 512] [--depth 300] [--few 2100] [--many 4200]
//                                                 [--bits 32]
//   node bench/mining-memory.mjs --images 10000000 --bits 16 --few 2000 --many 0      # ten million; --many 0: one number only
//
// Writes the vectors (2 GB for a million × 512 of 32 bits) to the system's temporary folder, and removes them.
import { spawnSync } from "node:child_process";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load, main, option } from "./measure.mjs";
import { openVectors } from "./mining.mjs";

/** Unit vectors of ±1/√d of 16 or 32 bits by a fast generator, written a few thousand rows at a time. */
async function writeManyVectors(path, count, dimension, bits = 32) {
  const [{ npyHeader }, { numberToHalf }] = [await load("codecs/index.ts"), await load("kernels/index.ts")];
  const handle = await open(path, "w");
  await handle.write(npyHeader(`float${bits}`, [count, dimension]));
  const rows = 4096;
  const data = bits === 16 ? new Uint16Array(rows * dimension) : new Float32Array(rows * dimension);
  const entryOf = bits === 16 ? numberToHalf : (value) => value;
  const [plus, minus] = [1, -1].map((sign) => entryOf(sign / Math.sqrt(dimension)));
  let state = 12345;
  for (let start = 0; start < count; start += rows) {
    const wanted = Math.min(rows, count - start) * dimension;
    for (let at = 0; at < wanted; at++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      data[at] = state < 0 ? plus : minus;
    }
    await handle.write(new Uint8Array(data.buffer, 0, (wanted * bits) / 8));
  }
  await handle.close();
}

/** Mines a pool of which only what mining asks for exists; returns the process's peak, MB. */
export async function mineMany(folder, expressions, depth, threads, name) {
  const [{ createDenseScorer, minePool }, { silentProgress }] = [
    await load("mining/index.ts"),
    await load("io/index.ts"),
  ];
  const [images, texts] = [
    await openVectors(join(folder, "images.npy")),
    await openVectors(join(folder, "expressions.npy")),
  ];
  const candidates = Int32Array.from({ length: images.count }, (_, at) => at);
  const pool = {
    folder,
    manifest: { hash: "bench" },
    images: { count: images.count },
    expressions: { count: expressions, ref: Int32Array.from({ length: expressions }, (_, at) => at >> 2) },
    refs: { image: Int32Array.from({ length: (expressions >> 2) + 1 }, (_, at) => at % images.count) },
    targetsOfRef: () => Int32Array.of(0),
  };
  const scorer = await createDenseScorer(
    images,
    { ...texts, count: expressions },
    { candidates, threads, files: true },
  );
  const report = await minePool(pool, scorer, {
    name,
    rank: "t2i",
    depth,
    candidates,
    candidateSplits: ["train"],
    relevance: { kind: "bench", model: "signs", hash: "signs" },
    force: true,
    progress: silentProgress,
  });
  await scorer.close();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const coreSeconds = Number(((userCPUTime + systemCPUTime) / 1e6).toFixed(1));
  return { depth: report.manifest.depth, peakMegabytes: Math.round(maxRSS / 1000), coreSeconds };
}

export async function benchMiningMemory(size = {}) {
  const {
    images = option("images", 1_000_000),
    dimension = option("dimension", 512),
    depth = option("depth", 300),
  } = size;
  const { few = option("few", 2100), many = option("many", 4200), bits = option("bits", 32), apart = true } = size;
  const folder = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));
  try {
    await writeManyVectors(join(folder, "images.npy"), images, dimension, bits);
    await writeManyVectors(join(folder, "expressions.npy"), Math.max(few, many), dimension, bits);
    const rows = [];
    for (const expressions of [few, many].filter((count) => count > 0)) {
      // More than one step of 2,048, so that both threads have work.
      const start = performance.now();
      const args = [folder, expressions, depth, 2, `n${expressions}`];
      const { peakMegabytes, coreSeconds } = apart ? inProcess(args) : await mineMany(...args);
      const took = (performance.now() - start) / 1000;
      rows.push({
        what: `${images} × ${dimension}${bits === 32 ? "" : ` of ${bits} bits`}, top ${depth}`,
        expressions,
        peakMegabytes,
        seconds: Number(took.toFixed(1)),
        coreSeconds,
        goal: "< 3000 MB",
      });
      if (!(await readdir(join(folder, "mined", `n${expressions}`))).includes("mined.json"))
        throw new Error("nothing was mined");
      await rm(join(folder, "mined"), { recursive: true });
    }
    return { bench: "mining-memory", rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inProcess(args) {
  const script = `const { mineMany } = await import(${JSON.stringify(import.meta.url)});
    console.log(JSON.stringify(await mineMany(...${JSON.stringify(args)})));`;
  const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  if (done.status !== 0) throw new Error(`ended with ${done.status ?? done.signal}: ${done.stderr}`);
  return JSON.parse(done.stdout);
}

await main(import.meta.url, () => benchMiningMemory());
