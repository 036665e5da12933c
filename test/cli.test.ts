import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeMask, imageSize } from "../src/codecs/index.ts";
import { scratchFolder } from "./small-pool.ts";
import { writeSmallRefer } from "./small-refer.ts";

const root = resolve(import.meta.dirname, "..");
const main = join(root, "dist", "cli", "main.js");
const tinyClip = join(root, "test", "fixtures", "tiny-clip", "model");
let folder: string;
let refer: string;
let images: string;

/** Runs the built command as a person would, in a folder of its own. */
function nemosaic(...args: string[]): { status: number | null; out: string; err: string } {
  const run = spawnSync(process.execPath, [main, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, HF_HUB_OFFLINE: "1" },
    timeout: 110_000,
  });
  return { status: run.status, out: run.stdout, err: run.stderr };
}

beforeAll(async () => {
  if (!existsSync(main)) throw new Error(`${main} is not there: run "npm run build" first (npm test does)`);
  folder = await scratchFolder();
  ({ refer, images } = await writeSmallRefer(folder));
});

describe("nemosaic on the command line", () => {
  it("lists every command in its help, though each is loaded alone", () => {
    const files = readdirSync(join(root, "src", "cli", "commands")).map((file) => file.replace(/\.ts$/, ""));
    const listed = [...nemosaic("--help").out.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== "help").sort()).toEqual(files.sort());
    expect(nemosaic("minne").err).toMatch(/Did you mean mine/);
  });

  it("goes the whole way: import, embed, mine, stats, preview, plan, draw", async () => {
    expect(nemosaic("import", "auto", refer, "--images", images, "--pool", "pool")).toMatchObject({
      status: 0,
      out: expect.stringMatching(/12 images, 12 annotations, 12 refs, 24 expressions/),
    });
    const embedded = nemosaic("embed", "pool", "--model", tinyClip);
    expect([embedded.status, embedded.err.includes("embed images")], embedded.err).toEqual([0, true]);
    expect(nemosaic("embed", "pool", "--model", tinyClip).out).toMatch(/there already, nothing to do/);
    expect(nemosaic("mine", "pool", "--json").status).toBe(0);
    expect(nemosaic("mine", "pool").out).toMatch(/mined already, nothing to do/);
    const stats = JSON.parse(
      nemosaic("stats", "pool", "--json", "--set", "band.tau=null", "--set", "band.tauImage=null").out,
    );
    expect(stats).toMatchObject({ pool: { images: 12, expressions: 24 }, band: { expressions: 10, candidates: 100 } });
    const exported = nemosaic(
      "export",
      "refer",
      "pool",
      "-o",
      "out",
      "--epochs",
      "2",
      "--originals",
      "0.5",
      "--set",
      "size=32",
    );
    expect(exported).toMatchObject({
      status: 0,
      out: expect.stringContaining("is 3 of its own: give it its number divided by 3"),
    });
    const preview = nemosaic(
      "preview",
      "pool",
      "-o",
      "preview.png",
      "--count",
      "3",
      "--set",
      "mosaic.gamma=1",
      "--set",
      "band.tau=null",
      "--set",
      "band.tauImage=null",
    );
    expect(preview).toMatchObject({ status: 0 });
    expect((await imageSize(join(folder, "preview.png"))).format).toBe("png");
    const plans = nemosaic("plan", "pool", "--to", "5", "--set", "size=64", "--set", "guards.nearDuplicate=null");
    const lines = plans.out.trim().split("\n");
    expect(lines).toHaveLength(5);
    expect(JSON.parse(lines[3]!)).toMatchObject({
      version: 1,
      index: 3,
      size: 64,
      text: expect.stringMatching(/box|thing/),
    });
    writeFileSync(join(folder, "plans.jsonl"), plans.out);
    expect(nemosaic("draw", "pool", "plans.jsonl", "-o", "drawn").out).toMatch(/drew 5 plans/);
    expect((await readdir(join(folder, "drawn"))).sort()).toEqual(
      [0, 1, 2, 3, 4].flatMap((at) => [`${at}.json`, `${at}.mask.png`, `${at}.png`]).sort(),
    );
    const mask = await decodeMask(await readFile(join(folder, "drawn", "0.mask.png")));
    expect(new Set(mask.data)).toEqual(new Set([0, 255]));
    expect(nemosaic("draw", "pool", "plans.jsonl", "-o", "drawn").status).toBe(0); // the same line again
    const others = nemosaic("plan", "pool", "--to", "5", "--seed", "1", "--set", "size=64");
    writeFileSync(join(folder, "others.jsonl"), others.out);
    expect(nemosaic("draw", "pool", "others.jsonl", "-o", "drawn").err).toMatch(/already.*--force/);
  });

  it("runs the demo on a folder, and says what it reused the second time", async () => {
    const args = [
      "demo",
      "--refer",
      refer,
      "--images",
      images,
      "--model",
      tinyClip,
      "--set",
      "guards.nearDuplicate=null",
      "--set",
      "band.tauImage=null",
    ];
    const first = nemosaic(...args);
    expect(first.status, first.err).toBe(0);
    expect(first.out).toMatch(/import .* made/);
    expect(first.out).toMatch(/mosaics .*\/s/);
    expect((await imageSize(join(folder, "demo-out", "sheet.png"))).width).toBeGreaterThan(1000);
    const page = readFileSync(join(folder, "demo-out", "index.html"), "utf8");
    expect(page).toMatch(/<h2>“.*(box|thing)”<\/h2>/);
    expect(page).not.toMatch(/(src|href)="https?:/);
    const second = nemosaic(...args);
    expect(second.out).toMatch(/import .* reused[\s\S]*embed .* reused[\s\S]*mine .* reused/);
    const sheet = readFileSync(join(folder, "demo-out", "sheet.png"));
    const third = nemosaic(...args, "--set", "band.k=2");
    expect(third.out).toContain("sheet-2.png");
    expect(third.err).toContain("sheet.png is of another run and stays");
    expect(readFileSync(join(folder, "demo-out", "sheet.png")).equals(sheet)).toBe(true);
    expect(existsSync(join(folder, "demo-out", "index-2.html"))).toBe(true);
    // What the demo left is looked at as it stands: its only set of candidates has the model's name.
    const looked = nemosaic("stats", join("demo-out", `pool-${basename(refer)}`));
    expect([looked.status, looked.err, looked.out]).toEqual([
      0,
      expect.stringMatching(/looking at mined\/.+, the only one/),
      expect.stringContaining("band can fill a mosaic"),
    ]);
  });

  it("prints a plan stream that a closed pipe ends quietly", () => {
    const run = spawnSync("bash", ["-c", `"${process.execPath}" "${main}" plan pool --preset random | head -n 1`], {
      cwd: folder,
      encoding: "utf8",
    });
    expect([run.status, run.stderr]).toEqual([0, ""]);
    expect(JSON.parse(run.stdout)).toMatchObject({ index: 0 });
  });

  it("ends quietly where nobody reads its help", () => {
    const run = spawnSync("bash", ["-c", `set -o pipefail; "${process.execPath}" "${main}" demo --help | true`], {
      cwd: folder,
      encoding: "utf8",
    });
    expect([run.status, run.stderr]).toEqual([0, ""]);
  });

  it.each([
    [["import", "refer", "nowhere", "--pool", "p2"], 3, /nowhere/],
    [["import", "refre", "x", "--pool", "p2"], 2, /unknown format "refre". Did you mean "refer"\?/],
    [["import", "refer", "tiny"], 2, /required option '--pool/],
    [["embed", "pool", "--model", "no-such-model"], 2, /unknown relevance "no-such-model"/],
    [["embed", "pool", "--offline", "--cache-dir", "no-cache"], 6, /choose another model: --model FOLDER/],
    [["mine", "nowhere"], 3, /expected a pool in "nowhere"/],
    [["mine", "pool", "--rank", "best"], 2, /expected one of t2i, i2i, mean for --rank, got "best"/],
    [["mine", "pool", "--candidates", "trian"], 2, /unknown split "trian". Did you mean "train"\?/],
    [["plan", "pool", "--set", "band.taw=1"], 2, /unknown setting "band.taw" in --set. Did you mean "band.tau"\?/],
    [["plan", "pool", "--settings", "none.json"], 3, /cannot read the settings file "none.json"/],
    [["plan", "pool", "--to", "many"], 2, /expected a whole number of at least 0 for --to, got "many"/],
    [["plan", "pool", "--to", "4000", "--preset", "random"], 2, /within the 10 samples/],
    [["preview", "pool", "-o", "x.gif"], 2, /ends in .png/],
    [["draw", "pool", "plans-none.jsonl", "-o", "d2"], 3, /plans-none.jsonl/],
    [["stats", "pool", "--jsn"], 2, /unknown option '--jsn'/],
    [["minne", "pool"], 2, /unknown command 'minne'/],
    [["demo", "--refer", "nowhere"], 3, /nowhere/],
  ])("explains %j in one line", (args, status, message) => {
    const run = nemosaic(...args);
    expect(run.err).toMatch(message);
    expect(run.status).toBe(status);
    expect(run.err).not.toMatch(/\n\s+at /);
  });

  it("shows an example in the help of every command", () => {
    const commands = [...nemosaic("--help").out.matchAll(/^ {2}([a-z-]+) /gm)]
      .map(([, name = ""]) => name)
      .filter((name) => name !== "help");
    expect(commands.length).toBeGreaterThan(7);
    for (const command of commands)
      expect(nemosaic(command, "--help").out, command).toMatch(/Examples?:\n {2}(nemosaic|npm) /);
  });
});
