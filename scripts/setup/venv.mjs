import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onPath } from "./chromium.mjs";
import { withSetupLock } from "./lock.mjs";
import { say } from "./log.mjs";
import { cacheFolder, inRepo, installingIsForbidden } from "./places.mjs";
import { answerOf, runInstaller, tailOf } from "./run-command.mjs";

const debianPython = "/usr/bin/python3";
const stampName = ".nemosaic.json";

/** What is installed, in this order. */
const requirementFiles = [
  { file: "requirements-test.txt", options: [] },
  // Every package is named there: what they ask of torch, Debian's name of its version does not fulfil.
  { file: "requirements-trainers.txt", options: ["--no-deps"] },
];

/** Debian's modules, then PyPI's: what the Python tests and the comparisons import. */
const modules = ["numpy", "torch", "cv2", "faiss"].concat([
  ...[
    "pycocotools.mask",
    "pyarrow",
    "lmdb",
    "webdataset",
    "PIL",
    "pandas",
    "onnx",
    "ftfy",
    "pytest",
    "mypy",
    "huggingface_hub",
    "lightning",
    "accelerate",
    "nbclient",
    "ipykernel",
  ],
]);

const probe = `
import importlib, json, sys
absent = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        absent[name] = (str(error).strip().splitlines() or [type(error).__name__])[0]
try:
    maps = open("/proc/self/maps").read()
except OSError:
    maps = ""
print(json.dumps({"absent": absent, "openblas": "openblas" in maps, "checked": bool(maps)}))
`;

/**
 * Makes the virtual environment .venv over Debian's Python (`NEMOSAIC_PYTHON_BASE` names another base) with its system
 * packages visible, and installs python/requirements-test.txt and -trainers.txt into it, unless that was done. Resolves to
 * {python, problems}: the interpreter, or undefined where there is none, and what is missing, a line each, which is also
 * said on standard error. `NEMOSAIC_PYTHON` names an interpreter to take as it is. Never throws for what is missing.
 */
export async function ensureVenv() {
  const named = process.env.NEMOSAIC_PYTHON;
  const { python, problems } = named ? takeNamed(named) : await makeVenv();
  const found = python === undefined ? [] : problemsOf(python);
  const all = [...problems, ...found];
  for (const problem of all) say(`Python: ${problem}`);
  return { python, problems: all };
}

function takeNamed(python) {
  if (answerOf(python, ["-c", "pass"]) !== undefined) return { python, problems: [] };
  return { python: undefined, problems: [`NEMOSAIC_PYTHON names ${python}, which does not start`] };
}

async function makeVenv() {
  const venv = inRepo(".venv");
  const python = join(venv, "bin", "python");
  const base = process.env.NEMOSAIC_PYTHON_BASE || (existsSync(debianPython) ? debianPython : onPath("python3"));
  if (base === undefined) return { python: undefined, problems: ["there is no python3 on this machine"] };
  const facts = answerOf(base, ["-c", "import sys; print(sys.executable, sys.version)"]);
  if (facts === undefined) return { python: undefined, problems: [`${base} does not start (the base of .venv)`] };

  const numpy = answerOf(base, ["-c", "import numpy; print(numpy.__version__)"]);
  const contents = requirementFiles.map(({ file }) => readFileSync(inRepo("python", file), "utf8"));
  const stamp = hashOf([facts, numpy ?? "", ...contents]);
  const isMade = () => readStamp(venv) === stamp && answerOf(python, ["-c", "pass"]) !== undefined;
  if (isMade()) return { python, problems: [] };
  if (installingIsForbidden()) {
    const there = answerOf(python, ["-c", "pass"]) !== undefined;
    const what = there ? ".venv is not up to date" : "there is no .venv";
    return { python: there ? python : undefined, problems: [`${what}, and NEMOSAIC_NO_INSTALL forbids changing that`] };
  }
  return withSetupLock(async () =>
    isMade() ? { python, problems: [] } : install({ base, venv, python, numpy, stamp }),
  );
}

async function install({ base, venv, python, numpy, stamp }) {
  if (baseOf(python) !== baseOf(base)) {
    rmSync(venv, { recursive: true, force: true });
    const args = ["-m", "venv", "--system-site-packages", venv];
    const made = await runInstaller("Python: virtual environment .venv", base, args, { timeoutMs: 2 * 60_000 });
    if (!made.ok) {
      say(tailOf(made.output, 4));
      rmSync(venv, { recursive: true, force: true });
      return { python: undefined, problems: [`${base} cannot make a virtual environment (Debian: python3-venv)`] };
    }
  }
  const constraints = join(cacheFolder(), "python-constraints.txt");
  writeFileSync(constraints, numpy === undefined ? "" : `numpy==${numpy}\n`);
  const args = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--only-binary=:all:"];
  for (const { file, options } of requirementFiles) {
    const done = await runInstaller(
      `Python: pip install -r python/${file}`,
      python,
      [...args, "--retries", "1", "--timeout", "30", ...options, "-r", inRepo("python", file), "-c", constraints],
      { timeoutMs: 8 * 60_000 },
    );
    if (done.ok) continue;
    say(tailOf(done.output, 4));
    const why = done.timedOut ? "took over 8 minutes" : "failed, see above";
    return { python, problems: [`pip install -r python/${file} ${why}`] };
  }
  writeFileSync(join(venv, stampName), `${JSON.stringify({ stamp })}\n`);
  return { python, problems: [] };
}

/** What cannot be imported, or is slow. */
function problemsOf(python) {
  const answer = answerOf(python, ["-c", probe, ...modules]);
  if (answer === undefined) return [`${python} could not be asked what it can import`];
  const { absent, openblas, checked } = JSON.parse(answer);
  const isPlain = ([, reason]) => reason.startsWith("No module named");
  const plain = Object.entries(absent).filter(isPlain);
  const odd = Object.entries(absent).filter((entry) => !isPlain(entry));
  const problems = odd.map(([name, reason]) => `cannot import ${name} (${reason}): the checks that need it do not run`);
  if (plain.length > 0)
    problems.push(`not installed: ${plain.map(([name]) => name).join(", ")}; the checks that need them do not run`);
  if (checked && !openblas && absent.numpy === undefined)
    problems.push("numpy does not use OpenBLAS (Debian: libopenblas0-pthread): timings against it mean nothing");
  return problems;
}

function baseOf(python) {
  return answerOf(python, ["-c", "import os, sys; print(os.path.realpath(sys.executable), sys.version)"]);
}

function readStamp(venv) {
  const file = join(venv, stampName);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).stamp : undefined;
}

function hashOf(parts) {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
