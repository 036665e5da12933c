import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mineSmall, scratchFolder, smallPool, smallSource } from "../../../test/small-pool.ts";
import { hashFile, silentProgress } from "../../io/index.ts";
import { Loader } from "../../loader/index.ts";
import { importPool, Mined, minedFolder, Pool } from "../../pool/index.ts";
import { parseSettings } from "../../settings/index.ts";
import { dot, memoryVectors, signVectors } from "../exact-vectors.contract.ts";
import { createDenseScorer, expressionsByImage, mineNeighbours, mineTextScores } from "../index.ts";

const dimension = 64;
const openMined = async (pool: Pool): Promise<Mined> => {
  const mined = await Mined.open(pool.folder, "default", pool.manifest.hash);
  if (mined === undefined) throw new Error("not mined");
  return mined;
};
const hasTextScores = async (pool: Pool): Promise<boolean> => {
  const mined = await openMined(pool);
  await mined.close();
  return mined.hasTextScores;
};
const trainImages = (pool: Pool): Int32Array =>
  Int32Array.from({ length: pool.images.count }, (_, row) => row).filter(
    (row) => pool.refs.split[pool.refs.image.indexOf(row)] === "train",
  );

describe("what mining adds beside the columns", () => {
  it("keeps the neighbours of every image, exactly, best first, itself left out", async () => {
    const pool = await smallPool({ images: 40, refsPerImage: 1, valImages: 5 });
    await mineSmall(pool);
    const vectors = signVectors(40, dimension, 3);
    const candidates = trainImages(pool);
    const options = { candidates, threads: 1, blockColumns: 512 };
    const before = await openMined(pool);
    expect(before.neighbours(0)).toBeUndefined();
    await before.close();
    for (const depth of [7, 100]) {
      const scorer = await createDenseScorer(
        memoryVectors(vectors, dimension),
        memoryVectors(vectors, dimension),
        options,
      );
      const mined = before.manifest;
      await mineNeighbours(pool, scorer, {
        name: "default",
        mined,
        candidates,
        depth,
        force: true,
        progress: silentProgress,
      });
      await scorer.close();
      const opened = await openMined(pool);
      for (const image of [0, 17, 38]) {
        const score = (other: number): number => dot(vectors, image, vectors, other, dimension);
        const expected = Array.from(candidates)
          .filter((other) => other !== image)
          .sort((a, b) => score(b) - score(a) || a - b)
          .slice(0, depth);
        const found = opened.neighbours(image)!;
        expect(Array.from(found.ids)).toEqual(expected);
        expect(Array.from(found.scores)).toEqual(expected.map((other) => Math.fround(score(other))));
        expect(found.truncated).toBe(depth === 7);
      }
      await opened.close();
    }
    await pool.close();
  });

  it("keeps the highest text-to-text score of each candidate's own expressions, whatever the blocks", async () => {
    const pool = await smallPool({ images: 30, refsPerImage: 12, valImages: 4 });
    await mineSmall(pool, { depth: 9 });
    const count = pool.expressions.count;
    const vectors = signVectors(count, dimension, 4);
    // 720 expressions in blocks of 512: the sentences of some image lie in both.
    const options = { candidates: expressionsByImage(pool), threads: 1, blockColumns: 512, blockRows: 100 };
    const scorer = await createDenseScorer(
      memoryVectors(vectors, dimension),
      memoryVectors(vectors, dimension),
      options,
    );
    const mined = await openMined(pool);
    expect([mined.hasTextScores, mined.row(0).t2t]).toEqual([false, undefined]);
    await mineTextScores(pool, mined, scorer, { name: "default", force: false, progress: silentProgress });
    await mined.close();
    await scorer.close();
    const opened = await openMined(pool);
    for (const expression of [0, 1, 311, count - 1]) {
      const { ids, t2t } = opened.row(expression);
      const expected = Array.from(ids, (image) => {
        const own = Array.from({ length: count }, (_, row) => row).filter(
          (row) => pool.refs.image[pool.expressions.ref[row]!] === image,
        );
        return Math.max(...own.map((row) => dot(vectors, expression, vectors, row, dimension)));
      });
      expect(Array.from(t2t!)).toEqual(expected.map(Math.fround));
    }
    await opened.close();
    const settings = {
      size: 32,
      mosaic: { gamma: 1 },
      band: { tau: null, tauImage: null, tauText: 0.25 },
      tokens: { kind: "none" },
      tooFew: "single",
    };
    const loader = await Loader.open(pool, parseSettings(settings, "test"));
    let mosaics = 0;
    for (let index = 0; index < loader.length; index++) {
      const plan = loader.plan(0, index);
      if (plan.kind === "single") continue;
      mosaics++;
      const row = loader.mined!.row(pool.expressionRow(plan.expression));
      for (const { rank } of plan.why.negatives) expect(row.t2t![rank]!).toBeLessThanOrEqual(0.25);
    }
    expect(mosaics).toBeGreaterThan(0);
    await loader.close();
    await pool.close();
  });

  it("goes on where a run was killed, at any step, to the same bytes", async () => {
    const pool = await smallPool({ images: 30, refsPerImage: 2, valImages: 4 });
    await mineSmall(pool, { depth: 9 });
    const mined = await openMined(pool);
    const vectors = memoryVectors(signVectors(pool.expressions.count, dimension, 4), dimension);
    const candidates = trainImages(pool);
    const folder = minedFolder(pool.folder, "default");
    const files = ["t2t.npy", "t2t.json", "neighbour-ids.npy", "neighbour-scores.npy", "neighbours.json"];
    let calls = 0;
    const make = async (most: number, left: number): Promise<void> => {
      const shared = { name: "default", force: true, progress: silentProgress };
      for (const rows of [expressionsByImage(pool), candidates]) {
        const scorer = await createDenseScorer(vectors, vectors, { candidates: rows, threads: 1, blockColumns: 512 });
        calls = 0;
        const counted: typeof scorer.images = (wanted) =>
          ++calls > left ? Promise.reject(new Error("killed")) : scorer.images(wanted);
        const dying = { ...scorer, images: counted };
        const neighbours = { ...shared, mined: mined.manifest, candidates, depth: 7, stepImages: most };
        const done =
          rows === candidates
            ? mineNeighbours(pool, dying, neighbours)
            : mineTextScores(pool, mined, dying, { ...shared, stepExpressions: most });
        if (left === Number.POSITIVE_INFINITY) await done;
        else await expect(done).rejects.toThrow("killed");
        await scorer.close();
      }
    };
    const contents = (): Promise<string[]> => Promise.all(files.map((file) => hashFile(join(folder, file))));
    await make(4096, Number.POSITIVE_INFINITY);
    const whole = await contents();
    for (const left of [0, 1, 3]) {
      await Promise.all(files.map((file) => rm(join(folder, file))));
      await make(7, left);
      expect(await hasTextScores(pool)).toBe(false);
      await make(7, Number.POSITIVE_INFINITY);
      expect(calls).toBe(Math.ceil(30 / 7) - left); // what was done is not done again
      expect(await contents()).toEqual(whole);
      expect((await readdir(folder)).filter((name) => name.startsWith(".partial"))).toEqual([]);
    }
    await mined.close();
    await pool.close();
  });

  it("starts over where the journal cannot be or its files are gone, and clears what is left beside finished files", async () => {
    const pool = await smallPool({ images: 12, refsPerImage: 1, valImages: 2 });
    await mineSmall(pool);
    const candidates = trainImages(pool);
    const file = memoryVectors(signVectors(12, dimension, 3), dimension);
    const opened = await openMined(pool);
    const mined = opened.manifest;
    await opened.close();
    const make = async (left = Number.POSITIVE_INFINITY, force = true): Promise<void> => {
      const scorer = await createDenseScorer(file, file, { candidates, threads: 1, blockColumns: 512 });
      const dying = {
        ...scorer,
        images: (rows: Int32Array) => (left-- > 0 ? scorer.images(rows) : Promise.reject(new Error("killed"))),
      };
      const options = { name: "default", mined, candidates, depth: 4, force, progress: silentProgress, stepImages: 5 };
      await mineNeighbours(pool, dying, options).finally(() => scorer.close());
    };
    const folder = minedFolder(pool.folder, "default");
    const work = join(folder, ".partial-neighbours");
    const hashes = () =>
      Promise.all(["neighbour-ids.npy", "neighbour-scores.npy"].map((name) => hashFile(join(folder, name))));
    await make();
    const whole = await hashes();
    const journal = join(work, "neighbours.journal");
    for (const spoil of [
      (text: string) => writeFile(journal, text.replace('"rows":5', '"rows":-5')),
      (text: string) => writeFile(journal, text.replace('"rows":5', '"rows":1000000000')),
      (text: string) => writeFile(journal, text.replace('"rows":5', '"rows":"5x"')),
      () => writeFile(journal, "null"),
      () => rm(join(work, "neighbour-scores.npy")),
    ]) {
      await Promise.all(["neighbours.json", "neighbour-scores.npy"].map((name) => rm(join(folder, name))));
      await expect(make(1)).rejects.toThrow("killed");
      const text = await readFile(journal, "utf8");
      expect(text).toMatch(/"rows":5\}/);
      await spoil(text);
      await make();
      expect(await hashes()).toEqual(whole);
    }
    await mkdir(work);
    await writeFile(journal, "{}");
    await make(0, false); // there already: nothing is asked of the scorer
    expect((await readdir(folder)).filter((name) => name.startsWith(".partial"))).toEqual([]);
    await pool.close();
  });

  it("leaves what no-target expressions say of an image out: it is not there", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 6, refsPerImage: 2, valImages: 1 });
    const records = async function* () {
      for await (const record of source.records())
        yield record.type === "ref" && record.id.endsWith("-1") ? { ...record, annotationIds: [] } : record;
    };
    const options = { onBad: "fail", pack: false, force: false, progress: silentProgress } as const;
    await importPool(join(folder, "pool"), { ...source, records }, options);
    const pool = await Pool.open(join(folder, "pool"));
    const rows = expressionsByImage(pool);
    expect(rows).toHaveLength(pool.expressions.count / 2);
    for (const row of rows) expect(pool.targetsOfRef(pool.expressions.ref[row]!)).toHaveLength(1);
    await mineSmall(pool);
    const vectors = signVectors(pool.expressions.count, dimension, 5);
    const file = memoryVectors(vectors, dimension);
    const scorer = await createDenseScorer(file, file, { candidates: rows, threads: 1, blockColumns: 512 });
    const mined = await openMined(pool);
    await mineTextScores(pool, mined, scorer, { name: "default", force: false, progress: silentProgress });
    await Promise.all([mined.close(), scorer.close()]);
    const opened = await openMined(pool);
    for (let expression = 0; expression < pool.expressions.count; expression++) {
      const { ids, t2t } = opened.row(expression);
      const expected = Array.from(ids, (image) =>
        Math.max(
          ...Array.from(rows)
            .filter((row) => pool.refs.image[pool.expressions.ref[row]!] === image)
            .map((row) => dot(vectors, expression, vectors, row, dimension)),
        ),
      );
      expect(Array.from(t2t!)).toEqual(expected.map(Math.fround));
    }
    await opened.close();
    await pool.close();
  });

  it("says to mine --t2t where τₜ is set without it; passes over what was made for another mined set", async () => {
    const pool = await smallPool({ images: 8, refsPerImage: 1, valImages: 1 });
    await mineSmall(pool);
    const settings = parseSettings({ band: { tau: 1, tauText: 0.5 } }, "test");
    await expect(Loader.open(pool, settings)).rejects.toThrow(/mine --t2t/);
    const path = join(minedFolder(pool.folder, "default"), "t2t.json");
    await writeFile(path, JSON.stringify({ format: "nemosaic-mined-t2t", version: 1, mined: "another" }));
    await expect(Loader.open(pool, settings)).rejects.toThrow(/mine --t2t/);
    await writeFile(path, "{");
    await expect(Loader.open(pool, settings)).rejects.toThrow(/expected JSON in/);
    await writeFile(path, JSON.stringify({ format: "nemosaic-mined-t2t", version: 9 }));
    await expect(Loader.open(pool, settings)).rejects.toThrow(/version 1/);
    await pool.close();
  });
});
