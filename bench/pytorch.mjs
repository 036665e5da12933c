// Samples a second into torch tensors: bench/pytorch_loader.py, in rows of the table. Its last line is the result as JSON.
//
//   npm run build && node bench/pytorch.mjs [--seconds 3] [--repeats 3]
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { main, option, python, root, sampleDir } from "./measure.mjs";

const goals = {
  "warm uint8": "≥ 60",
  "warm float32": "≥ 25",
  "warm full-size uint8": "≥ 40",
  "second epoch uint8": "≥ 40",
  "cold opencv uint8": "≥ 3",
  "cold opencv float32": "≥ 3",
  "cold fast uint8": "≥ 3",
  "cold fast float32": "≥ 3",
};
/** To the reference in as many processes as cores. */
const goalsToAll = {
  "cold opencv uint8": "≥ 1.2",
  "cold opencv float32": "≥ 1.2",
  "cold fast uint8": "≥ 2",
  "cold fast float32": "≥ 2",
};

export function benchPytorch(size = {}) {
  const { seconds = option("seconds", 3), repeats = option("repeats", 3), pool } = size;
  const interpreter = python("torch", "cv2", "numpy");
  if (interpreter === undefined) return { bench: "pytorch", rows: [], notes: { lacks: "Python with torch and cv2" } };
  const sample = sampleDir();
  const words = ["--seconds", seconds, "--repeats", repeats, ...(pool === undefined ? [] : ["--pool", pool])];
  const done = spawnSync(interpreter, [join(root, "bench", "pytorch_loader.py"), ...words.map(String)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...(sample === undefined ? {} : { NEMOSAIC_SAMPLE: sample }) },
  });
  if (done.status !== 0) throw new Error("bench/pytorch_loader.py failed; its reason stands above");
  const { rates, machine, material } = JSON.parse(done.stdout);
  return { bench: "pytorch", rows: rowsOf(rates), notes: { material, torch: machine.torch, opencv: machine.opencv } };
}

/** Ours were not measured in the same turns as the reference's: the ratio's ends are the worst and the best of both. */
export function rowsOf(rates) {
  const peers = Object.keys(rates).filter((name) => name.startsWith("reference"));
  return Object.keys(rates)
    .filter((name) => !peers.includes(name))
    .flatMap((name) =>
      peers.map((peer) => {
        const [ours, theirs] = [rates[name], rates[peer]];
        const ratio = {
          median: ours.median / theirs.median,
          low: ours.low / theirs.high,
          high: ours.high / theirs.low,
        };
        const wanted = (peer.endsWith("1 process") ? goals : goalsToAll)[name];
        const goal = wanted === undefined ? {} : { goal: wanted };
        const what = `2×2 at 416 into torch, ${name}`;
        return {
          what,
          unit: "samples/s",
          ours,
          peer: peer.replace("reference", "the reference's steps"),
          theirs,
          ratio,
          ...goal,
        };
      }),
    );
}

await main(import.meta.url, () => benchPytorch());
