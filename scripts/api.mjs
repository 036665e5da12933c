// npm run api [-- --out FOLDER]: the reference of the public interface from its doc comments, TypeScript (TypeDoc) and Python (pydoc).
import "./setup/node-version.mjs";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { ensureNodeModules } from "./setup/node-modules.mjs";
import { inRepo } from "./setup/places.mjs";

const help = `npm run api                     api/typescript/index.html and api/python/nemosaic.html
npm run api -- --out FOLDER     the same below another folder`;

try {
  const { parseArgs } = await import("node:util");
  const { values } = parseArgs({
    options: { help: { type: "boolean", short: "h", default: false }, out: { type: "string", default: "api" } },
  });
  if (values.help) process.stdout.write(`${help}\n`);
  else {
    await ensureNodeModules();
    const out = resolve(values.out);
    writeTypescriptReference(join(out, "typescript"));
    writePythonReference(join(out, "python"));
    process.stdout.write(`${join(out, "typescript", "index.html")}\n${join(out, "python", "nemosaic.html")}\n`);
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code?.startsWith("ERR_PARSE_ARGS") ? 2 : 1;
}

function writeTypescriptReference(folder) {
  const options = ["--entryPoints", "src/index.ts", "--tsconfig", "tsconfig.json", "--readme", "docs/library.md"];
  const quiet = ["--logLevel", "Error", "--disableSources", "--excludePrivate", "--skipErrorChecking"];
  const typedoc = inRepo("node_modules", "typedoc", "bin", "typedoc");
  run(process.execPath, [typedoc, ...options, ...quiet, "--name", "nemosaic", "--out", folder], inRepo());
}

/** One page for what `nemosaic` exports, one for each module behind it: pydoc writes into the folder it runs in. */
function writePythonReference(folder) {
  mkdirSync(folder, { recursive: true });
  const modules = readdirSync(inRepo("python", "nemosaic"))
    .filter((name) => name.endsWith(".py") && !name.startsWith("__"))
    .map((name) => `nemosaic.${name.slice(0, -3)}`);
  run(findPython(), ["-m", "pydoc", "-w", "nemosaic", ...modules], folder, { PYTHONPATH: inRepo("python") });
}

/** The tests' interpreter where there is one: the client needs NumPy to be imported. */
function findPython() {
  const own = inRepo(".venv", "bin", "python");
  return process.env.NEMOSAIC_PYTHON ?? (existsSync(own) ? own : "python3");
}

function run(command, args, cwd, env = {}) {
  const done = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, ...env } });
  if (done.status === 0) return;
  const why = done.error?.message ?? `${done.stdout}${done.stderr}`.trim();
  const hint = why.includes("No module named 'numpy'") ? "; NEMOSAIC_PYTHON names a Python with NumPy" : "";
  throw new Error(`${command} ${args.slice(0, 3).join(" ")} … ended with ${done.status}: ${why}${hint}`);
}
