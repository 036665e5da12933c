import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { smallPool } from "../../test/small-pool.ts";
import { Loader, tileDemand } from "../loader/index.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { TileFile, TileStore } from "../tiles/index.ts";
import { BackgroundTiles } from "./background-tiles.ts";

const settings = parseSettings({ preset: "random", size: 41, tokens: { kind: "none" } }, "test");
const resample = { name: "opencv", version: 1 } as const;

describe("BackgroundTiles", () => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await smallPool({ images: 16 });
  });
  afterAll(() => pool.close());
  beforeEach(() => rmSync(join(pool.folder, "tiles"), { recursive: true, force: true }));

  async function withLoader(maxBytes: number | undefined, use: (loader: Loader) => Promise<void>): Promise<void> {
    const store = new TileStore(pool, { mode: "build", maxBytes });
    const loader = await Loader.open(pool, settings, { tiles: store });
    try {
      await use(loader);
    } finally {
      await loader.close();
      await store.close();
    }
  }
  /** Makes all that is made when `cores` stand still. */
  const make = (loader: Loader, cores: () => number): Promise<{ made: number; background: BackgroundTiles }> =>
    new Promise((resolve) => {
      const background: BackgroundTiles = new BackgroundTiles(loader, {
        lookMs: 1,
        idleCores: cores,
        done: (made) => resolve({ made, background }),
      });
    });
  const kept = async (width: number, height: number): Promise<(row: number) => boolean> => {
    const file = await TileFile.open(pool.folder, { width, height, resample });
    await file?.close();
    return (row) => file?.has(pool.images.hash[row] ?? "") === true;
  };

  it("makes every tile that the plans want, and drawing decodes nothing", async () => {
    let demands: ReturnType<typeof tileDemand>["demands"] = [];
    await withLoader(undefined, async (loader) => {
      demands = tileDemand(loader).demands;
      const { made, background } = await make(loader, () => 2);
      expect(made).toBe(demands.reduce((sum, { rows }) => sum + rows.length, 0));
      await background.stop();
    });
    for (const { width, height, rows } of demands) {
      const has = await kept(width, height);
      expect([...rows].every(has)).toBe(true);
    }
  });

  it("makes those with the most uses a byte where not all have room", async () => {
    const small = 20 * 20 * 3;
    let made = 0;
    await withLoader(6 * small, async (loader) => {
      const result = await make(loader, () => 1);
      made = result.made;
      await result.background.stop();
    });
    expect(made).toBeGreaterThan(2);
    expect(existsSync(join(pool.folder, "tiles", "41x41-opencv", "cells.raw"))).toBe(false);
  });

  it("makes nothing while no core stands still, or the loader is asked for something", async () => {
    await withLoader(undefined, async (loader) => {
      const busy = new BackgroundTiles(loader, { lookMs: 1, idleCores: () => 0.4 });
      await sleep(30);
      await busy.stop();
      expect(existsSync(join(pool.folder, "tiles"))).toBe(false);
      const asked = new BackgroundTiles(loader, { lookMs: 1, idleCores: () => 2 });
      await asked.around(() => sleep(30));
      expect(existsSync(join(pool.folder, "tiles"))).toBe(false);
      await asked.stop();
    });
  });
});
