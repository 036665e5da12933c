import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Rle, rleArea, rleFromMask } from "../kernels/index.ts";
import type { Sample } from "./evaluation.ts";
import { evaluationPresets } from "./presets.ts";
import { robustnessOf } from "./robustness.ts";
import { score } from "./score.ts";

interface Golden {
  readonly height: number;
  readonly width: number;
  readonly cases: readonly {
    readonly refs: readonly {
      readonly truth: string;
      readonly sentences: readonly {
        readonly positive: boolean;
        readonly pred: string;
        readonly noTarget: boolean | null;
      }[];
    }[];
    readonly expected: { readonly mIoU: number; readonly oIoU: number; readonly r: number; readonly rIoU: number };
  }[];
}

const fixture = join(import.meta.dirname, "../../test/fixtures/evaluate/robustness.json");
const { height, width, cases } = JSON.parse(readFileSync(fixture, "utf8")) as Golden;
const options = { seed: 0, replicates: 200, leastImages: 2 };

const rle = (bits: string): Rle => rleFromMask(Uint8Array.from(bits, Number), height, width);

function sampleOf(
  ref: number,
  at: number,
  truth: string,
  sentence: Golden["cases"][0]["refs"][0]["sentences"][0],
): Sample {
  const mask = rle(sentence.positive ? truth : "0".repeat(height * width));
  const input = {
    truth: mask,
    truthAreaPx: rleArea(mask),
    noTarget: !sentence.positive,
    predicted: rle(sentence.pred),
    decision: sentence.noTarget ?? undefined,
    emptyBelowPx: 0,
  };
  // As importing keeps them: the false sentences of a ref are a ref of their own.
  const refId = sentence.positive ? `${ref}` : `${ref}:no-target`;
  const truthFacts = { key: `s/${refId}/${at}`, source: "s", refId, imageKey: `image ${ref}` } as Sample["truth"];
  return { truth: truthFacts, score: score(input, evaluationPresets.lisa) } as Sample;
}

const samplesOf = ({ refs }: Golden["cases"][0]): Sample[] =>
  refs.flatMap(({ truth, sentences }, ref) => sentences.map((sentence, at) => sampleOf(ref, at, truth, sentence)));

describe("robustnessOf", () => {
  it.each([0, 1])("equals what the authors' program gives, case %i", (at) => {
    const golden = cases[at] as Golden["cases"][0];
    const found = robustnessOf(samplesOf(golden), options);
    expect(found?.refs).toBe(golden.refs.length);
    // Their meters are float32.
    expect(100 * (found?.mIoU.value ?? 0)).toBeCloseTo(golden.expected.mIoU, 4);
    expect(100 * (found?.oIoU.value ?? 0)).toBeCloseTo(golden.expected.oIoU, 4);
    expect(100 * (found?.mRR.value ?? 0)).toBeCloseTo(golden.expected.r, 4);
    expect(100 * (found?.rIoU.value ?? 0)).toBeCloseTo(golden.expected.rIoU, 4);
    expect(found?.rIoU.low).toBeLessThanOrEqual(found?.rIoU.value ?? 0);
    expect(found?.rIoU.high).toBeGreaterThanOrEqual(found?.rIoU.value ?? 0);
  });

  it("counts the example at its head, and leaves refs of one sort out", () => {
    const bits = (ones: number): string => "1".repeat(ones).padEnd(height * width, "0");
    const one = (positive: boolean, ones: number) => ({ positive, pred: bits(ones), noTarget: null });
    const samples = [sampleOf(0, 0, bits(100), one(true, 80)), sampleOf(0, 1, bits(100), one(false, 50))];
    const alone = sampleOf(1, 0, bits(100), one(true, 0));
    const found = robustnessOf([...samples, alone], options);
    expect([found?.refs, found?.mIoU.value, found?.mRR.value, found?.rIoU.value]).toEqual([1, 0.8, 0, 80 / 150]);
    expect(robustnessOf([alone], options)).toBeUndefined();
  });
});
