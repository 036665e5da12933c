import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { smallPool } from "../../test/small-pool.ts";
import { type Shard, silentProgress } from "../io/index.ts";
import { resizeLinear } from "../kernels/index.ts";
import type { Pool } from "../pool/index.ts";
import { buildTilesShard } from "./build-shard.ts";
import { type BuildTilesOptions, buildTiles, type TileDemand } from "./build-tiles.ts";
import { mergeTiles } from "./merge-tiles.ts";
import { planTiles } from "./plan-tiles.ts";
import { TileFile } from "./tile-file.ts";

const resample = { name: "opencv", version: 1 } as const;
const rows = Int32Array.from([0, 1, 2, 3, 4, 5, 6]);
const demands: TileDemand[] = [{ width: 20, height: 20, rows, uses: new Float64Array(rows.length).fill(1) }];
const options: BuildTilesOptions = {
  resample,
  resizer: () => resizeLinear,
  threads: 1,
  onBad: "fail",
  force: false,
  progress: silentProgress,
};
const shards: Shard[] = [0, 1].map((index) => ({ index, count: 2 }));

let pool: Pool;
beforeEach(async () => {
  pool = await smallPool({ images: 7 });
});
afterEach(() => pool.close());

async function counted(): Promise<number | undefined> {
  const file = await TileFile.open(pool.folder, { width: 20, height: 20, resample });
  try {
    expect((await file?.damaged()) ?? []).toEqual([]);
    return file?.count;
  } finally {
    await file?.close();
  }
}

describe("merging tiles of shards", () => {
  it("with force keeps the pool's tiles where the parts leave some of them out", async () => {
    await buildTiles(pool, demands, { ...options, maxBytes: 3 * 1200 });
    for (const shard of shards) await buildTilesShard(pool, demands, shard, options);
    await expect(mergeTiles(pool, { force: true, progress: silentProgress })).rejects.toMatchObject({
      code: "incomplete",
      message: expect.stringMatching(/leave out 3 tiles that .*20x20-opencv" has already/),
    });
    expect(await counted()).toBe(3);
    expect(await mergeTiles(pool, { force: false, progress: silentProgress })).toEqual(["tiles/20x20-opencv"]);
    expect(await counted()).toBe(7);
  });

  it("names the parts that leave out what the pool does not have", async () => {
    for (const shard of shards) await buildTilesShard(pool, demands, shard, options);
    const path = join(pool.folder, "tiles", "parts", "1-of-2", "part.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"there":0', '"there":2'));
    const line = /^the parts ".*parts\/1-of-2" leave out 2 tiles that ".*20x20-opencv" had, and it has 0 now/;
    await expect(mergeTiles(pool, { force: false, progress: silentProgress })).rejects.toThrow(line);
  });

  it("refuses a part whose facts were changed behind its key", async () => {
    for (const shard of shards) await buildTilesShard(pool, demands, shard, options);
    const path = join(pool.folder, "tiles", "parts", "1-of-2", "part.json");
    const sound = await readFile(path, "utf8");
    await writeFile(path, sound.replace('"width":20', '"width":21'));
    await expect(mergeTiles(pool, { force: false, progress: silentProgress })).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(/1-of-2\/part.json" is damaged \(expected the hash of its facts for key/),
    });
    await writeFile(path, sound.slice(0, 70));
    await expect(mergeTiles(pool, { force: false, progress: silentProgress })).rejects.toThrow(
      /part.json" is damaged \(no JSON, or cut short\); remove its folder and run the shard again$/,
    );
  });
});

describe("planning tiles", () => {
  it("tells what would be made and makes nothing, not even a folder", async () => {
    const before = await readdir(pool.folder);
    const plan = await planTiles(pool, demands, { resample, force: false });
    expect(plan.sizes).toEqual([{ width: 20, height: 20, tiles: 7, bytes: 7 * 1200, missing: 7 }]);
    expect(await readdir(pool.folder)).toEqual(before);
    await expect(access(join(pool.folder, "tiles"))).rejects.toThrow(/ENOENT/);

    await buildTiles(pool, demands, { ...options, maxBytes: 3 * 1200 });
    expect((await planTiles(pool, demands, { resample, force: false })).sizes[0]).toMatchObject({ missing: 4 });
    expect((await planTiles(pool, demands, { resample, force: true })).sizes[0]).toMatchObject({ missing: 7 });
    expect((await planTiles(pool, demands, { resample, force: false, maxBytes: 2400 })).leftOut).toBe(5);
  });
});
