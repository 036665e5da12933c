import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { decodeImage } from "../codecs/index.ts";
import { maskCell, resizeLinear, rleArea, rleToMask } from "../kernels/index.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { Loader, loadMosaics, normaliseBatch, parsePlan, rankIndices } from "./index.ts";

const settings = parseSettings(
  {
    size: 64,
    mosaic: { gamma: 0.7, grid: "mixed" },
    band: { tau: 0.9, tauImage: null, k: 20 },
    tokens: { length: 17 },
  },
  "test",
);
let pool: Pool;

beforeAll(async () => {
  pool = await smallPool({ images: 16, refsPerImage: 2, valImages: 3 });
  await mineSmall(pool);
});
afterAll(() => pool.close());

async function imageAt(row: number) {
  return decodeImage(await pool.imageBytes(row));
}

describe("Loader.get", () => {
  it("draws what the plans say: each layer resampled into its place, the target's mask alone", async () => {
    const loader = await Loader.open(pool, settings);
    const indices = Array.from({ length: loader.length }, (_, at) => at);
    const batch = await loader.get(0, indices);
    const { size } = batch;
    expect(new Set(batch.plans.map((plan) => plan.layers.length))).toEqual(new Set([1, 4, 9]));
    for (const [at, plan] of batch.plans.entries()) {
      const image = new Uint8Array(size * size * 3);
      const mask = new Uint8Array(size * size);
      for (const layer of plan.layers) {
        const row = pool.imageRow(layer.image);
        const source = await imageAt(row);
        const [x, y, width, height] = layer.destination;
        const part = { x: 0, y: 0, width: source.width, height: source.height };
        resizeLinear(source, { width, height, data: image, stride: size * 3, offset: (y * size + x) * 3 });
        if (layer.role === "target")
          maskCell(
            pool.mask(
              row,
              layer.masks.map((key) => pool.annotationRow(key)),
            ),
            part,
            { width, height, data: mask, stride: size, offset: y * size + x },
          );
      }
      expect(Buffer.compare(batch.image.subarray(at * size * size * 3, (at + 1) * size * size * 3), image)).toBe(0);
      expect(Buffer.compare(batch.mask.subarray(at * size * size, (at + 1) * size * size), mask)).toBe(0);
      expect(mask.some((value) => value === 1)).toBe(true);
    }
    expect([batch.tokens.length, batch.tokens[0]]).toEqual([17 * indices.length, 49406]);
    await loader.close();
  });

  it("gives a sample the same pixels in any batch, and draws a plan from its JSON alone", async () => {
    const loader = await Loader.open(pool, settings);
    const all = await loader.get(2, [5, 0, 9]);
    const one = await loader.get(2, [9]);
    const length = one.image.length;
    expect(Buffer.compare(all.image.subarray(2 * length), one.image)).toBe(0);
    const drawn = await loader.draw(parsePlan(JSON.parse(JSON.stringify(one.plans[0])), "test"));
    expect(Buffer.compare(drawn.image, one.image)).toBe(0);
    expect(Buffer.compare(drawn.mask, one.mask)).toBe(0);
    await loader.close();
  });

  it("draws into memory of the caller, whatever was in it, and onto one canvas after the other", async () => {
    const loader = await Loader.open(pool, settings);
    const indices = Array.from({ length: 20 }, (_, at) => at);
    const expected = await loader.get(1, indices);
    const memory = {
      image: new Uint8Array(expected.image.length + 7).fill(201),
      mask: new Uint8Array(expected.mask.length).fill(201),
    };
    const batch = await loader.get(1, indices, memory);
    expect([batch.image.buffer === memory.image.buffer, batch.image.length]).toEqual([true, expected.image.length]);
    expect([Buffer.compare(batch.image, expected.image), Buffer.compare(batch.mask, expected.mask)]).toEqual([0, 0]);

    const [pixels, truth] = [64 * 64 * 3, 64 * 64];
    const canvas = { image: new Uint8Array(pixels), imageOffset: 0, mask: new Uint8Array(truth), maskOffset: 0 };
    const drawn: number[] = [];
    const facts = await loader.drawEach(1, indices, {
      canvas: () => canvas,
      drawn: (at) => {
        drawn.push(at);
        expect(Buffer.compare(canvas.image, expected.image.subarray(at * pixels, (at + 1) * pixels))).toBe(0);
        expect(Buffer.compare(canvas.mask, expected.mask.subarray(at * truth, (at + 1) * truth))).toBe(0);
      },
    });
    expect(drawn.toSorted((a, b) => a - b)).toEqual(indices);
    expect([facts.texts, facts.plans]).toEqual([expected.texts, expected.plans]);
    const small = { image: new Uint8Array(pixels), mask: new Uint8Array(2 * truth) };
    await expect(loader.get(1, [0, 1], small)).rejects.toThrow(/expected memory of 24576 and 8192 bytes/);
    await loader.close();
  });

  it("normalises like PyTorch: channels first, (x/255 - mean) / std", async () => {
    const loader = await Loader.open(pool, settings);
    const batch = await loader.get(0, [0, 1]);
    const floats = normaliseBatch(batch, "imagenet");
    const plane = batch.size * batch.size;
    for (const [sample, channel, pixel] of [
      [0, 0, 0],
      [1, 2, 77],
      [1, 1, plane - 1],
    ] as const) {
      const [mean, std] = [[0.485, 0.456, 0.406][channel]!, [0.229, 0.224, 0.225][channel]!];
      const expected = (batch.image[(sample * plane + pixel) * 3 + channel]! / 255 - mean) / std;
      expect(floats[(sample * 3 + channel) * plane + pixel]).toBeCloseTo(expected, 5);
    }
    await loader.close();
  });

  it("gives validation the truth at original size", async () => {
    const loader = await Loader.open(pool, settings, { split: "val" });
    const batch = await loader.get(0, [0, 5]);
    batch.plans.forEach((plan, at) => {
      const row = pool.imageRow(plan.layers[0]!.image);
      const truth = batch.truths![at]!;
      expect([truth.width, truth.height]).toEqual([pool.images.width[row], pool.images.height[row]]);
      expect(rleArea(truth)).toBe(rleToMask(truth).reduce((sum, value) => sum + value, 0));
      expect(rleArea(truth)).toBeGreaterThan(50);
    });
    await loader.close();
  });
});

describe("Loader.targetMasks", () => {
  it("gives what is to be seen of each target: nothing of one that a later image hides", async () => {
    const loader = await Loader.open(pool, settings);
    const single = loader.plan(0, 0);
    const row = pool.imageRow(single.layers[0]!.image);
    const keys = [0, 1].map((at) => pool.annotationKey(pool.targetsOfRef(2 * row + at)[0]!));
    const layer = { ...single.layers[0]!, masks: keys, alpha: 1, blur: 0 };
    const whole = { ...layer, destination: [0, 0, 64, 64] as const };
    const cover = { ...whole, destination: [0, 0, 64, 20] as const, masks: [] };
    const plan = { ...single, layers: [whole, cover] };
    const { mask } = await loader.draw(plan);
    const parts = loader.targetMasks(plan);
    expect(parts.map(({ annotation }) => annotation)).toEqual(keys);
    for (const [at, part] of parts.entries()) {
      const alone = { ...plan, layers: [{ ...whole, masks: [keys[at]!] }, cover] };
      expect(Buffer.compare(part.mask, (await loader.draw(alone)).mask)).toBe(0);
      expect(part.mask.some((value) => value === 1)).toBe(true);
      expect(part.mask.indexOf(1)).toBeGreaterThanOrEqual(20 * 64);
    }
    expect(mask).toEqual(parts[0]!.mask.map((value, at) => value | parts[1]!.mask[at]!));
    expect(loader.targetMasks({ ...plan, layers: [cover] })).toEqual([]);
    await loader.close();
  });
});

describe("Loader.batches", () => {
  it("covers an epoch once, resumes in the middle, and stops when the caller leaves", async () => {
    const seen: number[] = [];
    const steps: string[] = [];
    for await (const batch of loadMosaics(pool, settings, { epoch: 1, batchSize: 5 })) {
      seen.push(...batch.indices);
      steps.push(batch.indices.join());
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 26 }, (_, at) => at));
    expect(seen).not.toEqual([...seen].sort((a, b) => a - b));
    const rest: string[] = [];
    for await (const batch of loadMosaics(pool, settings, { epoch: 1, batchSize: 5, fromStep: 3 }))
      rest.push(batch.indices.join());
    expect(rest).toEqual(steps.slice(3));
    for await (const batch of loadMosaics(pool, settings, { epoch: 1, batchSize: 5, dropLast: true })) {
      expect(batch.indices).toHaveLength(5);
      break;
    }
  });

  it("skips and counts an image that cannot be decoded, or fails, and never hangs", async () => {
    const broken = await smallPool({ images: 10, refsPerImage: 1, valImages: 0 });
    const victim = join(broken.folder, "..", "images", "4.png");
    await truncate(victim, 60);
    const single = (onBadImage: string) =>
      parseSettings({ preset: "none", size: 32, onBadImage, tokens: { kind: "none" } }, "test");
    const replaced: object[] = [];
    let count = 0;
    for await (const batch of loadMosaics(broken, single("skip"), { batchSize: 4, tiles: "off" })) {
      count += batch.plans.length;
      replaced.push(...batch.replaced);
      for (const plan of batch.plans) expect(plan.layers[0]!.image).not.toBe(broken.images.hash[4]);
    }
    expect(count).toBe(10);
    expect(replaced).toEqual([{ index: 4, by: 5, reason: expect.stringMatching(/4\.png/) }]);
    await expect(
      (async () => {
        for await (const _ of loadMosaics(broken, single("fail"), { batchSize: 4, tiles: "off" }));
      })(),
    ).rejects.toThrow(/4\.png/);
    for (let image = 0; image < 10; image++) await writeFile(join(broken.folder, "..", "images", `${image}.png`), "x");
    await expect(
      (async () => {
        for await (const _ of loadMosaics(broken, single("skip"), { batchSize: 4, tiles: "off" }));
      })(),
    ).rejects.toThrow(/no sample of split "train" can be drawn/);
    await broken.close();
  });

  it("says what is missing: mined candidates, a split, another pool's plan", async () => {
    const bare = await smallPool({ images: 4, valImages: 0 });
    await expect(Loader.open(bare, settings)).rejects.toThrow(
      /no mined\/default.*nemosaic embed.*--preset random or none/,
    );
    const loader = await Loader.open(bare, parseSettings({ preset: "random", tokens: { kind: "none" } }, "test"));
    expect((await loader.get(0, [0, 1])).plans).toHaveLength(2);
    const own = loader.plan(0, 0);
    await expect(loader.draw({ ...own, pool: "0123456789abcdef" })).rejects.toThrow(/was made for pool 0123456789ab/);
    const clipped = own.layers.map((layer) => ({ ...layer, clip: ["s/1"] }));
    expect(() => parsePlan({ ...own, layers: clipped }, "line 7")).toThrow(/line 7 has a clip.*expected version 2/);
    expect(parsePlan({ ...own, version: 2, layers: clipped }, "line 7").version).toBe(2);
    const [, , w, h] = own.layers[0]!.destination;
    const shown = (x: number) => own.layers.map((layer) => ({ ...layer, window: { of: [w + 2, h], at: [x, 0] } }));
    expect(() => parsePlan({ ...own, layers: shown(2) }, "line 8")).toThrow(/line 8 has a window.*expected version 3/);
    expect(() => parsePlan({ ...own, version: 3, layers: shown(3) }, "line 8")).toThrow(/window that leaves its whole/);
    expect(parsePlan({ ...own, version: 3, layers: shown(2) }, "line 8").version).toBe(3);
    expect(() => parsePlan({ ...own, version: 4 }, "line 7")).toThrow(/version: expected version 1, 2 or 3/);
    expect(() => parsePlan({ ...own, size: 3 }, "line 7")).toThrow(/line 7 leaves its 3×3 sample/);
    expect(() => parsePlan({ ...own, resample: { name: "opencv", version: 99 } }, "line 7")).toThrow(
      /version 99 of the "opencv" kernel/,
    );
    expect(() => parsePlan({ ...own, layers: "x" }, "line 7")).toThrow(/expected a plan .* in line 7: layers/);
    await loader.close();
    await bare.close();
  });
});

describe("Loader", () => {
  it("refuses epochs and options that make no sense, in one line", async () => {
    const loader = await Loader.open(pool, settings);
    for (const epoch of [-1, 0.5, Number.NaN, 2 ** 32])
      expect(() => loader.plan(epoch, 0)).toThrow(/expected an epoch from 0/);
    await expect(loader.get(-1, [0])).rejects.toThrow(/expected an epoch/);
    const first = async (options: object): Promise<unknown> => (await loader.batches(options).next()).value;
    await expect(first({ fromStep: -1 })).rejects.toThrow(/expected a step to start from of 0 or more, got -1/);
    await expect(first({ batchSize: 1.5 })).rejects.toThrow(/expected a batch size of 1 or more/);
    await expect(first({ prefetch: Number.NaN })).rejects.toThrow(/expected a number of batches to prefetch/);
    await expect(first({ tail: "foo" })).rejects.toThrow(/unknown tail "foo".*pad, drop/);
    const batch = await loader.get(0, [0]);
    expect(() => normaliseBatch(batch, "clipp" as "clip")).toThrow(
      /unknown normalisation "clipp". Did you mean "clip"/,
    );
    await loader.close();
  });

  it("takes no name that leads out of the pool", async () => {
    for (const mined of ["..", "../x", "a/b", ""]) {
      await expect(Loader.open(pool, { ...settings, mined })).rejects.toThrow(/expected letters, digits/);
    }
  });
});

describe("rankIndices", () => {
  it("deals an epoch over 1, 2, 4 or 8 ranks with equal global batches", () => {
    const options = { length: 64, seed: 3, epoch: 2, shuffle: true, tail: "pad" as const };
    const global = Array.from(rankIndices({ ...options, rank: 0, worldSize: 1 }));
    for (const worldSize of [2, 4, 8]) {
      const ranks = Array.from({ length: worldSize }, (_, rank) => rankIndices({ ...options, rank, worldSize }));
      expect(Array.from({ length: 64 }, (_, at) => ranks[at % worldSize]![Math.floor(at / worldSize)])).toEqual(global);
    }
  });

  it("pads with the first samples or drops the tail, like DistributedSampler", () => {
    const options = { length: 10, seed: 0, epoch: 0, shuffle: false, worldSize: 4 };
    const all = (tail: "pad" | "drop") =>
      [0, 1, 2, 3].map((rank) => Array.from(rankIndices({ ...options, rank, tail })));
    expect(all("pad")).toEqual([
      [0, 4, 8],
      [1, 5, 9],
      [2, 6, 0],
      [3, 7, 1],
    ]);
    expect(all("drop")).toEqual([
      [0, 4],
      [1, 5],
      [2, 6],
      [3, 7],
    ]);
    expect(() => rankIndices({ ...options, rank: 4, tail: "pad" })).toThrow(/expected a rank from 0/);
  });
});
