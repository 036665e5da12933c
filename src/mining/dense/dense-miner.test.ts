import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CounterRandom } from "../../kernels/index.ts";
import { memoryVectors } from "../exact-vectors.contract.ts";
import type { MinedColumns, Rank } from "../scorer.ts";
import { openDenseMiner } from "./open-dense-miner.ts";

const sums = new Float32Array(8);

/** The dot product as the kernel sums it: 8 partial sums in float32, folded in a fixed order. */
function dot(a: Float32Array, rowA: number, b: Float32Array, rowB: number, dimension: number): number {
  sums.fill(0);
  for (let k = 0; k < dimension; k++) {
    const product = Math.fround(a[rowA * dimension + k]! * b[rowB * dimension + k]!);
    sums[k % 8] = sums[k % 8]! + product;
  }
  for (let lane = 0; lane < 4; lane++) sums[lane] = sums[lane]! + sums[lane + 4]!;
  return Math.fround(Math.fround(sums[0]! + sums[1]!) + Math.fround(sums[2]! + sums[3]!));
}

interface Case {
  readonly images: Float32Array;
  readonly expressions: Float32Array;
  readonly dimension: number;
  /** The image of each expression, ascending. */
  readonly owners: number[];
}

function plainly({ images, expressions, dimension, owners }: Case, rank: Rank, depth: number): MinedColumns {
  const found: [id: number, t2i: number, i2i: number][] = [];
  owners.forEach((own, expression) => {
    const all = Array.from({ length: images.length / dimension }, (_, id): [number, number, number] => [
      id,
      dot(expressions, expression, images, id, dimension),
      dot(images, own, images, id, dimension),
    ]);
    const scoreOf = ([, t2i, i2i]: [number, number, number]): number =>
      rank === "t2i" ? t2i : rank === "i2i" ? i2i : Math.fround(Math.fround(t2i + i2i) * 0.5);
    all.sort((a, b) => scoreOf(b) - scoreOf(a) || a[0] - b[0]);
    found.push(...all.slice(0, depth));
  });
  return {
    ids: Int32Array.from(found, ([id]) => id),
    t2i: Float32Array.from(found, ([, t2i]) => t2i),
    i2i: Float32Array.from(found, ([, , i2i]) => i2i),
  };
}

type Manner = "even" | "clustered" | "cone" | "spiky" | "few" | "equal" | "zeros";

/** Unit vectors of a manner: each is hard for 8 bits, for bounds, or for lists in its own way. */
function vectorsOf(manner: Manner, count: number, dimension: number, seed: number): Float32Array {
  const data = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const random = new CounterRandom(seed, 1, row, 0);
    const part = data.subarray(row * dimension, (row + 1) * dimension);
    for (let k = 0; k < dimension; k++) {
      const noise = random.float() + random.float() - 1;
      part[k] = noise;
      if (manner === "clustered") part[k] = noise * 0.3 + Math.sin((row % 5) * 17 + k);
      if (manner === "cone") part[k] = noise * 0.05 + (k < 3 ? 1 : 0.01 * k);
      if (manner === "spiky") part[k] = k === row % dimension ? 1 : noise * 1e-3;
      if (manner === "few") part[k] = noise < 0 ? -1 : 1;
      if (manner === "equal") part[k] = Math.cos(k);
    }
    const length = Math.hypot(...part);
    for (let k = 0; k < dimension; k++) part[k] = manner === "zeros" && row % 3 === 0 ? 0 : part[k]! / length;
  }
  return data;
}

async function mined(given: Case, rank: Rank, depth: number, floats: boolean, memoryBytes = 2 ** 30, step = 300) {
  const { images, expressions, dimension, owners } = given;
  const count = images.length / dimension;
  const files = [memoryVectors(images, dimension), memoryVectors(expressions, dimension)] as const;
  const candidates = Int32Array.from({ length: count }, (_, at) => at);
  const setup = { candidates, rank, depth, rows: step, memoryBytes, floats, blockRows: 64, blockColumns: 512 };
  const miner = openDenseMiner(...files, setup);
  const size = owners.length * depth;
  const whole = { ids: new Int32Array(size), t2i: new Float32Array(size), i2i: new Float32Array(size) };
  for (let start = 0; start < owners.length; start += step) {
    const part = owners.slice(start, start + step);
    const own = [...new Set(part)];
    const rows = Int32Array.from(part, (_, at) => start + at);
    const imageOf = Int32Array.from(part, (image) => own.indexOf(image));
    const columns = await miner.mine(rows, Int32Array.from(own), imageOf);
    for (const name of ["ids", "t2i", "i2i"] as const) whole[name].set(columns[name], start * depth);
  }
  await miner.close();
  return whole;
}

const ranks = ["t2i", "i2i", "mean"] as const;
const manners: Manner[] = ["even", "clustered", "cone", "spiky", "few", "equal", "zeros"];

describe("DenseMiner", () => {
  it.each(ranks.flatMap((rank) => manners.map((manner) => [rank, manner] as const)))(
    "equals a full search by %s over %s vectors to the bit, screened in 8 bits or not, whatever its memory",
    async (rank, manner) => {
      const dimension = 40;
      const images = vectorsOf(manner, 1600, dimension, 3);
      const owners = Array.from({ length: 45 }, (_, at) => Math.floor(at / 3) * 31);
      const expressions = vectorsOf(manner, owners.length, dimension, 4);
      const given = { images, expressions, dimension, owners };
      const expected = plainly(given, rank, 150);
      expect(await mined(given, rank, 150, false)).toEqual(expected);
      expect(await mined(given, rank, 150, true, 0, 25)).toEqual(expected);
      expect(await mined(given, rank, 150, false, 2048 * dimension, 20)).toEqual(expected);
    },
    60_000,
  );

  it("equals a full search where the sample of candidates is better than the rest, so that lists begin too high", async () => {
    // A sample of 320 at even distances; those lists that then have exactly as many entries as wanted look complete.
    const [dimension, count, depth, sampleSize] = [64, 2000, 150, 320];
    const sampled = new Set(Array.from({ length: sampleSize }, (_, at) => Math.floor((at * count) / sampleSize)));
    const noisy = (rows: number, seed: number, lift: (row: number) => number): Float32Array => {
      const data = vectorsOf("even", rows, dimension, seed);
      for (let row = 0; row < rows; row++) {
        const part = data.subarray(row * dimension, (row + 1) * dimension);
        part[0] = part[0]! + lift(row);
        const length = Math.hypot(...part);
        for (let k = 0; k < dimension; k++) part[k] = part[k]! / length;
      }
      return data;
    };
    const images = noisy(count, 5, (row) => (sampled.has(row) ? 0.1 : 0));
    const owners = new Array<number>(400).fill(0);
    const given = { images, expressions: noisy(owners.length, 6, () => 1), dimension, owners };
    expect(await mined(given, "t2i", depth, false, 2 ** 30, 400)).toEqual(plainly(given, "t2i", depth));
  });

  it("equals a full search for any few vectors", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 80 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        fc.constantFrom(...ranks),
        fc.constantFrom(...manners),
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (count, ownersOf, rank, manner, wanted, dimension, floats) => {
          const owners = ownersOf.map((owner) => owner % count).sort((a, b) => a - b);
          const images = vectorsOf(manner, count, dimension, wanted);
          const expressions = vectorsOf(manner, owners.length, dimension, wanted + 1);
          const given = { images, expressions, dimension, owners };
          const depth = Math.min(wanted, count);
          expect(await mined(given, rank, depth, floats)).toEqual(plainly(given, rank, depth));
        },
      ),
      { numRuns: 60 },
    );
  });
});
