import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { smallPool } from "../../test/small-pool.ts";
import { hashBytes, silentProgress, stageTiming } from "../io/index.ts";
import { resampleVersions } from "../model/index.ts";
import { resizerOf } from "../mosaic/index.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings, type Settings } from "../settings/index.ts";
import { buildTiles } from "../tiles/index.ts";
import type { Batch } from "./batch.ts";
import { Loader, loadMosaics } from "./loader.ts";
import type { LoaderOptions } from "./open-parts.ts";
import { tileDemand } from "./tile-demand.ts";

let pool: Pool;
beforeEach(async () => {
  pool = await smallPool({ images: 14, valImages: 2 });
});
afterEach(() => pool.close());

const settings = (grid: string, gamma: number, resample = "opencv"): Settings =>
  parseSettings({ preset: "random", size: 41, resample, mosaic: { grid, gamma }, tokens: { kind: "none" } }, "test");

async function batch(given: Settings, options: LoaderOptions): Promise<Batch> {
  const loader = await Loader.open(pool, given, options);
  try {
    return await loader.get(
      3,
      Array.from({ length: loader.length }, (_, at) => at),
    );
  } finally {
    await loader.close();
  }
}

async function build(given: Settings): Promise<{ sizes: string[]; made: number }> {
  const loader = await Loader.open(pool, given, { tiles: "off" });
  const { demands } = tileDemand(loader);
  const resample = { name: given.resample, version: resampleVersions[given.resample] };
  const report = await buildTiles(pool, demands, {
    resample,
    resizer: resizerOf,
    threads: 2,
    onBad: "fail",
    force: false,
    progress: silentProgress,
  });
  await loader.close();
  return { sizes: demands.map(({ width, height }) => `${width}x${height}`).sort(), made: report.made };
}

const hashOf = ({ image, mask }: Batch): string => hashBytes(image) + hashBytes(mask);

describe("tiles in the loader", () => {
  it.each([
    ["2x2", 1, ["20x20", "20x21", "21x20", "21x21"]],
    ["3x3", 0.5, ["13x13", "13x14", "14x13", "14x14", "41x41"]],
    ["mixed", 0.5, ["13x13", "13x14", "14x13", "14x14", "20x20", "20x21", "21x20", "21x21", "41x41"]],
    ["2x2", 0, ["41x41"]],
  ])(
    "warm %s mosaics at γ = %d have the pixels of cold ones, from tiles of every size needed",
    async (grid, gamma, sizes) => {
      for (const resample of ["opencv", "fast"]) {
        const given = settings(grid, gamma, resample);
        const cold = await batch(given, { tiles: "off" });
        const built = await build(given);
        expect(built.sizes).toEqual(sizes);
        expect(built.made).toBeGreaterThan(0);
        const timing = stageTiming(() => 0);
        const warm = await batch(given, { timing });
        expect(hashOf(warm)).toBe(hashOf(cold));
        const stages = timing.report().stages;
        const times = (stage: string): number => stages.find((each) => each.stage === stage)?.count ?? 0;
        expect(times("tiles")).toBeGreaterThan(10);
        // Only what was asked for before the files were open may have gone another way, and that reads tiles too.
        expect(times("decode")).toBe(0);
      }
    },
  );

  it("fills tiles while drawing, and draws the same from them", async () => {
    const given = settings("2x2", 0.5);
    const cold = await batch(given, { tiles: "off" });
    expect(existsSync(join(pool.folder, "tiles"))).toBe(false);
    expect(hashOf(await batch(given, { tiles: "build" }))).toBe(hashOf(cold));
    expect(existsSync(join(pool.folder, "tiles", "41x41-opencv", "tiles.json"))).toBe(true);
    const timing = stageTiming(() => 0);
    expect(hashOf(await batch(given, { tiles: "use", timing }))).toBe(hashOf(cold));
    expect(timing.report().stages.map(({ stage }) => stage)).not.toContain("decode");
    rmSync(join(pool.folder, "tiles"), { recursive: true });
    expect(hashOf(await batch(given, {}))).toBe(hashOf(cold));
  });

  it.each([
    ["full-size-random", "opencv"],
    ["full-size-random", "fast"],
    ["yolov4", "opencv"],
    ["cutmix", "opencv"],
    ["mixgen", "opencv"],
  ])("serves %s (%s) from tiles of whole images, to the bit", async (preset, resample) => {
    const given = parseSettings(
      { preset, size: 41, resample, mosaic: { gamma: 1, placement: "uniform" }, tokens: { kind: "none" } },
      "test",
    );
    const cold = await batch(given, { tiles: "off" });
    expect(cold.plans.filter(({ style }) => style !== undefined).length).toBeGreaterThan(4);
    expect(hashOf(await batch(given, { tiles: "build" }))).toBe(hashOf(cold));
    const timing = stageTiming(() => 0);
    expect(hashOf(await batch(given, { timing }))).toBe(hashOf(cold));
    expect(timing.report().stages.map(({ stage }) => stage)).not.toContain("decode");
    expect(readdirSync(join(pool.folder, "tiles"))).toEqual([`41x41-${resample}`]);
    expect((await build(given)).made).toBeGreaterThanOrEqual(0);
  });

  it("keeps what mosaics decode by default, and no sizes that hardly recur", async () => {
    const given = settings("2x2", 1);
    const pixels = async (of: Settings, options: LoaderOptions = {}): Promise<string> => {
      let all = "";
      for await (const drawn of loadMosaics(pool, of, { batchSize: 4, ...options })) all += hashOf(drawn);
      return all;
    };
    const cold = await pixels(given, { tiles: "off" });
    expect(existsSync(join(pool.folder, "tiles"))).toBe(false);
    expect(await pixels(given)).toBe(cold);
    const timing = stageTiming(() => 0);
    expect(await pixels(given, { timing })).toBe(cold);
    expect(timing.report().stages.map(({ stage }) => stage)).not.toContain("decode");
    rmSync(join(pool.folder, "tiles"), { recursive: true });
    const moving = parseSettings(
      { preset: "random", size: 97, mosaic: { gamma: 1, crossPoint: "free", minCell: 0.2 }, tokens: { kind: "none" } },
      "test",
    );
    await pixels(moving);
    expect(existsSync(join(pool.folder, "tiles")) ? readdirSync(join(pool.folder, "tiles")) : []).toEqual([]);
  });
});
