import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

it("every compiled kernel is what its AssemblyScript source gives", () => {
  const done = spawnSync(process.execPath, ["scripts/kernels.mjs", "--check"], { cwd: root, encoding: "utf8" });
  expect(done.stderr).toBe("");
  expect(done.stdout).toMatch(/^[1-9]\d* compiled kernels are what their sources give\n$/);
}, 60_000);
