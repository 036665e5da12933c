// Which Python trains.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./build.mjs";

/** The environment that `npm run evidence` makes from evidence/requirements.txt. */
export const venv = join(root, ".cache", "evidence-venv");

/** NEMOSAIC_PYTHON, else the experiment's environment, else the checkout's .venv, else python3. */
export function interpreterOf() {
  const found = [venv, join(root, ".venv")]
    .map((folder) => join(folder, "bin", "python"))
    .find((path) => existsSync(path));
  return process.env.NEMOSAIC_PYTHON || (found ?? "python3");
}

/** {version, cuda}. Throws where there is no torch. */
export function torchFacts(interpreter) {
  const code =
    "import json, numpy, torch; print(json.dumps({'version': torch.__version__, 'cuda': torch.cuda.is_available()}))";
  const { status, stdout } = spawnSync(interpreter, ["-c", code], { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(
      `expected PyTorch and NumPy in ${interpreter}: run npm run evidence -- --install, which makes .cache/evidence-venv from evidence/requirements.txt, or name another interpreter in NEMOSAIC_PYTHON`,
    );
  }
  return JSON.parse(stdout);
}

/** Makes the experiment's environment, where it is not there yet or its requirements have changed. Throws where pip fails. */
export function installRequirements(say) {
  const requirements = join(root, "evidence", "requirements.txt");
  const python = join(venv, "bin", "python");
  const run = (command, words) => {
    const { status, error } = spawnSync(command, words, { stdio: ["ignore", "inherit", "inherit"] });
    if (status !== 0) throw new Error(`${command} ${words.join(" ")} ended with ${error?.message ?? status}`);
  };
  if (!existsSync(python)) {
    say(`making ${venv}`);
    run(process.env.NEMOSAIC_PYTHON_BASE || "/usr/bin/python3", ["-m", "venv", venv]);
  }
  say(`installing ${requirements}`);
  run(python, ["-m", "pip", "install", "--quiet", "-r", requirements]);
}
