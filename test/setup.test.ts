import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const scripts = join(root, "scripts");
const scratch = mkdtempSync(join(tmpdir(), "nemosaic-setup-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Skipped = { file: string; title: string; reason?: string };
type Tally = { passed: number; failed: number; skipped: Skipped[]; notes: string[] };
type Lock = { packages?: Record<string, { integrity?: string; optional?: boolean }> };

describe("the version of Node", () => {
  it("is new enough from 20.19 on", async () => {
    const { nodeIsNewEnough } = await load<{ nodeIsNewEnough(version: string): boolean }>("node-version.mjs");
    expect(["20.19.0", "20.20.2", "22.0.0", "100.1.0"].filter((version) => !nodeIsNewEnough(version))).toEqual([]);
    expect(["20.18.9", "18.99.0", "9.20.0", "0.12.0"].filter(nodeIsNewEnough)).toEqual([]);
  });
});

describe("node_modules", () => {
  it("is current only where npm's record holds every package of the lock and no other", async () => {
    const { recordMatchesLock } = await load<{ recordMatchesLock(record: Lock, lock: Lock): boolean }>(
      "node-modules.mjs",
    );
    const lock: Lock = {
      packages: { "": {}, "node_modules/a": { integrity: "1" }, "node_modules/b": { integrity: "2", optional: true } },
    };
    const record = (packages: Lock["packages"]) => recordMatchesLock({ packages: packages ?? {} }, lock);
    expect(record({ "node_modules/a": { integrity: "1" }, "node_modules/b": { integrity: "2" } })).toBe(true);
    expect(record({ "node_modules/a": { integrity: "1" } })).toBe(true);
    expect(record({})).toBe(false);
    expect(record({ "node_modules/a": { integrity: "other" } })).toBe(false);
    expect(record({ "node_modules/a": { integrity: "1" }, "node_modules/b": { integrity: "other" } })).toBe(false);
    expect(record({ "node_modules/a": { integrity: "1" }, "node_modules/gone": {} })).toBe(false);
  });

  it("that cannot be fetched ends every script with one line that says so", () => {
    const clone = join(scratch, "offline");
    mkdirSync(clone);
    cpSync(scripts, join(clone, "scripts"), { recursive: true });
    for (const file of ["package.json", "package-lock.json"]) cpSync(join(root, file), join(clone, file));
    const demo = spawnSync(process.execPath, [join(clone, "scripts", "demo.mjs")], {
      encoding: "utf8",
      env: {
        ...process.env,
        npm_config_registry: "http://127.0.0.1:9",
        npm_config_cache: join(scratch, "empty-cache"),
        npm_config_fetch_retries: "0",
      },
    });
    expect(demo.status).toBe(1);
    expect(demo.stderr.trim().split("\n").at(-1)).toMatch(/^the npm packages are not installed: /);
    expect(existsSync(join(clone, ".cache", "setup.lock"))).toBe(false);
  });
});

describe("the setup lock", () => {
  it("of a process that is gone is taken over, and is gone afterwards", async () => {
    const clone = join(scratch, "locked");
    cpSync(scripts, join(clone, "scripts"), { recursive: true });
    mkdirSync(join(clone, ".cache"));
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    writeFileSync(join(clone, ".cache", "setup.lock"), String(gone));
    const act = `import { withSetupLock } from ${JSON.stringify(join(clone, "scripts", "setup", "lock.mjs"))};
      console.log(await withSetupLock(async () => "acted"));`;
    const done = spawnSync(process.execPath, ["--input-type=module", "-e", act], { encoding: "utf8", timeout: 30_000 });
    expect(done.stdout.trim()).toBe("acted");
    expect(existsSync(join(clone, ".cache", "setup.lock"))).toBe(false);
  });
});

describe("the count of tests", () => {
  it("of vitest counts files that cannot be loaded and failing hooks, and keeps the reasons of skipped tests", () => {
    const folder = mkdtempSync(join(root, "node_modules", ".nemosaic-tally-"));
    try {
      writeFileSync(join(folder, "mixed.test.js"), mixedTests);
      writeFileSync(join(folder, "broken.test.js"), 'import "./no-such-file.js";');
      const report = join(scratch, "tally.json");
      const args = ["run", "--root", folder, "--dir", folder, "--config", join(folder, "vitest.config.js")];
      writeFileSync(
        join(folder, "vitest.config.js"),
        'export default { test: { exclude: [], include: ["*.test.js"] } };',
      );
      const reporter = ["--reporter", join(scripts, "setup", "vitest-tally.mjs")];
      const done = spawnSync(
        process.execPath,
        [join(root, "node_modules", "vitest", "vitest.mjs"), ...args, ...reporter],
        {
          encoding: "utf8",
          env: { ...process.env, NEMOSAIC_TALLY: report },
        },
      );
      expect(done.status, done.stdout + done.stderr).toBe(1);
      const tally = JSON.parse(readFileSync(report, "utf8")) as Tally;
      expect({ passed: tally.passed, failed: tally.failed }).toEqual({ passed: 1, failed: 2 });
      expect(tally.skipped.map(({ title, reason }) => ({ title, reason }))).toContainEqual({
        title: "skips itself",
        reason: "no moon",
      });
      expect(tally.notes).toEqual(["the moon tests did not run: no moon"]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("of pytest counts errors as failures and keeps the reasons of skipped tests", async () => {
    const { tallyOfPytest } = await load<{ tallyOfPytest(xml: string): Tally }>("pytest-tally.mjs");
    const tally = tallyOfPytest(`<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="5">
      <testcase classname="tests.test_a" name="test_one" time="0.1" />
      <testcase classname="tests.test_a" name="test_two" time="0.1"><system-out>&lt;failure&gt;</system-out></testcase>
      <testcase classname="tests.test_a" name="test_bad" time="0.1"><failure message="assert 1 &lt; 0">x</failure></testcase>
      <testcase classname="tests.test_a" name="test_error"><error message="fixture">x</error></testcase>
      <testcase classname="tests.test_a" name="test_gone"><skipped type="pytest.skip" message="no &quot;torch&quot;">x</skipped></testcase>
      </testsuite></testsuites>`);
    expect(tally).toEqual({
      passed: 2,
      failed: 2,
      skipped: [{ file: "tests.test_a", title: "test_gone", reason: 'no "torch"' }],
      notes: [],
    });
  });

  it("ends the summary alone on its line, over all steps", async () => {
    const { summaryOf } = await load<{ summaryOf(rows: readonly object[]): string }>("summary.mjs");
    const none = { failed: 0, skipped: [], notes: [], seconds: 1 };
    const lines = summaryOf([
      { ...none, name: "types", passed: 1 },
      { ...none, name: "unit", passed: 40, failed: 2, why: "it ended with exit code 1" },
      { ...none, name: "browser", passed: 0, skipped: [{ file: "", title: "the whole step", reason: "no Chromium" }] },
    ]).split("\n");
    expect(lines.at(-1)).toBe("41 passed, 2 failed, 1 skipped");
    expect(lines).toContain("  unit: it ended with exit code 1");
    expect(lines).toContain("  browser: the whole step: no Chromium");
  });
});

describe("npm test", () => {
  it("names the steps to one who asks for an unknown one", () => {
    const done = spawnSync(process.execPath, [join(scripts, "test.mjs"), "--only", "typos"], { encoding: "utf8" });
    expect(done.status).toBe(2);
    expect(done.stderr).toMatch(/no step is called typos; the steps are .*\btypes, .*\bunit\b/);
  });
});

const mixedTests = `
  import { describe, expect, it, beforeAll } from "vitest";
  console.warn("the moon tests did not run: no moon");
  it("passes", () => expect(1).toBe(1));
  it("skips itself", (context) => context.skip("no moon"));
  describe("with a failing hook", () => {
    beforeAll(() => { throw new Error("hook"); });
    it("never starts", () => undefined);
  });
`;

/** Imports a module of scripts/setup, which has no types of its own. */
async function load<T>(name: string): Promise<T> {
  return (await import(join(scripts, "setup", name))) as T;
}
