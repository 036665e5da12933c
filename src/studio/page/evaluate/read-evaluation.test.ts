import { describe, expect, it } from "vitest";
import { pairSamples, readEvaluatorFile } from "./read-evaluation.ts";

const measured = { value: 0.5, low: 0.4, high: 0.6 };
const result = {
  format: "nemosaic-evaluation",
  version: 1,
  preset: { name: "cris" },
  splits: ["val"],
  samples: 3,
  images: 2,
  metrics: { mIoU: measured },
  breakdowns: [{ name: "length", title: "Words", bins: [{ label: "1-5", samples: 3, metrics: { mIoU: measured } }] }],
};

describe("readEvaluatorFile", () => {
  it("reads a result and a comparison's gains", () => {
    const one = readEvaluatorFile(JSON.stringify(result));
    expect(one.kind === "evaluation" && one.evaluation.breakdowns[0]?.bins[0]?.metrics.mIoU).toEqual(measured);
    const gain = { a: 0.5, b: 0.55, gain: 0.05, low: -0.01, high: 0.1, isClear: false };
    const comparison = {
      samples: 3,
      images: 2,
      gains: { mIoU: gain },
      breakdowns: [{ name: "x", title: "X", bins: [{ label: "a", samples: 3, gains: { mIoU: gain } }] }],
    };
    const two = readEvaluatorFile(
      JSON.stringify({ format: "nemosaic-comparison", version: 1, a: result, b: result, comparison }),
    );
    expect(two.kind === "evaluation" && two.evaluation.metrics.mIoU?.value).toBe(0.05);
    expect(two.kind === "evaluation" && two.evaluation.breakdowns[0]?.bins[0]?.metrics.mIoU?.low).toBe(-0.01);
  });

  it("tells samples, one line or many, from a result", () => {
    const line = JSON.stringify({ key: "a/1/2", text: "car", iou: 0.25, area_share: null, no_target: false });
    for (const text of [line, `${line}\n`, `${line}\n${line}\n`]) {
      const opened = readEvaluatorFile(text);
      expect(opened.kind === "samples" && opened.samples[0]).toMatchObject({
        key: "a/1/2",
        iou: 0.25,
        areaShare: undefined,
      });
    }
  });

  it("shows no metric that says nothing of this set, in files with the list of them and in older ones", () => {
    const metrics = { oIoU: measured, mIoU: measured, gIoU: measured, "N-acc": { value: 0, low: 0, high: 0 } };
    const shown = (changes: object): string[] => {
      const opened = readEvaluatorFile(JSON.stringify({ ...result, metrics, noTargets: 0, ...changes }));
      return opened.kind === "evaluation" ? Object.keys(opened.evaluation.metrics) : [];
    };
    const plain = { preset: { name: "cris", noTarget: "ignored" } };
    expect(shown(plain)).toEqual(["oIoU", "mIoU"]);
    expect(shown({ ...plain, metricsShown: ["oIoU"] })).toEqual(["oIoU"]);
    expect(shown({ ...plain, noTargets: 2 })).toEqual(Object.keys(metrics));
    expect(shown({ preset: { name: "rela", noTarget: "rela" } })).toEqual(Object.keys(metrics));
  });

  it("keeps a value that has no interval", () => {
    const bare = { value: 0.5, low: null, high: null };
    const opened = readEvaluatorFile(JSON.stringify({ ...result, metrics: { mIoU: bare } }));
    expect(opened.kind === "evaluation" && opened.evaluation.metrics.mIoU).toEqual(bare);
  });

  it("holds two files of samples against each other, by the expressions that both have", () => {
    const line = (key: string, iou: number, prediction: string) =>
      JSON.stringify({ key, text: key, iou, mask_size: [2, 2], truth: "04", prediction });
    const read = (text: string) => {
      const opened = readEvaluatorFile(text);
      return opened.kind === "samples" ? opened.samples : [];
    };
    const first = read([line("a", 0.25, "x"), line("b", 0.5, "y")].join("\n"));
    const second = read([line("b", 0.75, "z"), line("c", 1, "w")].join("\n"));
    expect(pairSamples(first, second)).toMatchObject([
      { key: "b", iou: 0.75, firstIou: 0.5, gain: 0.25, masks: { truth: "04", prediction: "z", first: "y" } },
    ]);
  });

  it("says what it expected of anything else", () => {
    expect(() => readEvaluatorFile('{"format":"coco"}')).toThrow(/nemosaic-evaluation.*coco/);
    expect(() => readEvaluatorFile(JSON.stringify({ ...result, version: 2 }))).toThrow(/version 1, got 2/);
    expect(() => readEvaluatorFile("{\n")).toThrow(/line 1/);
    expect(() => readEvaluatorFile('{"key":"a","iou":1}\n{"key":"b"}')).toThrow(/line 2/);
    expect(() => readEvaluatorFile("[1]")).toThrow(/Expected an object/);
  });
});
