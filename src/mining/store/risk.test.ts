import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../../test/small-pool.ts";
import { type Progress, silentProgress } from "../../io/index.ts";
import { halfToNumber, numberToHalf } from "../../kernels/index.ts";
import { Mined, minedFolder, type Pool } from "../../pool/index.ts";
import { openRiskEstimate } from "../../risk/index.ts";
import { mineRisk } from "./risk.ts";

let pool: Pool | undefined;
afterEach(() => pool?.close());

const bytesOf = (folder: string) =>
  Promise.all(["risk.npy", "shows-kind.npy", "risk.json"].map((file) => readFile(join(folder, file), "hex")));

describe("mineRisk", () => {
  it("keeps for each candidate what the estimate says, as halves, and whether it shows the kind", async () => {
    pool = await smallPool({ images: 14, refsPerImage: 2, valImages: 2 });
    await mineSmall(pool, { depth: 7 });
    const mined = (await Mined.open(pool.folder, "default", pool.manifest.hash))!;
    const estimate = await openRiskEstimate(pool);
    let kinds = 0;
    for (let expression = 0; expression < pool.expressions.count; expression++) {
      const { ids, risk, showsKind } = mined.row(expression);
      ids.forEach((image, at) => {
        expect(risk![at]).toBe(halfToNumber(numberToHalf(estimate.chance(expression, image))));
        expect(showsKind![at]).toBe(estimate.showsKind(expression, image) ? 1 : 0);
        kinds += showsKind![at]!;
      });
    }
    expect(kinds).toBeGreaterThan(0);
    expect(mined.coverage).toEqual(estimate.coverage);
    expect(mined.randomRisk!.hard).toBeGreaterThanOrEqual(0);
    await mined.close();
  });

  it("goes on behind the last step of a run that was killed, to the same bytes", async () => {
    pool = await smallPool({ images: 14, refsPerImage: 2, valImages: 2 });
    await mineSmall(pool, { depth: 7 });
    const folder = minedFolder(pool.folder, "default");
    const whole = await bytesOf(folder);
    const mined = (await Mined.open(pool.folder, "default", pool.manifest.hash))!;
    let steps = 0;
    const dying: Progress = {
      ...silentProgress,
      begin: (label, total, unit) => {
        const task = silentProgress.begin(label, total, unit);
        return {
          ...task,
          advance: (count) => {
            if (++steps > 4) throw new Error("killed");
            task.advance(count);
          },
        };
      },
    };
    const options = { name: "default", force: true, stepExpressions: 5 };
    await expect(mineRisk(pool, mined, { ...options, progress: dying })).rejects.toThrow("killed");
    expect(await bytesOf(folder)).toEqual(whole); // what was finished stays
    await mineRisk(pool, mined, { ...options, progress: silentProgress });
    expect(await bytesOf(folder)).toEqual(whole);
    await mined.close();
  });

  it("makes of the two what is not there, and goes on where a kill came between the two of a step", async () => {
    pool = await smallPool({ images: 14, refsPerImage: 2, valImages: 2 });
    await mineSmall(pool, { depth: 7 });
    const folder = minedFolder(pool.folder, "default");
    const whole = await bytesOf(folder);
    const mined = (await Mined.open(pool.folder, "default", pool.manifest.hash))!;
    const make = (left: number, force = true): Promise<void> => {
      const advance = () => {
        if (left-- <= 0) throw new Error("killed");
      };
      const progress = { begin: () => ({ advance, note: () => undefined, end: () => undefined }) };
      return mineRisk(pool!, mined, { name: "default", force, stepExpressions: 5, progress });
    };
    const { mtimeMs } = await stat(join(folder, "risk.npy"));
    await rm(join(folder, "shows-kind.json"));
    await make(100, false);
    expect((await stat(join(folder, "risk.npy"))).mtimeMs).toBe(mtimeMs);
    expect(await bytesOf(folder)).toEqual(whole);

    for (const behind of ["risk", "showsKind"]) {
      await expect(make(2)).rejects.toThrow("killed"); // at the third step
      const path = join(folder, `.partial-${behind}`, `${behind}.journal`);
      const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
      expect(lines).toHaveLength(4); // its key, and three steps
      await writeFile(path, `${lines.slice(0, 3).join("\n")}\n`);
      await make(100);
      expect(await bytesOf(folder)).toEqual(whole);
    }
    await make(0, false); // both are there: nothing is begun
    await mined.close();
  });
});
