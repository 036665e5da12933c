// npm test [-- --only STEP,STEP]: installs what is missing, runs every check, sums up.
import "./setup/node-version.mjs";
import { ensureBuild } from "./setup/build.mjs";
import { ensureNodeModules } from "./setup/node-modules.mjs";
import { isStrict } from "./setup/places.mjs";
import { failed, passed, skipped, steps } from "./setup/steps.mjs";
import { summaryOf } from "./setup/summary.mjs";
import { ensureSystemPackages, systemPackages } from "./setup/system-packages.mjs";
import { ensureVenv } from "./setup/venv.mjs";

if (!process.stdout.isTTY && process.env.FORCE_COLOR === undefined) process.env.NO_COLOR = "1";
const chosen = chooseSteps(process.argv.slice(2));
const rows = [];

const modules = await timed("npm packages", installModules);
rows.push(modules);
if (modules.failed > 0) {
  for (const { name } of chosen) rows.push({ name, seconds: 0, ...skipped("the npm packages are not installed") });
} else {
  const needs = new Set(chosen.flatMap((step) => step.needs));
  let python;
  if (needs.has("python") || needs.has("chromium")) {
    rows.push(
      await timed("peers", async () => {
        const found = await installPeers(needs);
        python = found.python;
        return found.result;
      }),
    );
  }
  let isDistTried = false;
  for (const step of chosen) {
    if (step.needs.includes("dist") && !isDistTried) await buildBeforehand();
    isDistTried ||= step.name === "build" || step.needs.includes("dist");
    process.stdout.write(`\n== ${step.name}: ${step.about} ==\n`);
    const row = await timed(step.name, () => step.run({ python }));
    if (row.why !== undefined) process.stdout.write(`${row.failed > 0 ? "failed" : "did not run"}: ${row.why}\n`);
    rows.push(row);
  }
}

process.stdout.write(`\n${summaryOf(rows)}\n`);
process.exitCode = rows.some((row) => row.failed > 0) ? 1 : 0;

async function timed(name, act) {
  const began = Date.now();
  let result;
  try {
    result = await act();
  } catch (error) {
    process.stderr.write(`${error.stack}\n`);
    result = failed(error.message);
  }
  return { name, seconds: (Date.now() - began) / 1000, ...result };
}

async function installModules() {
  try {
    await ensureNodeModules();
    return passed();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    return failed(error.message);
  }
}

/** Brings Debian's packages and the virtual environment; what is missing is told, and fails the run only when strict. */
async function installPeers(needs) {
  const wanted = systemPackages.filter(({ name }) => needs.has(name === "chromium" ? "chromium" : "python"));
  const missing = (await ensureSystemPackages(wanted)).map(({ name, why }) => `${name}: ${why}`);
  const { python, problems } = needs.has("python") ? await ensureVenv() : { python: undefined, problems: [] };
  const lacks = [...missing, ...problems];
  if (lacks.length === 0) return { python, result: passed() };
  if (isStrict()) return { python, result: failed(lacks.join("; ")) };
  const told = lacks.map((reason) => ({ file: "", title: "missing", reason }));
  return { python, result: { passed: 0, failed: 0, skipped: told.slice(0, 1), notes: lacks.slice(1), why: lacks[0] } };
}

/** For a choice of steps without `build`: those that use dist/ get a current one, or the last that worked. */
async function buildBeforehand() {
  try {
    await ensureBuild();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  }
}

function chooseSteps(args) {
  const names = steps.map(({ name }) => name);
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`${helpText()}\n`);
    process.exit(0);
  }
  if (args.length === 0) return steps;
  const only = args[0].startsWith("--only=")
    ? [args[0].slice(7), ...args.slice(1)]
    : args[0] === "--only"
      ? args.slice(1)
      : [];
  const wanted = only.flatMap((word) => word.split(",")).filter((word) => word !== "");
  const unknown = wanted.filter((name) => !names.includes(name));
  if (wanted.length > 0 && unknown.length === 0) return steps.filter(({ name }) => wanted.includes(name));
  const what =
    unknown.length > 0 ? `no step is called ${unknown.join(", ")}` : `expected --only STEP,STEP, got ${args.join(" ")}`;
  process.stderr.write(`${what}; the steps are ${names.join(", ")}\n`);
  process.exit(2);
}

function helpText() {
  return `npm test                      all steps
npm test -- --only types,lint   some of them

steps:
${steps.map(({ name, about }) => `  ${name.padEnd(14)}${about}`).join("\n")}

environment:
  NEMOSAIC_SAMPLE       folder of real sample material; tests that need it say when they did not run
  NEMOSAIC_MODEL        folder of a real image-text model
  NEMOSAIC_PYTHON       interpreter for the Python tests, taken as it is instead of .venv
  NEMOSAIC_PYTHON_BASE  interpreter to put .venv on; default /usr/bin/python3
  NEMOSAIC_CHROMIUM     browser for the browser tests
  NEMOSAIC_NO_INSTALL   1: install nothing through apt and pip
  NEMOSAIC_STRICT       1: what is missing fails the run`;
}
