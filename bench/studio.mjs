// node bench/studio.mjs [EXPRESSIONS] [DEPTH]: the studio's page in Chromium on a large generated pool, as JSON on standard
// output. Needs a build (npm run build) and Chromium. Measured by test/browser/studio-speed.test.ts, which says how.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";

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
  process.stdout.write(
    `${JSON.stringify({ ...JSON.parse(readFileSync(result, "utf8")), ...machine }, undefined, 2)}\n`,
  );
  process.exitCode = done.status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
