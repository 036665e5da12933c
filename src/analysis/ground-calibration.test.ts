import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { groundDir } from "../../test/peers.ts";
import { scratchFolder } from "../../test/small-pool.ts";
import { bandOf } from "../band/index.ts";
import { Loader } from "../loader/index.ts";
import { Pool } from "../pool/index.ts";
import { openRiskEstimate, type RiskEstimate } from "../risk/index.ts";
import { parseSettings } from "../settings/index.ts";
import { embed, importDataset, mine } from "../steps/index.ts";

/** An object of a photograph, as its maker measured it. */
interface Thing {
  readonly image: number;
  readonly cls: string;
  readonly cx: number;
  readonly facing: string | null;
  readonly colour: string | null;
  readonly colours: readonly string[];
}

const ground = groundDir();

describe.skipIf(ground === undefined).each(["coco", "photos"])("the estimate of risk on photographs: %s", (name) => {
  let pool: Pool;
  let estimate: RiskEstimate;
  const things = new Map<number, Thing[]>();

  beforeAll(async () => {
    const folder = join(ground ?? "", name);
    const source = join(folder, "refer", "photos");
    const target = join(await scratchFolder(), "pool");
    await importDataset(target, { format: "refer", source, images: join(folder, "images") });
    pool = await Pool.open(target);
    await embed(pool, { model: "lexical" });
    await mine(pool, { depth: 300 });
    estimate = await openRiskEstimate(pool);
    const byName = new Map(pool.images.path.map((path, row) => [basename(path), row]));
    const { images } = JSON.parse(await readFile(join(source, "instances.json"), "utf8")) as {
      images: { id: number; file_name: string }[];
    };
    const rowOf = new Map(images.map(({ id, file_name }) => [id, byName.get(file_name) ?? -1]));
    for (const line of (await readFile(join(folder, "truth.jsonl"), "utf8")).trim().split("\n")) {
      const thing = JSON.parse(line) as Thing;
      const row = rowOf.get(thing.image) ?? -1;
      things.set(row, [...(things.get(row) ?? []), thing]);
    }
  }, 300_000);
  afterAll(() => pool?.close());

  /** What the ground's own judge says, by the wording of its sentences; undefined where it cannot be decided. */
  function isTrue(sentence: string, wanted: string, image: number): boolean | undefined {
    const words = sentence.split(" ");
    const all = things.get(image) ?? [];
    const same = all.filter(({ cls }) => cls === wanted);
    if (same.length === 0) return false;
    const colour = words.find((word) => ["black", "white", "brown", "grey"].includes(word));
    if (colour !== undefined) return same.some((thing) => thing.colours.includes(colour) || thing.colour === colour);
    if (words.includes("facing") || words.includes("looks")) {
      if (same.some(({ facing }) => facing === words.at(-1))) return true;
      return same.some(({ facing }) => facing === null) ? undefined : false; // seen from the front
    }
    if (words.includes("bigger") || words.includes("smaller")) return same.length > 1;
    if (/ (left|right) of /.test(sentence)) return new Set(all.map(({ cls }) => cls)).size > 1;
    const side = words.find((word) => word === "left" || word === "right");
    if (side !== undefined) return same.length > 1 || same.some(({ cx }) => cx < 0.5 === (side === "left"));
    return true;
  }

  async function ratesOf(band: object): Promise<{ estimated: number; truth: number; pairs: number }> {
    const loader = await Loader.open(pool, parseSettings({ band, unit: "expression" }, "test"));
    let [estimated, truth, pairs] = [0, 0, 0];
    for (const expression of loader.facts.units.filter((_, at) => at % 7 === 0)) {
      const row = loader.mined!.row(expression);
      const wanted = pool.annotations.category[pool.targetsOfRef(pool.expressions.ref[expression]!)[0]!]!;
      const { survivors, size } = bandOf(row, loader.facts.bandContext(expression), loader.settings);
      for (const at of survivors.subarray(0, size)) {
        const holds = isTrue(pool.expressions.sent[expression]!, wanted, row.ids[at]!);
        if (holds === undefined) continue;
        estimated += estimate.chance(expression, row.ids[at]!);
        truth += holds ? 1 : 0;
        pairs++;
      }
    }
    await loader.close();
    return { estimated: estimated / pairs, truth: truth / pairs, pairs };
  }

  const off = { risk: null, prefer: "score", tau: null, tauImage: null };

  it.each([
    ["K = 10, no rule", { ...off, k: 10 }],
    ["K = 30, no rule", { ...off, k: 30 }],
    ["K = 100, no rule", { ...off, k: 100 }],
    ["K = 30 behind the best 30 ranks", { ...off, k: 30, rankFrom: 30 }],
    ["K = 30, ratio 0.9", { ...off, ratio: 0.9, k: 30 }],
    ["K = 30, τ at the quartile of own scores", { ...off, tau: "auto", k: 30 }],
  ])("is within three tenths of the truth: %s", async (rule, band) => {
    const { estimated, truth, pairs } = await ratesOf(band);
    console.info(`${name}, ${rule}: estimated ${estimated.toFixed(4)}, true ${truth.toFixed(4)}, ${pairs} pairs`);
    expect(pairs).toBeGreaterThan(500);
    expect(estimated / truth).toBeGreaterThan(0.7);
    expect(estimated / truth).toBeLessThan(1.3);
  });

  it("lets next to nothing through that is true at the default's limit", async () => {
    const { estimated, truth } = await ratesOf({});
    console.info(`${name}, default: estimated ${estimated.toFixed(4)}, true ${truth.toFixed(4)}`);
    expect(estimated).toBeLessThan(0.03);
    expect(truth).toBeLessThan(0.03);
  });
});
