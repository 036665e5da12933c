import { spawn, spawnSync } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";
import { copied, leftovers, requireBuilt, run, snapshot, tinyClip } from "./workplace.ts";

const mounts: string[] = [];
const isRoot = process.getuid?.() === 0;
let folder: string;
let canMount = false;

const importing = ["import", "refer", "tiny", "--images", "images", "--pool", "disk/pool", "--quiet", "--pack"];
const embedding = ["embed", "disk/pool", "--model", tinyClip, "--quiet", "--threads", "1"];
const mining = ["mine", "disk/pool", "--quiet", "--threads", "1"];

function mount(place: string, ...options: string[]): boolean {
  const done = spawnSync("mount", [...options, place], { encoding: "utf8" });
  if (done.status === 0) mounts.push(place);
  return done.status === 0;
}

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
  await writeSmallRefer(folder, 24);
  const probe = join(folder, "probe");
  await mkdir(probe);
  canMount = isRoot && mount(probe, "-t", "tmpfs", "-o", "size=64k", "tmpfs");
  if (!canMount) console.warn("disk full and read-only were not tested: mounting a tmpfs takes root");
});

afterAll(async () => {
  for (const place of mounts.reverse()) spawnSync("umount", ["-l", place]);
  await rm(folder, { recursive: true, force: true });
});

describe("a disk that is full", () => {
  it("ends each step with one line and status 7, leaves nothing half-written in view, and the step goes on with more room", async (test) => {
    if (!canMount) return test.skip("mounting a tmpfs takes root");
    await copied(join(folder, "tiny"), join(folder, "room", "tiny"));
    await copied(join(folder, "images"), join(folder, "room", "images"));
    const room = join(folder, "room");
    const disk = join(room, "disk");
    await mkdir(disk);
    for (const args of [importing, embedding, mining]) expect(await run(room, args)).toMatchObject({ status: 0 });
    const expected = await snapshot(join(disk, "pool"));
    await rm(join(disk, "pool"), { recursive: true });

    expect(mount(disk, "-t", "tmpfs", "-o", "size=16k", "tmpfs")).toBe(true);
    for (const args of [importing, embedding, mining]) {
      const [command = ""] = args;
      let full = 0;
      for (let kilobytes = 16; ; kilobytes += 12) {
        spawnSync("mount", ["-o", `remount,size=${kilobytes}k`, disk]);
        const { status, err } = await run(room, args);
        if (status === 0) break;
        full++;
        expect(`${status}: ${err}`, command).toMatch(/^7: nemosaic: .*the disk is full; free some space/);
        expect(err.trim().split("\n"), command).toHaveLength(1);
        spawnSync("mount", ["-o", "remount,size=16k", disk]);
      }
      expect(full, `${command}: runs that met a full disk`).toBeGreaterThan(0);
    }
    const found = await snapshot(join(disk, "pool"));
    expect(found).toEqual(expected);
    expect(leftovers(found)).toEqual([]);
  }, 240_000);
});

describe("a pool that cannot be written", () => {
  it("can be read; what would change it says read-only on one line, with status 7", async (test) => {
    if (!canMount) return test.skip("a read-only mount takes root");
    const place = join(folder, "read-only");
    await copied(join(folder, "tiny"), join(place, "tiny"));
    await copied(join(folder, "images"), join(place, "images"));
    await mkdir(join(place, "disk"));
    for (const args of [importing, ["embed", "disk/pool", "--model", "lexical", "--quiet"], mining])
      expect(await run(place, args)).toMatchObject({ status: 0 });
    expect(mount(join(place, "disk"), "--bind", join(place, "disk"))).toBe(true);
    spawnSync("mount", ["-o", "remount,bind,ro", join(place, "disk")]);
    const before = await snapshot(join(place, "disk"));
    const plan = [
      "plan",
      "disk/pool",
      "--to",
      "2",
      "--set",
      "guards.nearDuplicate=null",
      "--set",
      "band.tau=null",
      "--set",
      "band.tauImage=null",
    ];
    expect(await run(place, plan)).toMatchObject({ status: 0, err: "" });
    expect(await run(place, ["stats", "disk/pool", "--quiet"])).toMatchObject({ status: 0 });
    for (const args of [[...importing, "--force"], embedding, [...mining, "--name", "other"], [...mining, "--force"]]) {
      const { status, err } = await run(place, args);
      expect(`${status}: ${err}`, args.join(" ")).toMatch(
        /^7: nemosaic: cannot write .*: the file system is read-only\n$/,
      );
    }
    expect(await snapshot(join(place, "disk"))).toEqual(before);
  }, 120_000);
});

describe("two processes on one pool", () => {
  it("do not mix: the second one is told who holds it, with status 5", async () => {
    const place = join(folder, "two");
    await copied(join(folder, "tiny"), join(place, "tiny"));
    await copied(join(folder, "images"), join(place, "images"));
    const holder = spawn("sleep", ["60"], { stdio: "ignore" });
    try {
      await mkdir(join(place, "disk", "pool"), { recursive: true });
      const lock = join(place, "disk", "pool", ".nemosaic.lock");
      await writeFile(
        lock,
        JSON.stringify({ pid: holder.pid, host: hostname(), purpose: "import", since: "2026-01-01T00:00:00.000Z" }),
      );
      const { status, err } = await run(place, importing);
      expect(`${status}: ${err}`).toMatch(
        new RegExp(
          `^5: nemosaic: "disk/pool" is in use by process ${holder.pid} on ${hostname()} \\(import, since 2026-01-01`,
        ),
      );
      await writeFile(lock, JSON.stringify({ pid: 4, host: "node-17", purpose: "mine", since: "noon" }));
      expect((await run(place, importing)).err).toMatch(
        /in use by process 4 on node-17 \(mine, since noon\).*remove "/,
      );
      await rm(lock);
    } finally {
      holder.kill();
    }
  }, 60_000);

  it("started at the same moment, one does the work and the other is told, or finds it done", async () => {
    const place = join(folder, "race");
    await copied(join(folder, "tiny"), join(place, "tiny"));
    await copied(join(folder, "images"), join(place, "images"));
    const ended = await Promise.all(Array.from({ length: 4 }, () => run(place, importing)));
    expect(ended.filter(({ status }) => status === 0).length).toBeGreaterThan(0);
    for (const { status, err } of ended)
      expect(`${status}: ${err}`).toMatch(/^(0: |5: nemosaic: .* is in use by process \d+ on .* \(import)/);
    expect(leftovers(await snapshot(join(place, "disk")))).toEqual([]);
    expect((await readdir(join(place, "disk", "pool"))).sort()).toEqual([
      "annotations.parquet",
      "expressions.parquet",
      "images.pack",
      "images.parquet",
      "pool.json",
      "refs.parquet",
    ]);
  }, 60_000);
});
