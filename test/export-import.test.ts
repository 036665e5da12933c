import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeCocoRle } from "../src/codecs/index.ts";
import { exportPool, type FormatOptions } from "../src/exporters/index.ts";
import { makeSmallPool } from "../src/exporters/small-pool.contract.ts";
import { findImporter, recogniseImporter } from "../src/importers/index.ts";
import { silentProgress } from "../src/io/index.ts";
import { Loader } from "../src/loader/index.ts";
import { importPool, Pool } from "../src/pool/index.ts";
import { parseSettings } from "../src/settings/index.ts";
import { mineSmall } from "./small-pool.ts";

const settings = parseSettings(
  { size: 40, mosaic: { gamma: 0.6 }, band: { tau: null, tauImage: null }, guards: { nearDuplicate: null } },
  "test",
);
const epochs = 4;
let home: string;
let pool: Pool;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "nemosaic-return-"));
  pool = await Pool.open(await makeSmallPool(home));
  await mineSmall(pool);
});
afterAll(async () => {
  await pool.close();
  await rm(home, { recursive: true, force: true });
});

/** What was drawn: of each sample its text, and the mask of each target that is to be seen. */
async function drawnTruth(): Promise<{ text: string; masks: string[] }[]> {
  const loader = await Loader.open(pool, settings, { split: "train", seed: 1 });
  const truth: { text: string; masks: string[] }[] = [];
  for (let sample = 0; sample < epochs * loader.length; sample++) {
    const plan = loader.plan(Math.floor(sample / loader.length), sample % loader.length);
    const seen = loader.targetMasks(plan).filter(({ mask }) => mask.includes(1));
    truth.push({ text: plan.text, masks: seen.map(({ mask }) => mask.join("")).sort() });
  }
  await loader.close();
  return truth;
}

/** Exports, imports again, and reads the train split of the new pool in its order. */
async function roundTrip(
  format: string,
  importer: string,
  options: Partial<FormatOptions>,
  source: (folder: string) => string,
) {
  const output = join(home, `${format}-${options.dataset ?? "plain"}`);
  await exportPool(pool, settings, {
    format,
    output,
    splits: ["train", "val"],
    seed: 1,
    epochs,
    firstEpoch: 0,
    originals: 0,
    image: { kind: "png" },
    options,
    force: false,
    concurrency: 4,
    progress: silentProgress,
  });
  expect((await recogniseImporter(output)).importer.name).toBe(importer);
  const opened = await findImporter(importer).open({ source: source(output) });
  await importPool(`${output}-pool`, opened, { onBad: "fail", pack: false, force: false, progress: silentProgress });
  const again = await Pool.open(`${output}-pool`);
  const truth: { text: string; masks: string[] }[] = [];
  const categories: string[] = [];
  for (let ref = 0; ref < again.refs.count; ref++) {
    if (again.refs.split[ref] !== "train") continue;
    const [first] = again.expressionsOfRef(ref);
    const row = again.refs.image[ref]!;
    const targets = Array.from(again.targetsOfRef(ref));
    const masks = targets.map((target) => decodeCocoRle(again.mask(row, [target])).join(""));
    truth.push({ text: again.expressions.sent[first]!, masks: masks.sort() });
    categories.push(...targets.map((target) => again.annotations.category[target]!));
  }
  const objects = again.annotations.count;
  await again.close();
  return { truth, categories, objects };
}

describe("an export that is imported again", () => {
  it.each([
    ["refer", "refer", { dataset: "refcoco" }, "refcoco"],
    ["refer", "grefcoco", { dataset: "grefcoco" }, "grefcoco"],
    ["seqtr", "seqtr", { dataset: "grefcoco" }, "."],
    ["cris-lmdb", "cris-lmdb", {}, "."],
    ["webdataset", "webdataset", {}, "."],
    ["parquet", "hf-parquet", {}, "."],
  ])("as %s holds every target of every sample: %s of %j", async (format, importer, options, folder) => {
    const { truth, categories, objects } = await roundTrip(format, importer, options, (output) => join(output, folder));
    const drawn = await drawnTruth();
    expect(truth).toEqual(drawn);
    expect(drawn.filter(({ masks }) => masks.length > 1).length).toBe(epochs);
    expect(drawn.filter(({ masks }) => masks.length === 0).length).toBeGreaterThanOrEqual(epochs);
    expect(new Set(categories)).toEqual(new Set(["cat", "dog", "robot, blue", "person", "cup"]));
    // Unions are no objects: one annotation for each target seen, of val's three refs as well.
    expect(objects).toBe(drawn.reduce((sum, { masks }) => sum + masks.length, 0) + 3);
  });
});
