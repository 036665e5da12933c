import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import { silentProgress } from "../io/index.ts";
import { parsePlan } from "../loader/index.ts";
import type { Plan } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { exportPool } from "./index.ts";

/** Half of the samples have another image's sentence, unlike the own one in its letters. */
const settings = parseSettings(
  {
    size: 40,
    mosaic: { gamma: 0.5, randomShare: 1 },
    band: { risk: null, tau: null, tauImage: null },
    guards: { nearDuplicate: null },
    gres: { negativeSentence: 0.5, negativeSource: "random" },
  },
  "test",
);
let home: string;
let pool: Pool;
let plans: Plan[];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "nemosaic-export-"));
  const letter = (image: number): string => String.fromCharCode(97 + image);
  pool = await smallPool({ sentencesOf: (image) => [letter(image).repeat(4), letter(image).repeat(5)] });
  await mineSmall(pool);
  for (const [format, folder, dataset] of [
    ["refer", "refer", "refcoco"],
    ["refer", "grefs", "grefcoco"],
    ["sam3", "sam3", "refcoco"],
  ] as const)
    await exportPool(pool, settings, {
      format,
      output: join(home, folder),
      splits: ["train"],
      seed: 3,
      epochs: 2,
      firstEpoch: 0,
      originals: 0,
      image: { kind: "png" },
      options: { dataset },
      force: false,
      concurrency: 4,
      progress: silentProgress,
    });
  const lines = (await readFile(join(home, "grefs", "plans-train.jsonl"), "utf8")).trim().split("\n");
  plans = lines.map((line, at) => parsePlan(JSON.parse(line), `line ${at}`));
});
afterAll(async () => {
  await pool.close();
  await rm(home, { recursive: true, force: true });
});

const read = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(home, ...path), "utf8"));

describe("samples whose sentence is false, exported", () => {
  it("are refs without a target in gRefCOCO's shape, with the false sentence", async () => {
    const refs = (await read("grefs", "grefcoco", "grefs(unc).json")) as {
      ann_id: number[];
      sentences: { sent: string; raw: string }[];
    }[];
    expect(refs).toHaveLength(plans.length);
    const isFalse = plans.map(({ why }) => why.sentence !== undefined);
    expect(refs.map(({ ann_id }) => ann_id[0] === -1)).toEqual(isFalse);
    expect(refs.map(({ sentences }) => sentences[0]?.sent)).toEqual(plans.map(({ text }) => text));
    expect(isFalse.filter(Boolean).length).toBeGreaterThan(plans.length / 4);
    for (const [at, plan] of plans.entries()) {
      if (isFalse[at] !== true) continue;
      expect(refs[at]?.sentences[0]?.raw).toBe(plan.text);
      expect(plan.text).not.toBe(pool.expressions.sent[pool.expressionRow(plan.expression)]);
    }
  });

  it("have exist: false in a REFER folder, as R-RefCOCO's trainers read it, and an empty mask", async () => {
    const bytes = await readFile(join(home, "refer", "refcoco", "refs(unc).p"));
    const { annotations } = (await read("refer", "refcoco", "instances.json")) as { annotations: { area: number }[] };
    const drawn = plans.filter(({ why }) => why.sentence !== undefined).length;
    expect(annotations.filter(({ area }) => area === 0).length).toBe(drawn);
    // A pickle names a key once; what follows refers to it. Each ref without truth adds one reference.
    expect(bytes.includes("exist")).toBe(true);
  });

  it("are rows without annotations in SA-Co's file alone", async () => {
    const saco = (await read("sam3", "train", "saco.json")) as {
      images: { id: number; text_input: string }[];
      annotations: { image_id: number }[];
    };
    const shown = new Set(saco.annotations.map(({ image_id }) => image_id));
    expect(saco.images.map(({ text_input }) => text_input)).toEqual(plans.map(({ text }) => text));
    expect(saco.images.map(({ id }) => shown.has(id))).toEqual(plans.map(({ why }) => why.sentence === undefined));
  });
});
