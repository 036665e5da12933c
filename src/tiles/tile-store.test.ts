import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { scratchFolder, smallPool } from "../../test/small-pool.ts";
import { resizeLinear } from "../kernels/index.ts";
import type { Pool } from "../pool/index.ts";
import { type CellSource, decodePoolImage } from "./cell-source.ts";
import { findTilePlace } from "./tile-place.ts";
import { type TileKeeping, TileStore } from "./tile-store.ts";
import { tiledCells } from "./tiled-cells.ts";

const resample = { name: "opencv", version: 1 } as const;
const tile = 20 * 20 * 3;
const tilesOf = (folder: string): string => join(folder, "tiles", "20x20-opencv");

describe("a place for tiles", () => {
  it("goes on with the room that it knew where the disk cannot be measured again", async () => {
    const pool = await smallPool({ images: 1 });
    const place = await findTilePlace(pool, { maxBytes: 200 });
    rmSync(join(pool.folder, "tiles"), { recursive: true });
    symlinkSync("tiles", join(pool.folder, "tiles")); // a link to itself cannot be listed
    for (let tile = 0; tile < 130; tile++) expect(place?.take(1)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20)); // what is thrown meanwhile ends the test
    expect([place?.take(70), place?.take(1)]).toEqual([true, false]);
    await pool.close();
  });
});

describe("TileStore", () => {
  let pool: Pool;
  let cache = "";
  const told: string[] = [];
  const open_: TileStore[] = [];

  beforeEach(async () => {
    pool = await smallPool({ images: 12 });
    cache = await scratchFolder();
    told.length = 0;
    vi.stubEnv("XDG_CACHE_HOME", cache);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    for (const store of open_.splice(0)) await store.close();
    await pool.close();
  });

  function openCells(keeping: Partial<TileKeeping> = {}): { store: TileStore; cells: CellSource } {
    const store = new TileStore(pool, { mode: "build", tell: (line) => told.push(line), ...keeping });
    open_.push(store);
    return { store, cells: tiledCells(pool, store, () => resizeLinear) };
  }
  const layerOf = (row: number) => {
    const [width, height] = [pool.images.width[row] ?? 0, pool.images.height[row] ?? 0];
    return { source: [0, 0, width, height], destination: [0, 0, 20, 20] } as const;
  };
  const draw = async (cells: CellSource, count = 12): Promise<string[]> => {
    const kinds: string[] = [];
    for (let row = 0; row < count; row++) {
      const cell = await cells.pixels(row, layerOf(row), resample);
      kinds.push(cell.kind);
      const expected = resizeLinear(
        {
          ...(await decodePoolImage(pool, row)),
          part: { x: 0, y: 0, width: layerOf(row).source[2], height: layerOf(row).source[3] },
        },
        { width: 20, height: 20 },
      );
      const drawn = cell.kind === "tile" ? cell.data : resizeLinear(cell, { width: 20, height: 20 });
      expect(Buffer.compare(drawn, expected)).toBe(0);
    }
    return kinds;
  };
  const has = (cells: CellSource, row: number): boolean =>
    cells.tile!(row, layerOf(row), resample, new Uint8Array(tile));

  it("keeps what was decoded, and says once where, how much and how to forbid it", async () => {
    const { cells } = openCells();
    expect(has(cells, 0)).toBe(false);
    expect(told).toEqual([]);
    await draw(cells);
    expect(has(cells, 0) && has(cells, 11)).toBe(true);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /kept in ".*\/tiles", at most [\d.]+ [kMG]B \(20 % of the free disk.*NEMOSAIC_TILES_MAX_BYTES.*NEMOSAIC_TILES=use/,
    );
  });

  it("keeps no more than it may, what others have put there counted", async () => {
    const first = openCells({ maxBytes: 5 * tile });
    await draw(first.cells);
    expect([...Array(12).keys()].filter((row) => has(first.cells, row))).toEqual([0, 1, 2, 3, 4]);
    await first.store.close();
    const second = openCells({ maxBytes: 7 * tile });
    await draw(second.cells);
    expect([...Array(12).keys()].filter((row) => has(second.cells, row))).toHaveLength(7);
    expect(
      told.filter((line) => /^no more.*holds what it may, at most 8\.4 kB \(as set\); remove/.test(line)),
    ).toHaveLength(1);
    expect(openCells({ maxBytes: 0 }).cells.tile).toBeDefined();
  });

  it("adds to the user's cache where the pool cannot be written, and reads both", async () => {
    const first = openCells();
    await draw(first.cells, 3);
    await first.store.close();
    // A read-only mount cannot be made here, and root may write anywhere: a folder that takes no file is as good.
    const tiles = tilesOf(pool.folder);
    const kept = openCells({ folder: join(cache, "elsewhere") });
    await draw(kept.cells, 5);
    expect(has(kept.cells, 4)).toBe(true);
    expect(readdirSync(join(cache, "elsewhere", "pools"))).toEqual([pool.manifest.hash.slice(0, 16)]);
    expect(existsSync(tiles)).toBe(true);

    rmSync(join(pool.folder, "tiles"), { recursive: true });
    writeFileSync(join(pool.folder, "tiles"), "in the way");
    const { cells } = openCells();
    await draw(cells);
    expect(has(cells, 11)).toBe(true);
    expect(told.at(-1)).toContain(join(cache, "nemosaic", "pools", pool.manifest.hash.slice(0, 16), "tiles"));
  });

  it("goes on without where nothing can be written, and says so", async () => {
    writeFileSync(join(pool.folder, "tiles"), "in the way");
    mkdirSync(join(cache, "nemosaic"), { recursive: true });
    writeFileSync(join(cache, "nemosaic", "pools"), "in the way");
    const { cells } = openCells();
    expect(new Set(await draw(cells))).toEqual(new Set(["image"]));
    expect(told).toEqual([
      expect.stringMatching(/^decoded images are not kept: neither the pool.*NEMOSAIC_TILES_FOLDER/),
    ]);
  });

  it("goes on without when the disk is full, and says so once", async () => {
    const handle = await open(fileURLToPath(import.meta.url), "r");
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const full = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    const { cells, store } = openCells();
    await draw(cells, 2);
    vi.spyOn(prototype, "write").mockRejectedValue(full);
    await draw(cells);
    await store.close();
    expect(told).toHaveLength(2);
    expect(told[1]).toMatch(/^no more decoded images are kept: .*the disk is full$/);
  });

  it("takes over when the process that added tiles has ended", async () => {
    const [first, second] = [openCells(), openCells()];
    await draw(first.cells, 4);
    await draw(second.cells, 6);
    expect(has(second.cells, 5)).toBe(false);
    await first.store.close();
    for (let times = 0; times < 64 / 8; times++) await draw(second.cells);
    expect(has(second.cells, 11)).toBe(true);
  });

  it("leaves no lock and nothing half-written behind", async () => {
    const { cells, store } = openCells();
    await draw(cells);
    await store.close();
    expect(readdirSync(tilesOf(pool.folder)).sort()).toEqual(["cells.raw", "index.bin", "tiles.json"]);
  });
});
