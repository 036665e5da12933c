// Which Python trains.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./build.mjs";

/** NEMOSAIC_PYTHON, else the checkout's .venv, else python3. Throws where it lacks torch. */
export function interpreterOf() {
  const local = join(root, ".venv", "bin", "python");
  return process.env.NEMOSAIC_PYTHON || (existsSync(local) ? local : "python3");
}

/** {version, cuda}. Throws where there is no torch. */
export function torchFacts(interpreter) {
  const code =
    "import json, numpy, torch; print(json.dumps({'version': torch.__version__, 'cuda': torch.cuda.is_available()}))";
  const { status, stdout } = spawnSync(interpreter, ["-c", code], { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(
      `expected PyTorch and NumPy in ${interpreter}: install them (Debian: python3-torch, libopenblas0-pthread), or name another interpreter in NEMOSAIC_PYTHON`,
    );
  }
  return JSON.parse(stdout);
}
