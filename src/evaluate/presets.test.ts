import { describe, expect, it } from "vitest";
import { type Rle, rleArea, rleFromCounts } from "../kernels/index.ts";
import { evaluate, evaluateDefaults } from "./evaluate.ts";
import { box, firstPixels, polygons, predictionsOf, truthOf } from "./made-samples.contract.ts";
import { addScore, type Metrics, metricNames, metricsOf, sumCount } from "./metrics.ts";
import {
  evaluationPreset,
  evaluationPresetNames,
  evaluationPresets,
  type Preset,
  type PresetName,
  withChanges,
} from "./presets.ts";
import { shownMetrics } from "./report/table.ts";
import { type Score, score } from "./score.ts";
import { truthMasks } from "./truth-mask.ts";

const pixels = (count: number): Rle => firstPixels(count, 10, 100);

/** Scores a prediction of the first `predicted` pixels against a truth of the first `truth` of 1000. */
function scored(name: PresetName, predicted: number, truth: number, decision?: boolean): Score {
  return score(
    {
      truth: pixels(truth),
      truthAreaPx: truth,
      noTarget: truth === 0,
      predicted: pixels(predicted),
      decision,
      emptyBelowPx: 50,
    },
    evaluationPresets[name],
  );
}

function metricsOfScores(scores: readonly Score[], preset: Preset): Metrics {
  const sums = new Float64Array(sumCount);
  for (const sample of scores) addScore(sums, 0, 1, sample, preset);
  return metricsOf(sums, preset);
}

it("metrics are named in the order of the field's tables", () => {
  expect(metricNames.join(" ")).toBe(
    "oIoU mIoU P@0.5 P@0.6 P@0.7 P@0.8 P@0.9 gIoU cIoU N-acc T-acc Pr@0.7 Pr@0.8 Pr@0.9",
  );
});

describe("IoU of a sample, row by row of the table of metrics", () => {
  const rows: [
    preset: PresetName,
    predicted: number,
    truth: number,
    decision: boolean | undefined,
    iou: number,
    i: number,
    u: number,
  ][] = [
    ["cris", 500, 1000, undefined, 500 / (1000 + 1e-6), 500, 1000],
    ["cris", 0, 0, undefined, 0, 0, 0],
    ["cris", 100, 0, undefined, 0, 0, 100],
    ["lavt", 500, 1000, undefined, 0.5, 500, 1000],
    ["lavt", 0, 0, undefined, 0, 0, 0],
    ["cgformer", 500, 1000, undefined, 500 / (1000 + 1e-6), 500, 1000],
    ["cgformer", 0, 0, undefined, 0, 0, 0],
    // rela: (none, yes), (none, no), (target, yes), (target, no)
    ["rela", 300, 0, true, 1, 0, 0],
    ["rela", 300, 0, false, 0, 0, 300],
    ["rela", 300, 200, true, 0, 0, 300],
    ["rela", 200, 300, true, 0, 0, 300],
    ["rela", 200, 400, false, 0.5, 200, 400],
    ["rela", 0, 0, false, 0, 0, 0],
    // gsva keeps the real I where a target is predicted absent
    ["gsva", 300, 0, true, 1, 0, 0],
    ["gsva", 300, 0, false, 0, 0, 300],
    ["gsva", 200, 400, true, 200 / (400 + 1e-8), 200, 400],
    ["gsva", 200, 400, false, 200 / (400 + 1e-8), 200, 400],
    ["lisa", 500, 1000, undefined, 500 / (1000 + 1e-5), 500, 1000],
    ["lisa", 0, 0, undefined, 1, 0, 0],
    ["lisa", 100, 0, undefined, 0, 0, 100],
    ["lisa", 0, 100, undefined, 0, 0, 100],
  ];
  it.each(rows)("%s: %i predicted of %i true pixels, says none: %s", (name, predicted, truth, decision, iou, i, u) => {
    const sample = scored(name, predicted, truth, decision);
    expect([sample.iou, sample.intersection, sample.union]).toEqual([iou, i, u]);
  });
});

describe("the decision that there is no target", () => {
  it("falls to masks under 50 pixels where the model has none", () => {
    expect(scored("rela", 49, 400).predictedNoTarget).toBe(true);
    expect(scored("rela", 50, 400).predictedNoTarget).toBe(false);
    expect(scored("rela", 49, 400)).toMatchObject({ iou: 0, intersection: 0, union: 400 });
  });

  it("is the model's own where it is given, whatever the mask", () => {
    expect(scored("rela", 1, 400, false).predictedNoTarget).toBe(false);
    expect(scored("gsva", 1000, 0, true).predictedNoTarget).toBe(true);
  });

  it("counts an empty mask as none even with the limit off", () => {
    const input = { truth: pixels(9), truthAreaPx: 9, noTarget: false, decision: undefined, emptyBelowPx: 0 };
    expect(score({ ...input, predicted: pixels(0) }, evaluationPresets.rela).predictedNoTarget).toBe(true);
    expect(score({ ...input, predicted: pixels(1) }, evaluationPresets.rela).predictedNoTarget).toBe(false);
  });
});

describe("P@X", () => {
  const precision = (name: PresetName, predicted: number, truth: number, key: "P@0.5" | "P@0.7" | "P@0.9"): number =>
    metricsOfScores([scored(name, predicted, truth)], evaluationPresets[name])[key];

  it("counts an IoU of exactly 0.5 by >= and not by >", () => {
    expect(evaluationPresetNames.map((name) => [name, precision(name, 500, 1000, "P@0.5")])).toEqual([
      ["cris", 0],
      ["lavt", 1],
      ["cgformer", 0],
      ["rela", 1],
      ["gsva", 0], // 500 / (1000 + 1e-8) is under 0.5
      ["lisa", 0],
    ]);
  });

  it("takes float32 thresholds as torch does in CRIS: 70 of 100 is over float32(0.7), 7 of 10 is not", () => {
    expect([precision("cris", 70, 100, "P@0.7"), precision("cris", 7, 10, "P@0.7")]).toEqual([1, 0]);
    expect([precision("cgformer", 90, 100, "P@0.9"), precision("cgformer", 9, 10, "P@0.9")]).toEqual([1, 0]);
  });

  it("counts samples with a target only under the name Pr@X", () => {
    const metrics = metricsOfScores(
      [scored("rela", 0, 0, true), scored("rela", 100, 400, false)],
      evaluationPresets.rela,
    );
    expect([metrics["P@0.7"], metrics["Pr@0.7"]]).toEqual([0.5, 0]);
  });
});

describe("the metrics that are shown", () => {
  it("are those of GRES where they are asked for; N-acc and Pr@X where there are no-target samples", () => {
    expect(shownMetrics(false, 0)).toEqual(["oIoU", "mIoU", "P@0.5", "P@0.6", "P@0.7", "P@0.8", "P@0.9"]);
    expect(shownMetrics(true, 0)).toEqual([...shownMetrics(false, 0), "gIoU", "cIoU", "T-acc"]);
    expect(shownMetrics(true, 3)).toContain("N-acc");
  });
});

describe("N-acc and T-acc", () => {
  it("are the shares of right decisions", () => {
    const metrics = metricsOfScores(
      [
        scored("rela", 0, 0, true),
        scored("rela", 90, 0, false),
        scored("rela", 90, 90, false),
        scored("rela", 90, 90, true),
      ],
      evaluationPresets.rela,
    );
    expect([metrics["N-acc"], metrics["T-acc"]]).toEqual([0.5, 0.5]);
  });

  it("are 0 where undefined; ReLA's evaluator leaves T-acc at 0 in a set without no-target samples", () => {
    const of = (name: PresetName): [number, number] => {
      const metrics = metricsOfScores([scored(name, 90, 90, false)], evaluationPresets[name]);
      return [metrics["N-acc"], metrics["T-acc"]];
    };
    expect([of("rela"), of("gsva"), of("lisa")]).toEqual([
      [0, 0],
      [0, 1],
      [0, 1],
    ]);
    expect(metricsOfScores([], evaluationPresets.gsva)).toMatchObject({ mIoU: 0, oIoU: 0, "T-acc": 0, "Pr@0.7": 0 });
  });
});

describe("the truth of overlapping polygons", () => {
  // Two 6 × 4 boxes that share 2 × 4 pixels: 40 in the union, 32 covered once.
  const truth = truthOf({ height: 20, width: 20, segmentations: [polygons(box(2, 2, 6, 4), box(6, 2, 6, 4))] });
  it.each([
    ["cris", 40],
    ["lavt", 32],
    ["cgformer", 32],
    ["rela", 40],
    ["gsva", 32],
    ["lisa", 32],
  ] as const)("has under %s %i pixels", (name, area) => {
    expect(rleArea(truthMasks(withChanges(evaluationPresets[name], { size: "original" })).of(truth).mask)).toBe(area);
  });

  it("loses pixels that two annotations share, as it does those of two polygons", () => {
    const several = truthOf({ ...truth, segmentations: [polygons(box(2, 2, 6, 4)), polygons(box(6, 2, 6, 4))] });
    expect(truthMasks(evaluationPresets.gsva).of(several).areaPx).toBe(32);
  });

  it("is a target for gsva although every pixel of it is lost", () => {
    const twice = truthOf({ ...truth, segmentations: [polygons(box(2, 2, 6, 4), box(2, 2, 6, 4))] });
    expect(truthMasks(evaluationPresets.gsva).of(twice)).toMatchObject({ areaPx: 0, noTarget: false });
  });
});

describe("a target with a box and no mask", () => {
  it("is refused, since any prediction would be scored against nothing", () => {
    const boxed = truthOf({ height: 20, width: 20, segmentations: [{ kind: "none" }] });
    expect(() => truthMasks(evaluationPresets.cris).of(boxed)).toThrow(/its target has a box and no mask/);
  });
});

describe("a declared target without a pixel", () => {
  const speck = truthOf({
    height: 20,
    width: 20,
    segmentations: [polygons([1, 1, 1.01, 1, 1, 1.01])],
    noTarget: false,
  });
  it("has a target for rela, and none for gsva", () => {
    expect(truthMasks(withChanges(evaluationPresets.rela, { size: "original" })).of(speck)).toMatchObject({
      areaPx: 0,
      noTarget: false,
    });
    expect(truthMasks(evaluationPresets.gsva).of(speck)).toMatchObject({ areaPx: 0, noTarget: true });
  });
});

describe("sentences of a ref", () => {
  const sentences = (split: string) =>
    [0, 1, 2].map((i) =>
      truthOf({
        sentenceId: String(i),
        sentenceIndex: i,
        sentenceCount: 3,
        split,
        segmentations: [polygons(box(0, 0, 2, 2))],
      }),
    );
  const scoredIds = async (name: PresetName, split: string, rule?: "all"): Promise<string[]> => {
    const truths = sentences(split);
    const predictions = predictionsOf(
      truths.map(({ key }) => [key, { mask: { kind: "rle", mask: rleFromCounts([16], 4, 4) } }]),
    );
    const preset = withChanges(evaluationPresets[name], {
      size: "original",
      ...(rule === undefined ? {} : { sentences: rule }),
    });
    const result = await evaluate(truths, predictions, { ...evaluateDefaults, preset, replicates: 2 });
    return result.samples.map(({ truth }) => truth.sentenceId);
  };

  it("cris takes the first in val and all elsewhere; cgformer the last; the others all", async () => {
    const found = Object.fromEntries(
      await Promise.all(
        evaluationPresetNames.map(async (name) => [
          name,
          [await scoredIds(name, "val"), await scoredIds(name, "testA")],
        ]),
      ),
    );
    const all = ["0", "1", "2"];
    expect(found).toEqual({
      cris: [["0"], all],
      cgformer: [["2"], ["2"]],
      lavt: [all, all],
      rela: [all, all],
      gsva: [all, all],
      lisa: [all, all],
    });
  });

  it("can all be asked for", async () => {
    expect(await scoredIds("cgformer", "val", "all")).toEqual(["0", "1", "2"]);
  });
});

it("names the presets for an unknown one and suggests the nearest", () => {
  expect(() => evaluationPreset("lavvt")).toThrow(
    /"lavvt"\. Did you mean "lavt"\? Valid: cris, lavt, cgformer, rela, gsva, lisa/,
  );
});
