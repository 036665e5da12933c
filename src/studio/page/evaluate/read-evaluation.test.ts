import { describe, expect, it } from "vitest";
import { readEvaluatorFile } from "./read-evaluation.ts";

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

  it("says what it expected of anything else", () => {
    expect(() => readEvaluatorFile('{"format":"coco"}')).toThrow(/nemosaic-evaluation.*coco/);
    expect(() => readEvaluatorFile(JSON.stringify({ ...result, version: 2 }))).toThrow(/version 1, got 2/);
    expect(() => readEvaluatorFile("{\n")).toThrow(/line 1/);
    expect(() => readEvaluatorFile('{"key":"a","iou":1}\n{"key":"b"}')).toThrow(/line 2/);
    expect(() => readEvaluatorFile("[1]")).toThrow(/Expected an object/);
  });
});
