// node bench/studio.mjs [EXPRESSIONS] [DEPTH]: the studio's page in Chromium on a large generated pool, as JSON on standard
// output. Needs a build (npm run build) and Chromium. Measured by
// test/browser/studio-speed.test.ts, which says how; exits 1 where a goal is missed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";

const goals = [
  ["firstListMs", (ms) => ms < 1500, "under 1.5 s"],
  ["listAgainMs", (ms) => ms < 1500, "under 1.5 s"],
  ["tauDragFramesPerSecond", (rate) => rate >= 30, "30 and more"],
];
const root = resolve(import.meta.dirname, "..");
const [expressions = "142000", depth = "512"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "nemosaic-bench-"));
const result = join(folder, "result.json");
try {
  const done = spawnSync(
    process.execPath,
    [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      "run",
      "--config",
      "vitest.browser.config.ts",
      "test/browser/studio-speed.test.ts",
    ],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
      env: {
        ...process.env,
        TMPDIR: folder,
        NEMOSAIC_STUDIO_EXPRESSIONS: expressions,
        NEMOSAIC_STUDIO_DEPTH: depth,
        NEMOSAIC_STUDIO_RESULT: result,
      },
    },
  );
  if (!existsSync(result)) throw new Error("the measurement left no result; see above");
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? "", node: process.versions.node };
  const numbers = JSON.parse(readFileSync(result, "utf8"));
  const missed = goals.filter(([name, holds]) => !holds(numbers[name])).map(([name, , goal]) => `${name}: ${goal}`);
  process.stdout.write(`${JSON.stringify({ ...numbers, missed, ...machine }, undefined, 2)}\n`);
  process.exitCode = missed.length > 0 ? 1 : (done.status ?? 1);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
