import { describe, expect, it } from "vitest";
import { CounterRandom } from "../kernels/index.ts";
import { compare } from "./compare.ts";
import { evaluate, evaluateDefaults } from "./evaluate.ts";
import type { Evaluation } from "./evaluation.ts";
import { box, firstPixels, polygons, predictionsOf, truthOf } from "./made-samples.contract.ts";
import { evaluationPresets } from "./presets.ts";
import { comparisonText } from "./report/table.ts";
import type { Truth } from "./truth.ts";

/** 60 images of 10 × 10, two expressions each; the target covers all; easy images have no similar object. */
const truths: Truth[] = Array.from({ length: 120 }, (_, i) =>
  truthOf({
    refId: String(i),
    sentenceId: String(i),
    imageKey: `image ${i >> 1}`,
    height: 10,
    width: 10,
    segmentations: [polygons(box(0, 0, 10, 10))],
    category: "mug",
    similarObjects: (i >> 1) % 2 === 0 ? 0 : 3,
  }),
);

/** A model whose IoU is noise of the image plus `bonus` where there are similar objects. */
async function model(bonus: number, leaveOut = 0): Promise<Evaluation> {
  const list = truths.slice(leaveOut).map((truth, i) => {
    const noise = new CounterRandom(1, 0, (i + leaveOut) >> 1, 3).below(60);
    const covered = 20 + noise + (truth.similarObjects === 3 ? bonus : 0);
    return [truth.key, { mask: { kind: "rle", mask: firstPixels(covered, 10, 10) } }] as const;
  });
  return evaluate(truths, predictionsOf(list), {
    ...evaluateDefaults,
    preset:
      evaluationPresets.lavt.size.at === "model"
        ? { ...evaluationPresets.lavt, size: { at: "original" } }
        : evaluationPresets.lavt,
    missing: "skip",
    replicates: 500,
  });
}

describe("compare", () => {
  it("finds a gain that only similar objects have, clear through pairing although each model's own interval is wide", async () => {
    const [a, b] = [await model(0), await model(4)];
    const result = compare(a, b, { seed: 0, replicates: 500 });
    const own = a.metrics.mIoU;
    expect(own.high! - own.low!).toBeGreaterThan(0.05);
    expect(result.gains.mIoU.gain).toBeCloseTo(0.02, 10);
    expect(result.gains.mIoU.isClear).toBe(true);
    const similar = result.breakdowns.find(({ name }) => name === "similar")!.bins;
    expect(
      similar.map(({ label, samples, images, gains }) => [
        label,
        samples,
        images,
        Math.round(gains.mIoU.gain * 1e9) / 1e9,
        gains.mIoU.isClear,
      ]),
    ).toEqual([
      ["0", 60, 30, 0, false],
      ["3+", 60, 30, 0.04, true],
    ]);
    expect(similar[1]!.gains.mIoU.high! - similar[1]!.gains.mIoU.low!).toBeCloseTo(0, 10);
    expect(comparisonText(result, "plain", "nemo")).toMatch(/mIoU +\d+\.\d\d +\d+\.\d\d +\+2\.00\*/);
  });

  it("takes the expressions that both have and counts the others", async () => {
    const result = compare(await model(0, 5), await model(0), { seed: 0, replicates: 20 });
    expect([result.samples, result.onlyA, result.onlyB]).toEqual([115, 0, 5]);
    expect(result.gains.oIoU).toMatchObject({ gain: 0, low: 0, high: 0, isClear: false });
  });

  it("refuses models under different conventions", async () => {
    const a = await model(0);
    const b = { ...a, preset: evaluationPresets.cris };
    expect(() => compare(a, b, { seed: 0, replicates: 20 })).toThrow(
      /expected both models under one preset, got "lavt" and "cris"/,
    );
  });
});
