import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Runs a few lines that print JSON beside the experiment's files, which are plain JavaScript. */
function ask(code: string, environment: Record<string, string> = {}): unknown {
  const { NEMOSAIC_GROUND: _ground, NEMOSAIC_MODEL: _model, ...rest } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    cwd: resolve(root, "evidence"),
    encoding: "utf8",
    env: { ...rest, ...environment },
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

describe("the proof's arms", () => {
  it("share schedule and epochs, and are compared with arms that there are", () => {
    const arms = ask(
      'const { proofArms } = await import("./profiles.mjs"); console.log(JSON.stringify(proofArms(20.4)))',
    ) as { name: string; over?: string[]; settings: { schedule?: { epochs: number; plainLast: number } } }[];
    const names = arms.map(({ name }) => name);
    expect(new Set(names).size).toBe(11);
    for (const { name, over = [], settings } of arms) {
      expect(names).toEqual(expect.arrayContaining(over));
      const isPlain = name === "none" || name === "p-nemo-to-end";
      expect(settings.schedule).toEqual(isPlain ? undefined : { epochs: 20, plainLast: 1 / 3 });
    }
  });
});

describe("grounds", () => {
  const message = (words: string, environment?: Record<string, string>): unknown =>
    ask(
      `const { groundOf } = await import("./grounds.mjs"); try { groundOf(${words}); console.log('"fine"'); } catch (error) { console.log(JSON.stringify(error.message)); }`,
      environment,
    );

  it("say in one line what is missing", () => {
    expect(message('"moon"')).toBe("expected --ground scenes, lone, photos, few or own, got moon");
    expect(message('"photos"')).toMatch(/expected NEMOSAIC_GROUND/);
    expect(message('"photos"', { NEMOSAIC_GROUND: "/nowhere" })).toBe("expected /nowhere/photos, which is not there");
    expect(message('"own", { refer: "a" }')).toMatch(/expected --refer DIR, --images DIR and --model ID\|DIR/);
    expect([message('"lone"'), message('"own", { refer: "a", images: "b", model: "c" }')]).toEqual(["fine", "fine"]);
  });
});

describe("the proof's tables", () => {
  it("star what leaves 0 out, give no interval where there is none, and take every ground", () => {
    const [text, summary] = ask(`
      const { summaryTable, tablesPage } = await import("./pages.mjs");
      const gains = (mIoU) => ({ mIoU, oIoU: [0.5, -1, 2], "P@0.5": [0, 0, 0] });
      const set = (by, label, mIoU) => ({ by, label, samples: 9, gains: gains(mIoU) });
      const compared = { gains: gains([2, 1, 3]), sets: [set("similar", "0", [1, null, null]), set("similar", "2", [-2, -3, -1])] };
      const run = (arm, mIoU) => ({ arm, seed: 0, trainSeconds: 10, metrics: { mIoU: [mIoU], oIoU: [mIoU], "P@0.5": [mIoU] } });
      const ground = (name) => ({
        ground: { name, title: "Ground " + name, about: "made up" },
        profile: { steps: 5, batchSize: 2, size: 32, depth: 9 },
        counts: { train: { images: 1, sentences: 2 }, test: { images: 3, sentences: 4 } },
        model: "m", seeds: [0], machine: { cpu: "c", cores: 1, device: "cpu", torch: "t", node: "n" },
        arms: [{ name: "none", title: "none" }, { name: "a-random", title: "A, random" }, { name: "a", title: "A, mined" }],
        runs: [run("none", 10), run("a-random", 11), run("a", 12)],
        gains: [{ arm: "a", together: compared, bySeed: [{ seed: 0, gains: gains([2, 1, 3]) }] }],
        pairs: [{ arm: "a", over: "a-random", together: compared, bySeed: [{ seed: 0, gains: gains([2, 1, 3]) }] }],
        drawn: [{ arm: "a", planned: 10, mosaics: 5, moved: 0 }],
      });
      const grounds = [ground("one"), { ...ground("two"), seeds: [0, 1] }];
      console.log(JSON.stringify([tablesPage(grounds), summaryTable(grounds)]));
    `) as [string, string];
    expect(text.match(/^## Ground/gm)).toHaveLength(2);
    expect(text).toContain(
      "| A, mined | 1 | 12.00 | 12.00 | 12.00 | +2.00 (+1.00 … +3.00) \\* | +0.50 (−1.00 … +2.00) |",
    );
    expect(text).toContain("| A, mined | A, random | 1 | +2.00 (+1.00 … +3.00) \\* |");
    expect(text).toContain("| A, mined | +1.00 | −2.00 (−3.00 … −1.00) \\* |");
    expect(text + summary).not.toMatch(/NaN|undefined|null/);
    expect(summary.split("\n").filter((line) => line.startsWith("| none") || line.startsWith("| A, "))).toEqual([
      "| none | 10.00 | 10.00, 1 of 2 seeds |",
      "| A, random | 11.00 | 11.00, 1 of 2 seeds |",
      "| A, mined | +2.00 (+1.00 … +3.00) \\* | +2.00 (+1.00 … +3.00) \\*, 1 of 2 seeds |",
    ]);
  });
});
