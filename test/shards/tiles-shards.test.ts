import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copied, leftovers, requireBuilt, run, snapshot } from "../kill/workplace.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";

let folder: string;
const tiling = ["tiles", "pool", "--set", "preset=random", "--set", "mosaic.grid=mixed", "--quiet"];
const sized = [...tiling, "--size", "60"];

async function ran(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { status, err, out } = await run(cwd, args, { env });
  if (status !== 0) throw new Error(`${args.join(" ")}: ${err}`);
  return out;
}

/** The one line and exit status of a command that has to fail. */
async function refused(cwd: string, ...args: string[]): Promise<string> {
  const { status, err } = await run(cwd, args);
  expect(err).not.toMatch(/unexpected error|\n\s+at /);
  return `${status}: ${err.trim()}`;
}

const tilesOf = (place: string): Promise<Record<string, string>> => snapshot(join(place, "pool", "tiles"));
const partOf = (place: string, name: string): string => join(place, "pool", "tiles", "parts", name);

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
  await writeSmallRefer(folder, 7);
  await ran(folder, ["import", "refer", "tiny", "--images", "images", "--pool", "start/pool", "--quiet"]);
  await copied(join(folder, "start"), join(folder, "whole"));
  await ran(join(folder, "whole"), sized);
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("tiles in shards", () => {
  it("merge to the bytes of a single run at all sizes, in any order, from a Slurm array too, and merge once", async () => {
    const whole = await tilesOf(join(folder, "whole"));
    expect(Object.keys(whole).filter((name) => /^\d+x\d+-opencv$/.test(name)).length).toBeGreaterThan(1);
    const place = join(folder, "three");
    await copied(join(folder, "start"), place);
    for (const part of ["2/3", "0/3", "1/3"]) await ran(place, [...sized, "--shard", part]);
    expect(await ran(place, [...sized, "--shard", "0/3"])).toMatch(/made already, nothing to do/);
    expect(await ran(place, ["merge", "pool"])).toMatch(/merged tiles\/\d+x\d+-opencv\nmerged tiles\//);
    expect(await tilesOf(place)).toEqual(whole);
    expect(await ran(place, ["merge", "pool"])).toMatch(/no parts to merge/);
    expect(await ran(place, sized)).toMatch(/made 0 tiles/);
    expect(await ran(place, [...sized, "--verify"])).toMatch(/checked \d+ tiles: all as written/);
    expect(await tilesOf(place)).toEqual(whole);

    const array = join(folder, "more-than-images");
    await copied(join(folder, "start"), array);
    for (let id = 0; id < 9; id++) {
      const task = { SLURM_ARRAY_TASK_ID: `${2 * id + 1}`, SLURM_ARRAY_TASK_COUNT: "9", SLURM_ARRAY_TASK_STEP: "2" };
      await ran(array, [...sized, "--shard", "auto"], { ...task, SLURM_ARRAY_TASK_MIN: "1" });
    }
    await ran(array, ["merge", "pool"]);
    expect(await tilesOf(array)).toEqual(whole);
  }, 240_000);

  it("leave out what the pool has and give the bytes of a single run that goes on", async () => {
    const [one, other] = [join(folder, "on"), join(folder, "on-shards")];
    const some = [...sized, "--max-bytes", "7K"];
    for (const place of [one, other]) {
      await copied(join(folder, "start"), place);
      expect(await ran(place, some)).toMatch(/made [1-9]/);
    }
    await ran(one, sized);
    for (const part of ["1/2", "0/2"]) await ran(other, [...sized, "--shard", part]);
    await ran(other, ["merge", "pool"]);
    expect(await tilesOf(other)).toEqual(await tilesOf(one));
    expect(await tilesOf(other)).not.toEqual(await tilesOf(join(folder, "whole")));

    for (const part of ["1/2", "0/2"]) await ran(other, [...sized, "--shard", part]);
    expect(await refused(other, "merge", "pool", "--force")).toMatch(/^5: .*expected shards run with --force too/);
    await rm(partOf(other, ""), { recursive: true });
    for (const part of ["1/2", "0/2"]) await ran(other, [...sized, "--shard", part, "--force"]);
    await ran(other, ["merge", "pool", "--force"]);
    expect(await tilesOf(other)).toEqual(await tilesOf(join(folder, "whole")));

    for (const part of ["1/2", "0/2"]) await ran(other, [...sized, "--shard", part]);
    await ran(other, [...sized, "--max-bytes", "3K", "--force"]);
    expect(await refused(other, "merge", "pool", "--quiet")).toMatch(
      /^5: .*leave out \d+ tiles that .* had, and it has \d+ now/,
    );
  }, 240_000);

  it("refuse missing, mixed, doubled and damaged parts by name, and a shard of no meaning", async () => {
    const place = join(folder, "bad");
    await copied(join(folder, "start"), place);
    await ran(place, [...sized, "--shard", "0/3"]);
    expect(await refused(place, "merge", "pool", "--quiet")).toMatch(/^5: .*shards not finished in .*: 1\/3, 2\/3/);
    await ran(place, [...sized, "--shard", "1/3"]);
    await ran(place, [...tiling, "--size", "80", "--shard", "2/3"]);
    expect(await refused(place, "merge", "pool", "--quiet")).toMatch(
      /^4: .*2-of-3" and .*0-of-3" were made with different settings \(sizes: .*\)/,
    );
    expect(await refused(place, ...sized, "--shard", "2/3")).toMatch(/^3: .*other inputs or settings\. Use --force/);
    await rm(partOf(place, "2-of-3"), { recursive: true });
    await cp(partOf(place, "0-of-3"), partOf(place, "2-of-3"), { recursive: true });
    expect(await refused(place, "merge", "pool", "--quiet")).toMatch(
      /^4: .*expected shard 2\/3 in .*second copy of 0\/3/,
    );
    await rename(partOf(place, "2-of-3"), partOf(place, "0-of-4"));
    expect(await refused(place, "merge", "pool", "--quiet")).toMatch(/^4: .*runs with 3 and 4 shards/);
    await rename(partOf(place, "0-of-4"), partOf(place, "old"));
    expect(await refused(place, "merge", "pool", "--quiet")).toMatch(
      /^4: .*expected parts such as "0-of-8".*found "old"/,
    );
    await rm(partOf(place, "old"), { recursive: true });
    await ran(place, [...sized, "--shard", "2/3"]);

    const size = Object.keys(await tilesOf(join(folder, "whole")))[0] ?? "";
    for (const file of ["cells.raw", "index.bin", "tiles.json"]) {
      const path = join(partOf(place, "1-of-3"), "tiles", size, file);
      const sound = await readFile(path);
      await writeFile(path, Buffer.from(sound.map((byte, at) => (at === sound.length >> 1 ? byte ^ 1 : byte))));
      if (file === "tiles.json") await writeFile(path, "{}");
      expect(await refused(place, "merge", "pool", "--quiet")).toMatch(
        new RegExp(`^4: .*${file} of ${size} in .*1-of-3" is not what shard 1/3 wrote; remove that folder`),
      );
      await writeFile(path, sound);
    }
    const part = join(partOf(place, "1-of-3"), "part.json");
    const sound = await readFile(part, "utf8");
    for (const damaged of [sound.slice(0, 50), "[]", sound.replace(/"tiles":\d+/, '"tiles":-1')]) {
      await writeFile(part, damaged);
      expect(await refused(place, "merge", "pool", "--quiet")).toMatch(/^4: .*1-of-3/);
    }
    await writeFile(part, sound);
    await ran(place, ["merge", "pool"]);
    expect(await tilesOf(place)).toEqual(await tilesOf(join(folder, "whole")));

    expect(await refused(place, ...sized, "--shard", "3/3")).toMatch(/^2: .*from 0\/3 to 2\/3/);
    expect(await refused(place, ...sized, "--shard", "auto")).toMatch(/^2: .*SLURM_ARRAY_TASK_ID, which is not set/);
    expect(await refused(place, ...sized, "--shard", "0/2", "--verify")).toMatch(/^2: /);
  }, 240_000);

  it("are not merged with another state of the pool, and a merge that was killed while it tidied has nothing left", async () => {
    const place = join(folder, "state");
    await copied(join(folder, "start"), place);
    for (const part of ["0/2", "1/2"]) await ran(place, [...sized, "--shard", part]);
    const more = join(place, "more.jsonl");
    await mkdir(place, { recursive: true });
    const line = {
      image: "1.jpg",
      expressions: ["the odd one"],
      split: "train",
      segmentation: [[1, 1, 6, 1, 6, 6, 1, 6]],
    };
    await writeFile(more, `${JSON.stringify(line)}\n`);
    const images = join(folder, "images");
    await ran(place, ["import", "jsonl", more, "--images", images, "--pool", "pool", "--quiet", "--force"]);
    expect(await refused(place, "merge", "pool", "--quiet")).toMatch(/^5: .*before the pool or the kernel changed/);
    await rename(partOf(place, ""), `${join(place, "pool", "tiles", "parts")}.nemosaic-tmp-merged`);
    expect(await ran(place, ["merge", "pool"])).toMatch(/no parts to merge/);
    expect(leftovers(await tilesOf(place))).toEqual([]);
    expect(await tilesOf(place)).toEqual({});
  }, 120_000);
});
