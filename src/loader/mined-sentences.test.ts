import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool, tableScorer } from "../../test/small-pool.ts";
import { silentProgress } from "../io/index.ts";
import { mineSentences, openCandidateSentences } from "../mining/index.ts";
import type { Plan } from "../model/index.ts";
import { appendJudgement, Mined, type Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { Loader } from "./index.ts";

const kinds = ["dog", "cat", "horse"];
const colours = ["black", "white", "orange"];
let pool: Pool;

beforeAll(async () => {
  pool = await smallPool({
    images: 14,
    valImages: 2,
    refsPerImage: 1,
    categoryOf: (image) => kinds[image % 3] ?? "",
    bystandersOf: () => ["bench", "lamp"],
    sentencesOf: (image) => [
      `${colours[Math.floor(image / 3) % 3]} ${kinds[image % 3]}`,
      `the ${kinds[image % 3]}, ${colours[Math.floor(image / 3) % 3]}, number ${image}`,
    ],
  });
  await mineSmall(pool);
  const opened = (await Mined.open(pool.folder, "default", pool.manifest.hash)) as Mined;
  const mined = opened.manifest;
  await opened.close();
  const candidates = await openCandidateSentences(pool, ["train"]);
  const scorer = tableScorer(
    candidates.rows,
    (image, row) => ((image * 5 + row * 3) % 17) / 17,
    () => 0,
  );
  const options = {
    name: "default",
    mined,
    candidates,
    skipped: [],
    depth: 64,
    force: false,
    progress: silentProgress,
  };
  await mineSentences(pool, scorer, options);
});
afterAll(() => pool.close());

async function plansWith(band: object, epochs = 20): Promise<{ plans: Plan[]; loader: Loader }> {
  const settings = parseSettings(
    {
      size: 48,
      tokens: { kind: "none" },
      mosaic: { gamma: 0 },
      band: { risk: 0.2, ...band },
      guards: { nearDuplicate: null },
      gres: { negativeSentence: 1, negativeSource: "mined" },
    },
    "test",
  );
  const loader = await Loader.open(pool, settings);
  const plans = Array.from({ length: epochs * loader.length }, (_, at) =>
    loader.plan(Math.floor(at / loader.length), at % loader.length),
  );
  await loader.close();
  return { plans, loader };
}

const imageOf = (plan: Plan): number => pool.imageRow(plan.layers[0]?.image ?? "");

describe("mined sentences", () => {
  it("name what the image shows where there is such a one, and say nothing that is said there", async () => {
    const { plans } = await plansWith({ k: 30 });
    let drawn = 0;
    for (const plan of plans) {
      if (plan.why.sentence === undefined) continue;
      drawn++;
      const image = imageOf(plan);
      expect(plan.text).not.toContain(`${colours[Math.floor(image / 3) % 3]} ${kinds[image % 3]}`);
      expect(plan.text).toContain(kinds[image % 3]);
      expect(plan.why.sentence).toMatchObject({ source: "mined", showsKind: true });
      expect(plan.why.sentence.risk).toBeLessThanOrEqual(0.2);
    }
    expect(drawn).toBeGreaterThan(plans.length / 2);
  });

  it("are those of K, kept to the images that score them best under a cap, and never what a person judged true", async () => {
    const one = await plansWith({ k: 1 });
    const byImage = new Map<number, Set<string>>();
    for (const plan of one.plans) byImage.set(imageOf(plan), (byImage.get(imageOf(plan)) ?? new Set()).add(plan.text));
    for (const texts of byImage.values()) expect(texts.size).toBe(1);

    const { plans } = await plansWith({ k: 30, hubCap: 1 });
    const imagesOf = new Map<string, Set<number>>();
    for (const plan of plans)
      if (plan.why.sentence !== undefined)
        imagesOf.set(plan.text, (imagesOf.get(plan.text) ?? new Set()).add(imageOf(plan)));
    expect(imagesOf.size).toBeGreaterThan(3);
    for (const images of imagesOf.values()) expect(images.size).toBe(1);

    const [judged] = one.plans;
    if (judged?.why.sentence === undefined) throw new Error("no sentence to judge");
    const image = judged.layers[0]?.image ?? "";
    await appendJudgement(pool.folder, {
      expression: judged.why.sentence.expression,
      image,
      verdict: "false-negative",
    });
    const after = await plansWith({ k: 30 });
    const shown = after.plans.filter((plan) => plan.layers[0]?.image === image).map(({ text }) => text);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown).not.toContain(judged.text);
  });
});
