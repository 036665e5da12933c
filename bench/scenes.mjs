// Scenes a second, drawn and written as `nemosaic scenes` does: node bench/scenes.mjs [COUNT] (after npm run build).
// Prints one line of JSON: rates for one thread and for all cores, their ratio, and the most memory that was held.
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { writeScenes } from "../dist/scenes/index.js";

const count = Number(process.argv[2] ?? 400);
const root = await mkdtemp(join(tmpdir(), "nemosaic-bench-"));

async function rate(workers, name) {
  const start = performance.now();
  await writeScenes(join(root, name), { count, seed: 1, workers });
  return (count * 1000) / (performance.now() - start);
}

try {
  await writeScenes(join(root, "warm-up"), { count: 32, workers: 0 });
  const before = process.cpuUsage();
  const one = await rate(0, "one");
  const cpu = process.cpuUsage(before);
  const all = await rate(availableParallelism(), "all");
  const result = {
    bench: "scenes",
    count,
    cores: availableParallelism(),
    // Does not depend on what else the machine does.
    cpuMillisecondsPerScene: Number(((cpu.user + cpu.system) / 1000 / count).toFixed(1)),
    oneThreadPerSecond: Number(one.toFixed(1)),
    allCoresPerSecond: Number(all.toFixed(1)),
    speedUp: Number((all / one).toFixed(2)),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  console.log(JSON.stringify(result));
} finally {
  await rm(root, { recursive: true, force: true });
}
