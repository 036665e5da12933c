import type * as callbacks from "node:fs";
import { existsSync } from "node:fs";
import type * as files from "node:fs/promises";
import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { encodePng } from "../src/codecs/index.ts";
import { examinePool } from "../src/doctor/index.ts";
import { silentProgress, withLock } from "../src/io/index.ts";
import { Pool } from "../src/pool/index.ts";
import { importDataset } from "../src/steps/index.ts";
import { scratchFolder } from "./small-pool.ts";
import { writeSmallRefer } from "./small-refer.ts";

/** Files that cannot be opened: the process has no file descriptor left for them. */
const { refused, emfile } = vi.hoisted(() => ({
  refused: { pattern: undefined as RegExp | undefined },
  emfile: (path: string) => Object.assign(new Error(`EMFILE: too many open files, open '${path}'`), { code: "EMFILE" }),
}));

vi.mock("node:fs", async (original) => {
  const real = await original<typeof callbacks>();
  const open = (path: string, flags: string, done: (error: Error | null, descriptor?: number) => void): void =>
    refused.pattern?.test(path) === true ? done(emfile(path)) : real.open(path, flags, done);
  return { ...real, open };
});

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof files>();
  const guarded =
    <Args extends [unknown, ...unknown[]], T>(read: (...args: Args) => Promise<T>) =>
    (...args: Args): Promise<T> =>
      refused.pattern?.test(String(args[0])) === true ? Promise.reject(emfile(String(args[0]))) : read(...args);
  return { ...real, readFile: guarded(real.readFile), open: guarded(real.open), readdir: guarded(real.readdir) };
});

let folder: string;
let places: { refer: string; images: string };
beforeAll(async () => {
  folder = await scratchFolder();
  places = await writeSmallRefer(folder, 6);
});
afterEach(() => {
  refused.pattern = undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const shortage = { message: expect.stringContaining("EMFILE") };

describe("a process without file descriptors", () => {
  it("imports nothing, though bad records are to be left out: no image is to blame", async () => {
    const pool = join(folder, "skipping");
    refused.pattern = /4\.jpg$/;
    const { refer, images } = places;
    await expect(importDataset(pool, { source: refer, images, onBad: "skip" })).rejects.toMatchObject(shortage);
    expect(existsSync(join(pool, "pool.json"))).toBe(false);
  });

  it("says so of a mask too, and of a folder in which a name is looked for", async () => {
    const table = join(folder, "table.csv");
    await writeFile(table, "image,mask,text\n1.JPG,1.png,red box\n");
    const mask = { width: 96, height: 72, channels: 1, data: new Uint8Array(96 * 72).fill(255) } as const;
    await writeFile(join(folder, "1.png"), await encodePng(mask));
    const options = { format: "table", source: table, images: places.images, onBad: "skip" } as const;
    for (const pattern of [/1\.png$/, /images$/]) {
      refused.pattern = pattern;
      await expect(importDataset(join(folder, "masks"), options), String(pattern)).rejects.toMatchObject(shortage);
    }
    refused.pattern = undefined;
    await expect(importDataset(join(folder, "masks"), options)).resolves.toMatchObject({
      source: { counts: { expressions: 1 } },
    });
  });

  it("finds no fault with images in the doctor", async () => {
    const pool = join(folder, "examined");
    await importDataset(pool, { source: places.refer, images: places.images });
    const opened = await Pool.open(pool);
    refused.pattern = /3\.jpg$/;
    const options = { published: () => undefined, nearDuplicate: 0.98, concurrency: 2, progress: silentProgress };
    for (const fast of [false, true])
      await expect(examinePool(opened, { ...options, fast })).rejects.toMatchObject(shortage);
    await opened.close();
  });

  it("takes no lock away from a run that goes on", async () => {
    const stat = await readFile(`/proc/${process.ppid}/stat`, "utf8").catch(() => undefined);
    if (stat === undefined) return console.warn("taking no lock away did not run: this system has no /proc");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const holder = { pid: process.ppid, host: hostname(), purpose: "mine", since: "now", started };
    const lock = join(folder, ".nemosaic.lock");
    await writeFile(lock, JSON.stringify(holder));
    refused.pattern = new RegExp(`/proc/${process.ppid}/stat$`);
    await expect(withLock(folder, "embed", async () => undefined)).rejects.toMatchObject(shortage);
    expect(existsSync(lock)).toBe(true);
  });
});
