import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { smallPool } from "../../../test/small-pool.ts";
import { hashFile, silentProgress, stageTiming } from "../../io/index.ts";
import { Mined, type Pool } from "../../pool/index.ts";
import { createDenseScorer } from "../dense/index.ts";
import { dot, memoryVectors, signVectors } from "../exact-vectors.contract.ts";
import type { Scorer } from "../scorer.ts";
import { type MinePoolOptions, minePool } from "./mine-pool.ts";

let pool: Pool;
let images: Float32Array;
let expressions: Float32Array;
const candidates = Int32Array.from({ length: 25 }, (_, at) => at + 1);
const open: Scorer[] = [];

beforeEach(async () => {
  pool = await smallPool({ images: 30, valImages: 4 });
  images = signVectors(pool.images.count, 64, 3);
  expressions = signVectors(pool.expressions.count, 64, 4);
});
afterEach(async () => {
  for (const scorer of open.splice(0)) await scorer.close();
  await pool.close();
});

async function dense(threads = 1): Promise<Scorer> {
  const scorer = await createDenseScorer(memoryVectors(images, 64), memoryVectors(expressions, 64), {
    candidates,
    threads,
  });
  open.push(scorer);
  return scorer;
}

const options = (more: Partial<MinePoolOptions> = {}): MinePoolOptions => ({
  name: "default",
  rank: "t2i",
  depth: 10,
  candidates,
  candidateSplits: ["train"],
  relevance: { kind: "test", model: "signs", hash: "signs" },
  force: false,
  progress: silentProgress,
  ...more,
});

async function contents(name: string): Promise<Record<string, string>> {
  const folder = join(pool.folder, "mined", name);
  const found: Record<string, string> = {};
  for (const file of readdirSync(folder).sort()) found[file] = await hashFile(join(folder, file));
  return found;
}

/** Ends the run, as a kill would, at its `call`-th request for scores. */
function dying(scorer: Scorer, call: number): Scorer {
  let calls = 0;
  const counted =
    (ask: Scorer["images"]): Scorer["images"] =>
    (rows) =>
      ++calls > call ? Promise.reject(new Error("killed")) : ask(rows);
  const { miners: _, ...plain } = scorer; // so that each block of scores is asked for here
  return { ...plain, expressions: counted(scorer.expressions), images: counted(scorer.images) };
}

describe("minePool", () => {
  it.each(["t2i", "i2i", "mean"] as const)(
    "writes what a plain double loop finds by %s, with each expression's own score",
    async (rank) => {
      await minePool(pool, await dense(), options({ rank }));
      const mined = (await Mined.open(pool.folder, "default", pool.manifest.hash))!;
      expect(mined.manifest).toMatchObject({
        rank,
        depth: 10,
        expressions: 120,
        truncated: true,
        candidates: { splits: ["train"], count: 25 },
      });
      for (let row = 0; row < pool.expressions.count; row++) {
        const own = pool.refs.image[pool.expressions.ref[row]!]!;
        const all = Array.from(candidates, (id) => ({
          id,
          t2i: dot(expressions, row, images, id, 64),
          i2i: dot(images, own, images, id, 64),
        }));
        const score = ({ t2i, i2i }: { t2i: number; i2i: number }): number =>
          rank === "mean" ? (t2i + i2i) / 2 : rank === "t2i" ? t2i : i2i;
        const best = all.sort((a, b) => score(b) - score(a) || a.id - b.id).slice(0, 10);
        const found = mined.row(row);
        expect([...found.ids]).toEqual(best.map(({ id }) => id));
        expect([...found.t2i]).toEqual(best.map(({ t2i }) => t2i));
        expect([...found.i2i]).toEqual(best.map(({ i2i }) => i2i));
        expect(found.truncated).toBe(true);
        expect(mined.own[row]).toBe(dot(expressions, row, images, own, 64));
      }
      await mined.close();
    },
  );

  it("writes the same bytes with two threads, in steps, and when killed at any time and run again", async () => {
    await minePool(pool, await dense(), options());
    const whole = await contents("default");
    expect(Object.keys(whole)).toEqual(["i2i.npy", "ids.npy", "mined.json", "own.npy", "t2i.npy"]);
    await minePool(pool, await dense(2), options({ name: "steps", stepExpressions: 7 }));
    expect(await contents("steps")).toEqual(whole);
    for (const call of [0, 1, 5, 13]) {
      const name = `cut${call}`;
      await expect(minePool(pool, dying(await dense(), call), options({ name, stepExpressions: 16 }))).rejects.toThrow(
        "killed",
      );
      expect(await Mined.open(pool.folder, name, pool.manifest.hash)).toBeUndefined();
      const left = dying(await dense(), 13); // enough only for what is left
      const rest =
        call === 5
          ? minePool(pool, left, options({ name, stepExpressions: 16 }))
          : minePool(pool, await dense(2), options({ name, stepExpressions: 50 }));
      expect((await rest).reused).toBe(false);
      expect(await contents(name)).toEqual(whole);
    }
  });

  it("does not trust a journal of other settings or one cut short", async () => {
    await minePool(pool, await dense(), options());
    const whole = await contents("default");
    await expect(
      minePool(pool, dying(await dense(), 9), options({ name: "cut", stepExpressions: 16, depth: 9 })),
    ).rejects.toThrow("killed");
    await minePool(pool, await dense(), options({ name: "cut" }));
    expect(await contents("cut")).toEqual(whole);
    await expect(
      minePool(pool, dying(await dense(), 9), options({ name: "short", stepExpressions: 16 })),
    ).rejects.toThrow("killed");
    const journal = join(pool.folder, "mined", "short", ".partial-mined", "mined.journal");
    writeFileSync(journal, readFileSync(journal, "utf8").slice(0, -9));
    await minePool(pool, await dense(), options({ name: "short" }));
    expect(await contents("short")).toEqual(whole);
    for (const [name, spoil] of [
      ["negative", (text: string) => text.replace(/"rows":\d+/, '"rows":-16')],
      ["large", (text: string) => text.replace(/"rows":\d+/, '"rows":1000000000')],
      ["gone", undefined],
    ] as const) {
      const cut = minePool(pool, dying(await dense(), 9), options({ name, stepExpressions: 16 }));
      await expect(cut).rejects.toThrow("killed");
      const work = join(pool.folder, "mined", name, ".partial-mined");
      const path = join(work, "mined.journal");
      expect(readFileSync(path, "utf8")).toMatch(/"rows":16/);
      if (spoil === undefined) rmSync(join(work, "t2i.npy"));
      else writeFileSync(path, spoil(readFileSync(path, "utf8")));
      await minePool(pool, await dense(), options({ name }));
      expect(await contents(name), name).toEqual(whole);
    }
  });

  it("reuses what is there, refuses to mine over other settings, and replaces with force", async () => {
    await minePool(pool, await dense(), options());
    expect((await minePool(pool, dying(await dense(), 0), options())).reused).toBe(true);
    await expect(minePool(pool, await dense(), options({ depth: 11 }))).rejects.toMatchObject({ code: "exists" });
    const forced = await minePool(pool, await dense(), options({ depth: 1000, force: true }));
    expect(forced).toMatchObject({ reused: false, manifest: { depth: 25 } });
  });

  it("keeps a finished set where a forced run fails or is killed, and goes on there with force", async () => {
    await minePool(pool, await dense(), options());
    const whole = await contents("default");
    const forced = options({ depth: 8, force: true, stepExpressions: 16 });
    for (const call of [0, 9]) {
      await expect(minePool(pool, dying(await dense(), call), forced)).rejects.toThrow("killed");
      const folder = join(pool.folder, "mined", "default");
      for (const [file, hash] of Object.entries(whole)) expect(await hashFile(join(folder, file))).toBe(hash);
      const mined = await Mined.open(pool.folder, "default", pool.manifest.hash);
      expect(mined?.row(3).ids).toHaveLength(10);
      await mined?.close();
      expect((await minePool(pool, dying(await dense(), 0), options())).reused).toBe(true);
    }
    const left = dying(await dense(), 20); // enough only for what is left
    expect(await minePool(pool, left, forced)).toMatchObject({ reused: false, manifest: { depth: 8 } });
    await minePool(pool, await dense(), options({ name: "other", depth: 8 }));
    expect(await contents("default")).toEqual(await contents("other"));
  });

  it("replaces without force what was mined before the pool changed, which nothing can read", async () => {
    await minePool(pool, await dense(), options());
    const path = join(pool.folder, "mined", "default", "mined.json");
    const sound = readFileSync(path, "utf8");
    writeFileSync(
      path,
      sound
        .replace(pool.manifest.hash, "another state")
        .replace(/"hash": "[^"]*",\n {2}"scores/, '"hash": "x",\n  "scores'),
    );
    await expect(Mined.open(pool.folder, "default", pool.manifest.hash)).rejects.toThrow(
      /mined before the pool changed/,
    );
    expect((await minePool(pool, await dense(), options())).reused).toBe(false);
    expect(readFileSync(path, "utf8")).toBe(sound);
  });

  it("mines anew, without force, a set of the same inputs whose manifest is damaged", async () => {
    await minePool(pool, await dense(), options());
    const path = join(pool.folder, "mined", "default", "mined.json");
    const sound = readFileSync(path, "utf8");
    writeFileSync(path, sound.replace('"depth": 10', '"depth": "ten"'));
    expect((await minePool(pool, await dense(), options())).reused).toBe(false);
    expect(readFileSync(path, "utf8")).toBe(sound);
  });

  it("refuses scores that are not numbers and leaves no mined set", async () => {
    const scorer = await dense();
    const { miners: _, ...plain } = scorer;
    const spoilt: Scorer = {
      ...plain,
      expressions: async (rows) => ({
        ...(await scorer.expressions(rows)),
        scores: new Float32Array(scorer.blockColumns * scorer.blockRows).fill(Number.NaN),
      }),
    };
    await expect(minePool(pool, spoilt, options())).rejects.toMatchObject({ code: "bad-input" });
    expect(await Mined.open(pool.folder, "default", pool.manifest.hash)).toBeUndefined();
  });

  it("refuses a pool without candidates", async () => {
    const none = { ...(await dense()), candidateCount: 0 };
    await expect(minePool(pool, none, options({ candidates: new Int32Array(0) }))).rejects.toThrow(
      /expected candidate images, found none/,
    );
  });

  it("tells which stage took the time", async () => {
    let clock = 0;
    const timing = stageTiming(() => clock++);
    await minePool(pool, await dense(), options({ timing }));
    expect(
      timing
        .report()
        .stages.map(({ stage }) => stage)
        .sort(),
    ).toEqual(["disk", "product", "reading", "scoring", "selection"]);
  });
});
