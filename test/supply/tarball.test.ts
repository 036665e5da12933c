import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireBuilt } from "../kill/workplace.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";

const root = resolve(import.meta.dirname, "..", "..");
let folder: string;
let files: string[] = [];

function ran(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout: 100_000,
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
  });
  if (done.status !== 0) throw new Error(`${command} ${args.join(" ")}: ${done.stderr || done.stdout || done.error}`);
  return done.stdout;
}

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
  const [packed] = JSON.parse(ran("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], root));
  files = packed.files.map(({ path }: { path: string }) => path);
  // npm would unpack the tarball and fetch the locked packages; here they are taken from the checkout: no network.
  const place = join(folder, "node_modules", "nemosaic");
  mkdirSync(place, { recursive: true });
  ran("tar", ["-xzf", join(folder, packed.filename), "-C", place, "--strip-components=1"], folder);
  const manifest = JSON.parse(ran("tar", ["-xzOf", join(folder, packed.filename), "package/package.json"], folder));
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (name.startsWith(".") || Object.keys(manifest.devDependencies).includes(name)) continue;
    if (!existsSync(join(folder, "node_modules", name)))
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  writeFileSync(join(folder, "package.json"), '{"type": "module"}');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  it("holds the program, its assets and licences, and nothing else", () => {
    for (const path of [
      "package.json",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "dist/cli/main.js",
      "dist/index.js",
      "dist/index.d.ts",
      "assets/NOTICE.md",
      "assets/clip-merges.txt.gz",
      "models/scene-clip/onnx/text_model.onnx",
      "models/scene-clip/onnx/vision_model.onnx",
      "models/scene-clip/tokenizer.json",
      "models/scene-clip/README.md",
    ])
      expect(files).toContain(path);
    expect(
      files.filter(
        (path) =>
          !/^(dist\/|assets\/|models\/scene-clip\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$)/.test(path),
      ),
    ).toEqual([]);
    expect(
      files.filter((path) => /\.(test|contract)\.|(^|\/)(src|test|bench|shared)\/|\.env|\.npmrc/.test(path)),
    ).toEqual([]);
    expect(files.length).toBeGreaterThan(200);
  });

  it("runs from its tarball in an empty folder: command and library", async () => {
    const main = join(folder, "node_modules", "nemosaic", "dist", "cli", "main.js");
    expect(ran(process.execPath, [main, "--version"], folder)).toMatch(/^\d+\.\d+\.\d+\n$/);
    await writeSmallRefer(folder, 6);
    ran(process.execPath, [main, "import", "refer", "tiny", "--images", "images", "--pool", "pool"], folder);
    ran(process.execPath, [main, "embed", "pool", "--model", "lexical"], folder);
    expect(ran(process.execPath, [main, "mine", "pool"], folder)).toMatch(/mined\/default/);
    writeFileSync(
      join(folder, "use.js"),
      'import * as nemosaic from "nemosaic"; const pool = await nemosaic.Pool.open("pool"); console.log(pool.images.count); await pool.close();',
    );
    expect(ran(process.execPath, ["use.js"], folder)).toBe("6\n");
  }, 120_000);
});
