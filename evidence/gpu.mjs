// node evidence/gpu.mjs [--dry-run] [options of npm run evidence]: the proof's main arms on one GPU in ten minutes, with a wider tower at 416 pixels.
// --dry-run does the same on the CPU at a tiny size. Another call goes on where the time ran out.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const [, , ...words] = process.argv;
const isDry = words.includes("--dry-run");
const size = isDry ? ["--profile", "smoke", "--device", "cpu"] : ["--profile", "gpu", "--device", "cuda"];
const out = join(".scratch", isDry ? "evidence-gpu-dry" : "evidence-gpu");
const usual = ["--ground", "lone", "--arms", "none,p-cutmix,p-full-random,p-full", "--seeds", "0,1"];
const time = ["--jobs", isDry ? "1" : "4", "--minutes", "8"];
const { status } = spawnSync(
  process.execPath,
  [
    join(import.meta.dirname, "main.mjs"),
    ...["--out", out, ...size, ...usual, ...time],
    ...words.filter((word) => word !== "--dry-run"),
  ],
  { stdio: "inherit" },
);
process.exitCode = status ?? 1;
