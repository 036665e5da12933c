import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { scratchFolder, smallPool } from "../../test/small-pool.ts";
import { hashBytes, silentProgress, withLock } from "../io/index.ts";
import { resizeLinear, resizeTriangle } from "../kernels/index.ts";
import type { Pool } from "../pool/index.ts";
import { type BuildTilesOptions, buildTiles, type TileDemand, type TilesPlan } from "./build-tiles.ts";
import { type CellSource, decodePoolImage } from "./cell-source.ts";
import { TileFile, type TileShape, tilesFolder } from "./tile-file.ts";
import { type TileMode, TileStore } from "./tile-store.ts";
import { type Resizer, tiledCells } from "./tiled-cells.ts";

const shape: TileShape = { width: 8, height: 6, resample: { name: "opencv", version: 1 } };
const pixelsOf = (n: number): Uint8Array => Uint8Array.from({ length: 8 * 6 * 3 }, (_, at) => (at * n + n) % 256);
const imageOf = (n: number): string => hashBytes(`image ${n}`);
const resizer: Resizer = (name) => (name === "opencv" ? resizeLinear : resizeTriangle);

/** What all FileHandles share. */
let prototype: FileHandle;
beforeAll(async () => {
  const handle = await open(fileURLToPath(import.meta.url), "r");
  prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
});

describe("TileFile", () => {
  let folder = "";
  afterEach(() => vi.restoreAllMocks());
  beforeEach(async () => {
    folder = await scratchFolder();
  });

  async function filled(count: number): Promise<TileFile> {
    const file = await TileFile.create(folder, shape);
    for (let n = 0; n < count; n++) await file.add(imageOf(n), pixelsOf(n));
    return file;
  }
  const reads = (file: TileFile, n: number): boolean => {
    const into = new Uint8Array(file.stride);
    return file.read(imageOf(n), into) && Buffer.compare(into, pixelsOf(n)) === 0;
  };

  it("gives back what was added, at once and after it was closed", async () => {
    const file = await filled(5);
    expect([0, 1, 2, 3, 4].every((n) => reads(file, n))).toBe(true);
    expect(file.read(imageOf(5), new Uint8Array(file.stride))).toBe(false);
    await file.close();
    const again = (await TileFile.open(folder, shape))!;
    expect(again.count).toBe(5);
    expect([0, 1, 2, 3, 4].every((n) => reads(again, n))).toBe(true);
    expect(await again.damaged()).toEqual([]);
    await again.close();
    expect(statSync(join(tilesFolder(folder, shape), "cells.raw")).size).toBe(5 * 144);
    expect(JSON.parse(readFileSync(join(tilesFolder(folder, shape), "tiles.json"), "utf8"))).toMatchObject({
      format: "nemosaic-tiles",
      version: 1,
      stride: 144,
      resample: { name: "opencv", version: 1 },
    });
  });

  it("keeps the tiles of concurrent adding apart, each image once", async () => {
    const file = await TileFile.create(folder, shape);
    await Promise.all(Array.from({ length: 600 }, (_, at) => file.add(imageOf(at % 300), pixelsOf(at % 300))));
    await file.close();
    const again = (await TileFile.open(folder, shape))!;
    expect(again.count).toBe(300);
    expect(Array.from({ length: 300 }, (_, n) => n).every((n) => reads(again, n))).toBe(true);
    await again.close();
  });

  it("goes on after a kill: what the index does not name is written over", async () => {
    await (await filled(3)).close();
    const place = tilesFolder(folder, shape);
    appendFileSync(join(place, "cells.raw"), new Uint8Array(100)); // pixels without their record
    appendFileSync(join(place, "index.bin"), new Uint8Array(40)); // half a record
    const file = await TileFile.create(folder, shape);
    expect(file.count).toBe(3);
    await file.add(imageOf(3), pixelsOf(3));
    await file.close();
    const again = (await TileFile.open(folder, shape))!;
    expect([again.count, reads(again, 3)]).toEqual([4, true]);
    await again.close();
  });

  it("does not believe an index whose cells are gone", async () => {
    await (await filled(4)).close();
    truncateSync(join(tilesFolder(folder, shape), "cells.raw"), 2 * 144 + 7);
    const file = (await TileFile.open(folder, shape))!;
    expect([file.count, reads(file, 1), reads(file, 2)]).toEqual([2, true, false]);
    await file.close();
  });

  it("finds tiles that are not what was written", async () => {
    await (await filled(4)).close();
    const path = join(tilesFolder(folder, shape), "cells.raw");
    const bytes = readFileSync(path);
    bytes[2 * 144 + 5]! ^= 1;
    writeFileSync(path, bytes);
    const file = (await TileFile.open(folder, shape))!;
    expect(await file.damaged()).toEqual([imageOf(2)]);
    await file.close();
  });

  it("has nothing for another kernel's version, and starts over for it", async () => {
    await (await filled(4)).close();
    const newer: TileShape = { ...shape, resample: { name: "opencv", version: 2 } };
    expect(await TileFile.open(folder, newer)).toBeUndefined();
    const file = await TileFile.create(folder, newer);
    expect(file.count).toBe(0);
    await file.close();
    expect(await TileFile.open(folder, shape)).toBeUndefined();
  });

  it("takes a manifest cut short for no tiles", async () => {
    await (await filled(2)).close();
    writeFileSync(join(tilesFolder(folder, shape), "tiles.json"), '{"format":"nemosaic-ti');
    expect(await TileFile.open(folder, shape)).toBeUndefined();
  });

  it("makes good what a full disk refused, once there is room again", async () => {
    const file = await TileFile.create(folder, shape);
    const isFull = fullDisk();
    isFull.value = true;
    await expect(file.add(imageOf(0), pixelsOf(0))).rejects.toMatchObject({ code: "io" });
    isFull.value = false;
    await file.add(imageOf(1), pixelsOf(1));
    isFull.value = true;
    await expect(file.sync()).rejects.toMatchObject({ code: "io" });
    isFull.value = false;
    await file.add(imageOf(2), pixelsOf(2));
    await file.add(imageOf(0), pixelsOf(0));
    await file.close();
    const again = (await TileFile.open(folder, shape))!;
    expect([again.count, reads(again, 0), reads(again, 1), reads(again, 2)]).toEqual([3, true, true, true]);
    expect(await again.damaged()).toEqual([]);
    await again.close();
    expect(statSync(join(tilesFolder(folder, shape), "cells.raw")).size).toBe(3 * 144);
  });

  it("puts no run of records into the index before the one that comes first", async () => {
    const file = await TileFile.create(folder, shape);
    const writes = heldWrites(64);
    await file.add(imageOf(0), pixelsOf(0));
    const first = file.sync();
    await file.add(imageOf(1), pixelsOf(1));
    const second = file.sync();
    await writes.settled();
    expect(writes.positions).toEqual([0]);
    writes.letGo();
    await Promise.all([first, second]);
    expect(writes.positions).toEqual([0, 64]);
    await file.close();
  });

  it("counts as none where one of its files is gone, and starts over for adding", async () => {
    for (const name of ["cells.raw", "index.bin"]) {
      await (await filled(2)).close();
      rmSync(join(tilesFolder(folder, shape), name));
      expect(await TileFile.open(folder, shape)).toBeUndefined();
      const file = await TileFile.create(folder, shape);
      expect(file.count).toBe(0);
      await file.close();
    }
  });

  it("sees what another has added", async () => {
    const writer = await filled(1);
    await writer.sync();
    const reader = (await TileFile.open(folder, shape))!;
    await writer.add(imageOf(1), pixelsOf(1));
    await writer.sync();
    expect(reader.has(imageOf(1))).toBe(false);
    await reader.refresh();
    expect(reads(reader, 1)).toBe(true);
    await Promise.all([writer.close(), reader.close()]);
  });
});

/** Makes every write of every file refuse as a full disk does, while `value` is true. */
function fullDisk(): { value: boolean } {
  const state = { value: false };
  onWrite(async (write) => {
    if (state.value) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    return write();
  });
  return state;
}

/** Holds back writes of `length` bytes until they are let go. */
function heldWrites(length: number) {
  const positions: number[] = [];
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  onWrite(async (write, bytes, position) => {
    if (bytes !== length) return write();
    positions.push(position);
    await held;
    return write();
  });
  return { positions, letGo: () => letGo(), settled: () => new Promise((resolve) => setTimeout(resolve, 50)) };
}

type Write = FileHandle["write"];
type OnWrite = (write: () => ReturnType<Write>, length: number, position: number) => ReturnType<Write>;

function onWrite(answer: OnWrite): void {
  const write = prototype.write as (...args: unknown[]) => ReturnType<Write>;
  vi.spyOn(prototype, "write").mockImplementation(function (this: FileHandle, ...args: unknown[]) {
    return answer(() => write.apply(this, args), args[2] as number, args[3] as number);
  } as never);
}

describe("tiles of a pool", () => {
  let pool: Pool;
  beforeEach(async () => {
    pool = await smallPool({ images: 9 });
  });
  afterEach(() => pool.close());

  const rows = Int32Array.from([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  const demands = (): TileDemand[] => [
    { width: 20, height: 20, rows, uses: Float64Array.from(rows, (row) => 20 - row) },
    { width: 40, height: 40, rows: rows.subarray(0, 4), uses: new Float64Array(4).fill(1) },
  ];
  const options = (more: Partial<BuildTilesOptions> = {}): BuildTilesOptions => ({
    resample: { name: "opencv", version: 1 },
    resizer,
    threads: 2,
    onBad: "fail",
    force: false,
    progress: silentProgress,
    ...more,
  });

  async function direct(row: number, width: number, height: number): Promise<Uint8Array> {
    return resizeLinear(await decodePoolImage(pool, row), { width, height });
  }
  const layer = (row: number, width: number, height: number) => ({
    source: [0, 0, pool.images.width[row]!, pool.images.height[row]!] as const,
    destination: [0, 0, width, height] as const,
  });

  it("are made once, told before, and equal to decoding and resizing", async () => {
    const plans: TilesPlan[] = [];
    const report = await buildTiles(pool, demands(), options({ plan: (plan) => plans.push(plan) }));
    expect(report).toMatchObject({ made: 13, leftOut: 0, covered: 1, bytes: 9 * 1200 + 4 * 4800, skipped: [] });
    expect(plans).toHaveLength(1);
    expect(plans[0]!.sizes.map(({ missing }) => missing)).toEqual([9, 4]);
    expect((await buildTiles(pool, demands(), options())).made).toBe(0);
    const cells = openCells("use");
    for (const row of rows) {
      const found = await cells.pixels(row, layer(row, 20, 20), { name: "opencv", version: 1 });
      expect(found.kind).toBe("tile");
      expect(Buffer.compare(found.data, await direct(row, 20, 20))).toBe(0);
      const into = new Uint8Array(1200);
      expect(cells.tile!(row, layer(row, 20, 20), { name: "opencv", version: 1 }, into)).toBe(true);
      expect(Buffer.compare(into, found.data)).toBe(0);
    }
    await cells.close();
  });

  it("beyond a limit are those with the most uses a byte", async () => {
    const report = await buildTiles(pool, demands(), options({ maxBytes: 5 * 1200 + 100 }));
    expect(report).toMatchObject({ made: 5, leftOut: 8, bytes: 6000 });
    expect(report.covered).toBeCloseTo((20 + 19 + 18 + 17 + 16) / (9 * 16 + 4), 9);
    const file = (await TileFile.open(pool.folder, {
      width: 20,
      height: 20,
      resample: { name: "opencv", version: 1 },
    }))!;
    expect(Array.from(rows, (row) => file.has(pool.images.hash[row]!))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    await file.close();
  });

  it("go on where a killed run was", async () => {
    let made = 0;
    const dying: Resizer =
      (name) =>
      (...args) => {
        if (++made > 5) throw new Error("killed");
        return resizer(name)(...args);
      };
    await expect(buildTiles(pool, demands(), options({ resizer: dying, threads: 1 }))).rejects.toThrow("killed");
    const report = await buildTiles(pool, demands(), options());
    expect(report.made).toBeGreaterThan(5);
    expect(report.made).toBeLessThan(13);
    const file = (await TileFile.open(pool.folder, {
      width: 40,
      height: 40,
      resample: { name: "opencv", version: 1 },
    }))!;
    expect([file.count, await file.damaged()]).toEqual([4, []]);
    await file.close();
  });

  it("are made by one at a time", async () => {
    const folder = tilesFolder(pool.folder, { width: 40, height: 40, resample: { name: "opencv", version: 1 } });
    mkdirSync(folder, { recursive: true });
    await withLock(folder, "tiles", () =>
      expect(buildTiles(pool, demands(), options())).rejects.toMatchObject({ code: "locked" }),
    );
    expect((await buildTiles(pool, demands(), options())).made).toBe(13);
  });

  it("skip a corrupt image where asked to, and name it where not", async () => {
    writeFileSync((await pool.imagePath(3))!, "no image");
    await expect(buildTiles(pool, demands(), options())).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("3.png"),
    });
    const report = await buildTiles(pool, demands(), options({ onBad: "skip" }));
    expect(report.skipped).toMatchObject([{ image: "3.png" }]);
    expect(report.skipped).toHaveLength(1);
  });

  function openCells(mode: TileMode): CellSource {
    const store = new TileStore(pool, { mode });
    return { ...tiledCells(pool, store, resizer), close: () => store.close() };
  }

  it("fill while drawing with build, for others to use", async () => {
    const resample = { name: "opencv", version: 1 } as const;
    const builder = openCells("build");
    const other = openCells("build"); // the second builder reads only
    for (const row of rows) {
      const cell = await builder.pixels(row, layer(row, 20, 20), resample);
      expect(cell.kind).toBe("tile");
      expect(Buffer.compare(cell.data, await direct(row, 20, 20))).toBe(0);
      expect((await other.pixels(row, layer(row, 20, 20), resample)).kind).toBe("image");
    }
    const crop = { source: [1, 1, 10, 10], destination: [0, 0, 20, 20] } as const;
    expect(await builder.pixels(0, crop, resample)).toMatchObject({
      kind: "image",
      part: { x: 1, y: 1, width: 10, height: 10 },
    });
    expect(builder.tile!(0, crop, resample, new Uint8Array(1200))).toBe(false);
    await Promise.all([builder.close(), other.close()]);
    const reader = openCells("use");
    expect((await reader.pixels(8, layer(8, 20, 20), resample)).kind).toBe("tile");
    await reader.close();
    expect(readdirSync(tilesFolder(pool.folder, { width: 20, height: 20, resample })).sort()).toEqual([
      "cells.raw",
      "index.bin",
      "tiles.json",
    ]);
  });

  it("are never read with off", async () => {
    await buildTiles(pool, demands(), options());
    const cells = openCells("off");
    expect(cells.tile).toBeUndefined();
    expect((await cells.pixels(0, layer(0, 20, 20), { name: "opencv", version: 1 })).kind).toBe("image");
    await cells.close();
  });
});
