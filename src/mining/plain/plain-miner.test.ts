import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { hashBytes } from "../../io/index.ts";
import { createDenseScorer, type DenseScorerOptions } from "../dense/index.ts";
import { dot, memoryVectors, type SignDimension, signVectors } from "../exact-vectors.contract.ts";
import type { MinedColumns, Rank, Scorer } from "../scorer.ts";
import { PlainMiner } from "./plain-miner.ts";

interface Case {
  readonly dimension: SignDimension;
  readonly images: Float32Array;
  readonly expressions: Float32Array;
  /** The image of each expression, ascending. */
  readonly owners: Int32Array;
  readonly candidates: Int32Array;
}

/** One step. */
function mineStep(
  scorer: Scorer,
  rank: Rank,
  depth: number,
  { rows, images, imageOf }: ReturnType<typeof stepOf>,
): Promise<MinedColumns> {
  return new PlainMiner(scorer, { rank, depth, rows: rows.length }).mine(rows, images, imageOf);
}

const open: Scorer[] = [];
afterEach(async () => {
  for (const scorer of open.splice(0)) await scorer.close();
});

function makeCase(
  imageCount: number,
  owners: number[],
  dimension: SignDimension,
  isCandidate: (image: number) => boolean,
  seed = 1,
): Case {
  const candidates = Int32Array.from({ length: imageCount }, (_, at) => at).filter(isCandidate);
  const images = signVectors(imageCount, dimension, seed);
  return {
    dimension,
    images,
    expressions: signVectors(owners.length, dimension, seed + 1),
    owners: Int32Array.from(owners),
    candidates,
  };
}

async function scorerOf(given: Case, options: Partial<DenseScorerOptions> = {}): Promise<Scorer> {
  const [images, expressions] = [
    memoryVectors(given.images, given.dimension),
    memoryVectors(given.expressions, given.dimension),
  ];
  const scorer = await createDenseScorer(images, expressions, { candidates: given.candidates, threads: 1, ...options });
  open.push(scorer);
  return scorer;
}

function stepOf({ owners }: Case): { rows: Int32Array; images: Int32Array; imageOf: Int32Array } {
  const images = [...new Set(owners)];
  return {
    rows: Int32Array.from(owners.keys()),
    images: Int32Array.from(images),
    imageOf: owners.map((image) => images.indexOf(image)),
  };
}

/** Every pair scored, everything sorted. */
function plainly(given: Case, rank: Rank, depth: number): MinedColumns {
  const found: [id: number, t2i: number, i2i: number][] = [];
  given.owners.forEach((own, expression) => {
    const all = Array.from(given.candidates, (image, id): [number, number, number] => [
      id,
      dot(given.expressions, expression, given.images, image, given.dimension),
      dot(given.images, own, given.images, image, given.dimension),
    ]);
    const scoreOf = ([, t2i, i2i]: [number, number, number]): number =>
      rank === "t2i" ? t2i : rank === "i2i" ? i2i : (t2i + i2i) / 2;
    all.sort((a, b) => scoreOf(b) - scoreOf(a) || a[0] - b[0]);
    found.push(...all.slice(0, depth));
  });
  return {
    ids: Int32Array.from(found, ([id]) => id),
    t2i: Float32Array.from(found, ([, t2i]) => t2i),
    i2i: Float32Array.from(found, ([, , i2i]) => i2i),
  };
}

/** More expressions than one chunk of rows, several to an image, several images without any. */
const owners = Array.from({ length: 300 }, (_, at) => Math.floor(at / 3) * 5);

describe("PlainMiner", () => {
  it.each(["t2i", "i2i", "mean"] as const)(
    "equals a plain double loop by %s, over several blocks and chunks, ties by the smaller id",
    async (rank) => {
      const given = makeCase(1500, owners, 64, (image) => image % 7 !== 3);
      const expected = plainly(given, rank, 40);
      expect(new Set(expected.t2i).size).toBeLessThan(100); // many ties
      const step = stepOf(given);
      const scorer = await scorerOf(given, { blockColumns: 512 });
      expect(scorer.candidateCount / scorer.blockColumns).toBeGreaterThan(2);
      expect(await mineStep(scorer, rank, 40, step)).toEqual(expected);
    },
  );

  it.each(["t2i", "i2i", "mean"] as const)(
    "gives the same bytes by %s for any threads, block sizes and memory",
    async (rank) => {
      const given = makeCase(1700, owners, 256, () => true, 9);
      // Not exactly representable: sums depend on their order, which must not vary.
      for (const vectors of [given.images, given.expressions]) {
        for (let row = 0; row * 256 < vectors.length; row++) {
          const part = vectors.subarray(row * 256, (row + 1) * 256);
          part.forEach((value, k) => {
            part[k] = value * (1 + Math.sin(row * 7 + k * 3));
          });
          const length = Math.hypot(...part);
          part.forEach((value, k) => {
            part[k] = value / length;
          });
        }
      }
      const step = stepOf(given);
      const results: string[] = [];
      for (const options of [
        { threads: 1 },
        { threads: 2 },
        { threads: 4 },
        { threads: 1, blockColumns: 512 },
        { threads: 2, blockColumns: 1024, blockRows: 64 },
        { threads: 2, blockColumns: 512, memoryBytes: 0 },
        { threads: 1, blockColumns: 512, memoryBytes: 512 * 256 * 4 },
      ]) {
        const found = await mineStep(await scorerOf(given, options), rank, 100, step);
        results.push(
          hashBytes(Buffer.concat([found.ids, found.t2i, found.i2i].map((column) => Buffer.from(column.buffer)))),
        );
      }
      expect(new Set(results).size).toBe(1);
      expect(results).toHaveLength(7);
    },
  );

  it("equals a plain double loop for any few vectors", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        fc.constantFrom("t2i" as const, "i2i" as const, "mean" as const),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 1000 }),
        async (imageCount, ownersOf, rank, wanted, seed) => {
          const sorted = ownersOf.map((owner) => owner % imageCount).sort((a, b) => a - b);
          const given = makeCase(imageCount, sorted, 16, (image) => image === 0 || (image * seed) % 3 !== 1, seed);
          const depth = Math.min(wanted, given.candidates.length);
          const step = stepOf(given);
          const scorer = await scorerOf(given);
          expect(await mineStep(scorer, rank, depth, step)).toEqual(plainly(given, rank, depth));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("mines step after step with one miner as with fresh ones", async () => {
    const given = makeCase(900, owners, 64, () => true);
    const step = stepOf(given);
    const whole = await mineStep(await scorerOf(given), "mean", 25, step);
    const scorer = await scorerOf(given, { threads: 2, blockColumns: 512 });
    const miner = new PlainMiner(scorer, { rank: "mean", depth: 25, rows: 120 });
    const { rows } = step;
    for (let start = 0; start < rows.length; start += 120) {
      const part = owners.slice(start, start + 120);
      const own = [...new Set(part)];
      const found = await miner.mine(
        rows.subarray(start, start + 120),
        Int32Array.from(own),
        Int32Array.from(part, (image) => own.indexOf(image)),
      );
      expect(found.ids).toEqual(whole.ids.subarray(start * 25, (start + 120) * 25));
      expect(found.i2i).toEqual(whole.i2i.subarray(start * 25, (start + 120) * 25));
    }
  });

  it.each([
    ["not a number", (vectors: Float32Array) => vectors.fill(Number.NaN, 64 * 7, 64 * 7 + 1)],
    ["infinite", (vectors: Float32Array) => vectors.fill(Number.POSITIVE_INFINITY, 64 * 7, 64 * 7 + 1)],
    ["of another length", (vectors: Float32Array) => vectors.fill(0.5, 64 * 7, 64 * 8)],
  ])("refuses vectors that are %s, with file and row", async (_name, spoil) => {
    for (const part of ["images", "expressions"] as const) {
      const given = makeCase(
        600,
        owners.map((image) => image % 500).sort((a, b) => a - b),
        64,
        () => true,
      );
      spoil(given[part]);
      const step = stepOf(given);
      const mined = mineStep(await scorerOf(given, { threads: 2, blockColumns: 512, memoryBytes: 0 }), "t2i", 5, step);
      await expect(mined).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(/length 1 in "vectors in memory".* row 7;/),
      });
    }
  });

  it("scores 0 with an image that could not be decoded, a row of zeros", async () => {
    const given = makeCase(20, [0, 4], 64, (image) => image !== 4);
    given.images.fill(0, 4 * 64, 5 * 64);
    const step = stepOf(given);
    const found = await mineStep(await scorerOf(given), "t2i", 6, step);
    expect([...found.i2i.subarray(6)]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(found.t2i).toEqual(plainly(given, "t2i", 6).t2i);
  });

  it("refuses images and expressions of different dimensions", async () => {
    const images = memoryVectors(signVectors(4, 16, 1), 16);
    const expressions = memoryVectors(signVectors(4, 64, 1), 64);
    await expect(createDenseScorer(images, expressions, { candidates: Int32Array.of(0), threads: 1 })).rejects.toThrow(
      /one dimension, got 16 .* and 64/,
    );
  });

  it("keeps candidate blocks in memory, and reads those beyond it again", async () => {
    const given = makeCase(1500, owners, 64, () => true);
    const step = stepOf(given);
    const reads = async (memoryBytes: number): Promise<number> => {
      const file = memoryVectors(given.images, 64);
      const scorer = await createDenseScorer(file, memoryVectors(given.expressions, 64), {
        candidates: given.candidates,
        threads: 1,
        blockColumns: 512,
        memoryBytes,
      });
      open.push(scorer);
      await mineStep(scorer, "t2i", 5, step);
      return file.rowsRead;
    };
    expect(await reads(2 ** 30)).toBe(1500 + step.images.length);
    expect(await reads(0)).toBeGreaterThan(2 * 1500);
  });

  it("refuses scores that are not numbers", async () => {
    const block = { scores: Float32Array.of(0.5, Number.NaN, 0.25), columns: 3 };
    const scorer: Scorer = {
      candidateCount: 3,
      blockColumns: 3,
      blockRows: 1,
      load: async () => undefined,
      expressions: async () => block,
      images: async () => block,
      pairs: async () => new Float32Array(1),
      close: async () => undefined,
    };
    const miner = new PlainMiner(scorer, { rank: "t2i", depth: 2, rows: 1 });
    const one = Int32Array.of(0);
    await expect(miner.mine(one, one, one)).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(/scores that are numbers/),
    });
  });
});
