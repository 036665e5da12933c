import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { snapshot } from "./kill/workplace.ts";
import { scratchFolder } from "./small-pool.ts";

const root = resolve(import.meta.dirname, "..");
let folder: string;

/** Runs a program that imports the built package by its name, in a folder of its own. */
async function runExample(code: string): Promise<string> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
  });
  await writeFile(join(folder, "example.mjs"), outputText);
  const run = spawnSync(process.execPath, ["example.mjs"], { cwd: folder, encoding: "utf8", timeout: 200_000 });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
  return run.stdout;
}

beforeAll(async () => {
  if (!existsSync(join(root, "dist", "index.js")))
    throw new Error('dist/index.js is not there: run "npm run build" first');
  folder = await scratchFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules", "nemosaic"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the library, as docs/library.md has it", () => {
  it("makes a pool step by step, and says what the comments say", { timeout: 240_000 }, async () => {
    const text = readFileSync(join(root, "docs", "library.md"), "utf8");
    const section = text.slice(text.indexOf("## Make a pool"));
    const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? "";
    expect(code).toMatch(/importDataset/);
    const said = await runExample(code);
    expect(said).toMatch(/images: 20,/);
    expect(said).toMatch(/kind: 'vectors',\n {2}images: 20,/);
    expect(said).toMatch(/\n-?\d\.\d+\n\[/);
    expect(said).toMatch(/\[ 'mined\/parts' \]/);
    expect(said).toMatch(/\n[1-9]\d* (1|0\.\d+)\n$/);
    expect((await readdir(join(folder, "pool", "mined"))).sort()).toEqual(["default", "parts"]);
    const [one, parts] = await Promise.all(
      ["default", "parts"].map((name) => snapshot(join(folder, "pool", "mined", name))),
    );
    expect(parts).toEqual(one);
    for (const name of ["importDataset", "embed", "mine", "makeTiles", "merge", "importLists"])
      expect(section, name).toMatch(new RegExp(`^\\| \`${name}\\(`, "m"));
  });
});
