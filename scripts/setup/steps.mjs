import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ensureBuild } from "./build.mjs";
import { findChromium } from "./chromium.mjs";
import { faultOfLock } from "./node-modules.mjs";
import { cacheFolder, inRepo } from "./places.mjs";
import { tallyOfPytest } from "./pytest-tally.mjs";
import { answerOf, runCommand } from "./run-command.mjs";

const minutes = 60_000;

/**
 * The steps of `npm test`, in order: {name, about, needs, run}. `needs` names what setup must bring ("python", "chromium",
 * "dist"); `run({python})` resolves to {passed, failed, skipped: [{file, title, reason}], notes} for a step of many tests,
 * or to `passed()`, `failed(why)` or `skipped(why)` for one check.
 */
export const steps = [
  {
    name: "lock",
    about: "npm ci would take package-lock.json on a fresh machine",
    needs: [],
    run: async () => {
      const fault = await faultOfLock();
      return fault === undefined ? passed() : failed(fault);
    },
  },
  {
    name: "types",
    about: "TypeScript's compiler, strict, over sources, tests and benchmarks",
    needs: [],
    run: () => check("typescript/bin/tsc", ["--noEmit", "-p", "tsconfig.json"]),
  },
  {
    name: "svelte",
    about: "svelte-check over the studio's page",
    needs: [],
    run: () => {
      const page = "src/studio/page";
      if (!existsSync(inRepo(page, "tsconfig.json"))) return skipped(`there is no ${page}/tsconfig.json`);
      return check("svelte-check/bin/svelte-check", [
        "--workspace",
        page,
        "--tsconfig",
        "tsconfig.json",
        "--output",
        "human",
      ]);
    },
  },
  {
    name: "lint",
    about: "biome: rules and format",
    needs: [],
    run: () => check("@biomejs/biome/bin/biome", ["check", "."]),
  },
  { name: "build", about: "dist/: the command, the library, the studio's page", needs: [], run: build },
  {
    name: "package",
    about: "publint: what npm would publish can be imported",
    needs: ["dist"],
    run: () => {
      if (!existsSync(inRepo("dist", "index.js"))) return failed("there is no dist/index.js, which package.json names");
      return check("publint/src/cli.js", ["--strict", "."]);
    },
  },
  {
    name: "unit",
    about: "vitest: unit, contract, property and document tests, and comparisons with Python peers",
    needs: ["python", "dist"],
    run: ({ python }) =>
      vitest("unit", [], { timeoutMs: 25 * minutes, env: python ? { NEMOSAIC_PYTHON: python } : {} }),
  },
  { name: "client-types", about: "mypy over the Python client", needs: ["python"], run: mypy },
  {
    name: "client",
    about: "pytest over the Python client, against the built command",
    needs: ["python", "dist"],
    run: pytest,
  },
  { name: "browser", about: "vitest: the studio in a real Chromium", needs: ["chromium", "dist"], run: browser },
];

/** The result of a single check that passed. */
export function passed() {
  return { passed: 1, failed: 0, skipped: [], notes: [] };
}

/** The result of a step that failed as a whole, and why. */
export function failed(why) {
  return { passed: 0, failed: 1, skipped: [], notes: [], why };
}

/** The result of a step that did not run, and why. */
export function skipped(why) {
  return { passed: 0, failed: 0, skipped: [{ file: "", title: "the whole step", reason: why }], notes: [], why };
}

async function check(script, args) {
  const done = await runNode(script, args, { timeoutMs: 5 * minutes });
  return done.ok ? passed() : failed(endOf(done));
}

async function build() {
  try {
    await ensureBuild({ force: true });
    return passed();
  } catch (error) {
    return failed(error.message);
  }
}

async function vitest(name, args, { timeoutMs, env }) {
  const report = reportFile(`vitest-${name}.json`);
  const reporters = ["--reporter", "default", "--reporter", inRepo("scripts", "setup", "vitest-tally.mjs")];
  const done = await runNode("vitest/vitest.mjs", ["run", ...reporters, ...args], {
    timeoutMs,
    env: { ...env, NEMOSAIC_TALLY: report },
  });
  return judged(done, existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined);
}

function browser() {
  const folder = inRepo("test", "browser");
  if (!existsSync(folder) || !readdirSync(folder, { recursive: true }).some((file) => file.endsWith(".test.ts")))
    return skipped("there is no test in test/browser");
  if (!existsSync(inRepo("dist", "cli", "main.js"))) return failed("there is no dist/cli/main.js: the build failed");
  const chromium = findChromium();
  if (chromium === undefined) return skipped("there is no Chromium (Debian: chromium; or set NEMOSAIC_CHROMIUM)");
  return vitest("browser", ["--config", "vitest.browser.config.ts"], {
    timeoutMs: 10 * minutes,
    env: { NEMOSAIC_CHROMIUM: chromium },
  });
}

async function mypy({ python }) {
  const packages = [inRepo("python"), inRepo("python", "src")]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((folder) => existsSync(join(folder, "__init__.py")));
  if (packages.length === 0) return skipped("there is no package in python/");
  const lack = lackOf(python, "mypy");
  if (lack !== undefined) return skipped(lack);
  const cache = join(cacheFolder(), "mypy");
  const args = ["-m", "mypy", "--cache-dir", cache, ...packages];
  const done = await runCommand(python, args, { timeoutMs: 5 * minutes, cwd: inRepo("python"), show: true });
  return done.ok ? passed() : failed(endOf(done));
}

async function pytest({ python }) {
  const tests = inRepo("python", "tests");
  if (!existsSync(tests)) return skipped("there is no python/tests");
  const lack = lackOf(python, "pytest");
  if (lack !== undefined) return skipped(lack);
  const report = reportFile("pytest.xml");
  const path = [inRepo("python"), inRepo("python", "src"), process.env.PYTHONPATH].filter(Boolean).join(delimiter);
  const args = ["-m", "pytest", tests, "-rs", "-q", "-p", "no:cacheprovider", `--junitxml=${report}`];
  const env = { PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: "1", NEMOSAIC_PYTHON: python };
  const done = await runCommand(python, args, { timeoutMs: 10 * minutes, cwd: inRepo("python"), env, show: true });
  return judged(done, existsSync(report) ? tallyOfPytest(readFileSync(report, "utf8")) : undefined);
}

function lackOf(python, module) {
  if (python === undefined) return "there is no Python for tests (setup said why)";
  return answerOf(python, ["-c", `import ${module}`]) === undefined ? `${python} cannot import ${module}` : undefined;
}

/** The tally of a test runner; a run that was cut short, ran nothing or failed without a failed test counts one failure. */
function judged(done, tally) {
  if (tally === undefined) return failed(`${endOf(done)} and left no report`);
  if (!done.ok && (tally.failed === 0 || done.timedOut))
    return { ...tally, failed: tally.failed + 1, why: endOf(done) };
  if (tally.passed + tally.failed + tally.skipped.length === 0) return failed("it ran no test");
  return tally;
}

function endOf(done) {
  return done.timedOut ? "it took too long and was stopped" : `it ended with exit code ${done.code}`;
}

function runNode(script, args, options) {
  const file = inRepo("node_modules", ...script.split("/"));
  return runCommand(process.execPath, [file, ...args], { ...options, show: true });
}

function reportFile(name) {
  const file = join(cacheFolder(), name);
  rmSync(file, { force: true });
  return file;
}
