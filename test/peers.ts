import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const told = new Set<string>();

/**
 * The Python interpreter that holds the peers (pycocotools, cv2, Pillow, torch, …): `NEMOSAIC_PYTHON`, else
 * `.venv/bin/python` of the repository; undefined, with one line on the console, where there is neither.
 */
export function python(): string | undefined {
  const named = process.env.NEMOSAIC_PYTHON;
  if (named !== undefined && named !== "") return named;
  const local = join(root, ".venv", "bin", "python");
  if (existsSync(local)) return local;
  tellOnce("comparisons with Python did not run: NEMOSAIC_PYTHON is not set and .venv/bin/python does not exist");
  return undefined;
}

/**
 * Whether the interpreter can import every one of `modules`; says once which it lacks.
 */
export function pythonHas(...modules: string[]): boolean {
  const interpreter = python();
  if (interpreter === undefined) return false;
  const probe = spawnSync(interpreter, ["-c", `import ${modules.join(", ")}`], { encoding: "utf8" });
  if (probe.status === 0) return true;
  const reason = probe.stderr.trim().split("\n").at(-1) ?? String(probe.error);
  tellOnce(`comparisons with ${modules.join(", ")} did not run: ${reason}`);
  return false;
}

/**
 * Runs `script` (Python source text) with `args` as `sys.argv[1:]` and `stdin` as UTF-8 text on its standard input;
 * returns its standard output. A failing script throws with its standard error, as does a missing interpreter.
 */
export function runPython(script: string, args: readonly string[], stdin?: string): string {
  return runPythonBytes(script, args, stdin === undefined ? undefined : Buffer.from(stdin)).toString("utf8");
}

/** Ends Python at once when a script is done: libraries with threads (pyarrow) now and then abort while they shut down. */
const ending = "import os, sys; sys.stdout.flush(); sys.stderr.flush(); os._exit(0)";

/** As `runPython`, with bytes in (read them from `sys.stdin.buffer`) and bytes out (`sys.stdout.buffer`). */
export function runPythonBytes(script: string, args: readonly string[], stdin?: Uint8Array): Buffer {
  const interpreter = python();
  if (interpreter === undefined) throw new Error("no Python interpreter: guard the test with python()");
  const done = spawnSync(interpreter, ["-c", `${script}\n${ending}`, ...args], {
    input: stdin ?? new Uint8Array(0),
    maxBuffer: 2 ** 30,
    env: { ...process.env, PYTHONIOENCODING: "utf-8" },
  });
  if (done.error !== undefined) throw done.error;
  if (done.status !== 0) {
    throw new Error(`Python ended with ${done.status ?? done.signal}:\n${done.stderr.toString("utf8")}`);
  }
  return done.stdout;
}

/** The folder of real sample material: `NEMOSAIC_SAMPLE`, else `../shared/sample` where it exists. */
export function sampleDir(): string | undefined {
  return folder("NEMOSAIC_SAMPLE", resolve(root, "..", "shared", "sample"), "tests on the sample material");
}

/** The folder of a real image-text model, from `NEMOSAIC_MODEL`. */
export function modelDir(): string | undefined {
  return folder("NEMOSAIC_MODEL", undefined, "tests with a real model");
}

/** The folder of photographs with computable truth, from `NEMOSAIC_GROUND`. */
export function groundDir(): string | undefined {
  return folder("NEMOSAIC_GROUND", undefined, "calibration on photographs with truth");
}

function folder(variable: string, fallback: string | undefined, what: string): string | undefined {
  const named = process.env[variable];
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    tellOnce(`${what} did not run: ${variable} names a folder that does not exist`);
    return undefined;
  }
  if (fallback !== undefined && existsSync(fallback)) return fallback;
  tellOnce(`${what} did not run: ${variable} is not set`);
  return undefined;
}

function tellOnce(message: string): void {
  if (told.has(message)) return;
  told.add(message);
  console.warn(message);
}
