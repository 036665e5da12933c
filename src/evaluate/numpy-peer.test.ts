import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { evaluate, evaluateDefaults } from "./evaluate.ts";
import { type MadeCase, madeCases, predictionsOf } from "./made-samples.contract.ts";
import { metricNames } from "./metrics.ts";
import { evaluationPresetNames, evaluationPresets, type Preset, withChanges } from "./presets.ts";

/** The rules of the published evaluators, written anew over full rasters with NumPy, pycocotools and Pillow. */
const peer = `
import sys, json, base64
import numpy as np
from PIL import Image
from pycocotools import mask as coco

data = json.load(sys.stdin)
name, side, empty_below = data["preset"], data["side"], data["emptyBelow"]

def rasters(case, sx=1.0, sy=1.0, size=None):
    h, w = size or (case["height"], case["width"])
    out = []
    for annotation in case["annotations"]:
        for xy in annotation:
            scaled = [v * (sx if i % 2 == 0 else sy) for i, v in enumerate(xy)]
            out.append(coco.decode(coco.frPyObjects([scaled], h, w))[..., 0])
    return np.stack(out) if out else np.zeros((1, h, w), np.uint8)

def nearest(mask, side):
    return np.array(Image.fromarray(mask.astype(np.uint8)).resize((side, side), Image.NEAREST))

def truth(case):
    parts = rasters(case)
    summed = parts.sum(axis=0)
    if name == "cris":
        return ((summed * 255) % 256) != 0
    if name in ("cgformer", "gsva", "lisa"):
        return summed == 1
    if name == "lavt":
        return nearest(summed == 1, side) == 1
    scaled = rasters(case, side / case["width"], side / case["height"], (side, side))
    return scaled.sum(axis=0) > 0

def predicted(case):
    levels = np.frombuffer(base64.b64decode(case["levels"]), np.uint8).reshape(case["levelsHeight"], case["levelsWidth"])
    p = levels.astype(np.float32) / np.float32(255)
    if name == "cris": return p > 0.35
    if name == "gsva": return p >= 0.5
    if name in ("lavt", "rela"): return np.argmax(np.stack([1 - p.astype(np.float64), p]), axis=0) == 1
    return p > 0.5

wanted = {"cris": lambda c: c["index"] == 0 or c["split"] != "val", "cgformer": lambda c: c["index"] == c["count"] - 1}
rows, sum_i, sum_u = [], 0, 0
for case in data["cases"]:
    if name in wanted and not wanted[name](case): continue
    gt, pred = truth(case), predicted(case)
    inter, union = int(np.logical_and(gt, pred).sum()), int(np.logical_or(gt, pred).sum())
    says_none = case["noTarget"] if case["noTarget"] is not None else int(pred.sum()) < max(1, empty_below)
    none = rasters(case).sum() < 1 if name == "gsva" else len(case["annotations"]) == 0
    if name in ("rela", "gsva") and none:
        iou, inter, union = (1.0, 0, 0) if says_none else (0.0, 0, union)
    elif name == "rela":
        if says_none: inter = 0
        iou = 0.0 if union == 0 else inter / union
    elif name == "gsva":
        iou = inter / (union + 1e-8)
    elif name == "lisa":
        iou = inter / (union + 1e-5) + (1.0 if union == 0 else 0.0)
    elif name == "lavt":
        iou = 0.0 if union == 0 else inter * 1.0 / union
    else:
        iou = inter / (union + 1e-6)
    rows.append([case["key"], iou, inter, union, bool(none), bool(says_none)])

iou = np.array([r[1] for r in rows], np.float64)
none = np.array([r[4] for r in rows])
says = np.array([r[5] for r in rows])
if name in ("cris", "cgformer"):
    over = lambda x: iou > float(np.float32(x))
else:
    over = lambda x: iou >= x
share = lambda hits: float(hits.mean()) if len(hits) else 0.0
o = sum(r[2] for r in rows) / max(1, sum(r[3] for r in rows))
metrics = {"oIoU": o, "cIoU": o, "mIoU": float(iou.mean()), "gIoU": float(iou.mean()),
  "N-acc": share(says[none]), "T-acc": 0.0 if name == "rela" and not none.any() else share(~says[~none])}
for x in (.5, .6, .7, .8, .9): metrics["P@%s" % x] = share(over(x))
for x in (.7, .8, .9): metrics["Pr@%s" % x] = share(over(x)[~none])
print(json.dumps({"rows": rows, "metrics": metrics}))
`;

interface PeerResult {
  rows: [key: string, iou: number, intersection: number, union: number, noTarget: boolean, says: boolean][];
  metrics: Record<string, number>;
}

function askPeer(preset: Preset, cases: readonly MadeCase[]): PeerResult {
  const side = preset.size.at === "model" ? preset.size.sizePx : 0;
  const input = {
    preset: preset.name,
    side,
    emptyBelow: evaluateDefaults.emptyBelowPx,
    cases: cases.map(({ truth, levels, levelsHeight, levelsWidth, noTarget }) => ({
      key: truth.key,
      height: truth.height,
      width: truth.width,
      split: truth.split,
      index: truth.sentenceIndex,
      count: truth.sentenceCount,
      annotations: truth.segmentations.map((segmentation) =>
        segmentation.kind === "polygons" ? segmentation.parts : [],
      ),
      levels: Buffer.from(levels).toString("base64"),
      levelsHeight,
      levelsWidth,
      noTarget: noTarget ?? null,
    })),
  };
  return JSON.parse(runPython(peer, [], JSON.stringify(input))) as PeerResult;
}

async function ours(preset: Preset, cases: readonly MadeCase[]) {
  return evaluate(
    cases.map(({ truth }) => truth),
    predictionsOf(
      cases.map(({ truth, levels, levelsHeight, levelsWidth, noTarget }) => [
        truth.key,
        { mask: { kind: "levels", height: levelsHeight, width: levelsWidth, levels, max: 255 }, noTarget },
      ]),
    ),
    { ...evaluateDefaults, preset, splits: ["val", "test"], levels: "probabilities", replicates: 10 },
  );
}

describe.skipIf(!pythonHas("numpy", "PIL", "pycocotools"))("presets against their rules in NumPy", () => {
  for (const name of evaluationPresetNames) {
    for (const withDecisions of [false, true]) {
      it(`${name} gives the same numbers for 240 random samples ${withDecisions ? "with" : "without"} no-target decisions`, async () => {
        const model = evaluationPresets[name].size.at === "model";
        // 48 puts the borders of nearest neighbour on many pixels' edges, as 480 does for real image sizes.
        const preset = model ? withChanges(evaluationPresets[name], { size: 48 }) : evaluationPresets[name];
        const cases = madeCases(preset, withDecisions ? 11 : 7, 240, model ? 48 : undefined, withDecisions);
        const expected = askPeer(preset, cases);
        const result = await ours(preset, cases);
        expect(expected.rows.length).toBeGreaterThan(100);
        expect(
          result.samples.map(({ truth, score }) => [
            truth.key,
            score.iou,
            score.intersection,
            score.union,
            score.noTarget,
            score.predictedNoTarget,
          ]),
        ).toEqual(expected.rows);
        // The samples reach the thresholds, so that P@X is put to the test.
        expect(expected.metrics["P@0.9"]).toBeGreaterThan(0.05);
        expect(expected.metrics["P@0.9"]).toBeLessThan((expected.metrics["P@0.5"] ?? 0) - 0.1);
        for (const metric of metricNames)
          expect(result.metrics[metric].value, metric).toBeCloseTo(expected.metrics[metric] ?? Number.NaN, 12);
      });
    }
  }

  it("lavt and rela agree at 480 × 480 too", async () => {
    for (const name of ["lavt", "rela"] as const) {
      const cases = madeCases(evaluationPresets[name], 3, 12, 480, true);
      const expected = askPeer(evaluationPresets[name], cases);
      const result = await ours(evaluationPresets[name], cases);
      expect(result.samples.map(({ truth, score }) => [truth.key, score.iou, score.intersection, score.union])).toEqual(
        expected.rows.map((row) => row.slice(0, 4)),
      );
    }
  });
});
