import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { scratchFolder } from "./small-pool.ts";

const root = resolve(import.meta.dirname, "..");
const versioned = [
  "package.json",
  "package-lock.json",
  "python/pyproject.toml",
  "python/nemosaic/__init__.py",
  "python/nemosaic/_client.py",
  "CITATION.cff",
  "docs/install.md",
];
const scripts = ["scripts/release.mjs", "scripts/release", "scripts/setup/node-version.mjs"];
const folders: string[] = [];
let clone: string;

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function git(...args: string[]): string {
  const identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"];
  const done = spawnSync("git", [...identity, ...args], { cwd: clone, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
  return done.stdout;
}

function release(...args: string[]): { status: number | null; output: string } {
  const done = spawnSync(process.execPath, ["scripts/release.mjs", ...args], {
    cwd: clone,
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${join(clone, "fakes")}:${process.env.PATH}`,
      ...Object.fromEntries(
        ["AUTHOR", "COMMITTER"].flatMap((who) => [
          [`GIT_${who}_NAME`, "Tester"],
          [`GIT_${who}_EMAIL`, "tester@example.org"],
        ]),
      ),
    },
  });
  return { status: done.status, output: `${done.stdout}${done.stderr}` };
}

function announce(heading: string, entries = "- Something new."): void {
  writeFileSync(
    join(clone, "CHANGELOG.md"),
    `# Changelog\n\n## ${heading}\n\n${entries}\n\n## 0.0.9 (2026-01-02)\n\n- Old.\n`,
  );
  git("add", "-A");
  git("commit", "--quiet", "--allow-empty", "-m", "changelog");
}

const textOf = (file: string): string => readFileSync(join(clone, file), "utf8");

/** A repository with the files that hold the version, and a stand-in for npm, which would build for minutes. */
beforeEach(async () => {
  clone = await scratchFolder();
  folders.push(clone);
  for (const file of [...versioned, ...scripts]) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file), { recursive: true });
  }
  mkdirSync(join(clone, "fakes"));
  writeFileSync(join(clone, "fakes/npm"), '#!/bin/sh\necho "npm $*"; test "$FAIL" != "$1"\n', { mode: 0o755 });
  writeFileSync(join(clone, "scripts/wheel.mjs"), 'console.log("wheels", process.argv.slice(2).join(" "));\n');
  git("init", "--quiet");
  announce("9.8.7 (unreleased)");
});

describe("npm run release", () => {
  it("prints each step of a dry run and changes nothing", () => {
    const before = git("rev-parse", "HEAD");
    const { status, output } = release("--dry-run", "--date", "2026-12-01");
    expect(output).toContain("dry run of release 9.8.7, 2026-12-01, changelog entries: 1");
    for (const file of [...versioned, "CHANGELOG.md"]) expect(output).toContain(`would write 9.8.7 into ${file}`);
    const order = ["npm test", "npm run build", "npm pack", "wheel.mjs --platform all", "commit", "tag v9.8.7"];
    const places = order.map((step) => output.indexOf(step));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(status).toBe(0);
    expect(git("status", "--porcelain")).toBe("");
    expect(git("rev-parse", "HEAD")).toBe(before);
    expect(git("tag")).toBe("");
  });

  it("writes the version everywhere, dates the changelog, commits and tags", () => {
    const { status, output } = release("--date", "2026-12-01");
    expect(status, output).toBe(0);
    for (const file of versioned) expect(textOf(file), file).toContain("9.8.7");
    expect(textOf("python/pyproject.toml")).toContain('python_version = "3.9"');
    expect(textOf("CHANGELOG.md")).toContain("## 9.8.7 (2026-12-01)\n");
    expect(output).toContain("npm pack");
    expect(output).toContain("wheels --platform all");
    expect(git("log", "-1", "--format=%s")).toBe("release: 9.8.7\n");
    expect(git("tag", "-n9", "--list", "v9.8.7")).toContain("Something new.");
    expect(git("status", "--porcelain")).toBe("");
  });

  it("puts the files back where a step fails", () => {
    process.env.FAIL = "test";
    const { status, output } = release();
    delete process.env.FAIL;
    expect(status).toBe(1);
    expect(output).toContain("npm test: exit status 1");
    expect(git("status", "--porcelain")).toBe("");
    expect(git("tag")).toBe("");
  });

  it("refuses a tree that is not clean", () => {
    writeFileSync(join(clone, "stray.txt"), "");
    expect(release("--dry-run")).toMatchObject({ status: 1, output: expect.stringContaining('"?? stray.txt"') });
  });

  it("refuses a version that is released, or older than the last", () => {
    git("tag", "v9.8.7");
    expect(release("--dry-run")).toMatchObject({ status: 1, output: expect.stringContaining("v9.8.7 is there") });
    git("tag", "v9.10.0");
    announce("9.9.0 (unreleased)");
    expect(release("--dry-run").output).toContain("expected a version newer than 9.10.0");
  });

  it("refuses a changelog without a heading for it, or without entries", () => {
    announce("9.8.7 (2026-11-30)");
    expect(release("--dry-run")).toMatchObject({
      status: 1,
      output: expect.stringContaining('"## 9.8.7 (2026-11-30)"'),
    });
    announce("9.8.7 (unreleased)", "Soon.");
    expect(release("--dry-run").output).toContain('expected entries ("- …") below "## 9.8.7 (unreleased)"');
  });

  it("refuses options that it does not know with exit status 2", () => {
    expect(release("--dryrun")).toMatchObject({ status: 2, output: expect.stringContaining("--dryrun") });
  });
});
