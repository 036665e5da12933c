import { describe, expect, it } from "vitest";
import { CounterRandom } from "../kernels/index.ts";
import { bootstrap, groupOf, interval95, totalOf } from "./bootstrap.ts";
import { metricsOf } from "./metrics.ts";
import { evaluationPresets } from "./presets.ts";
import type { Score } from "./score.ts";

const preset = evaluationPresets.lavt;
const sample = (iou: number): Score => ({
  iou,
  intersection: iou * 100,
  union: 100,
  predictedAreaPx: 0,
  truthAreaPx: 0,
  noTarget: false,
  predictedNoTarget: false,
});
/** 40 images of three samples, whose IoU depends on the image alone. */
const clustered = Array.from(
  { length: 120 },
  (_, i) => [Math.floor(i / 3), sample((Math.floor(i / 3) % 10) / 10)] as const,
);

describe("bootstrap", () => {
  it("gives the same replicates for the same seed, others for another", () => {
    const group = groupOf(clustered, preset);
    const run = (seed: number) => [...bootstrap([group], 40, preset, { seed, replicates: 20 })[0]!.mIoU];
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });

  it("draws by image: three samples of an image widen nothing", () => {
    const whole = bootstrap([groupOf(clustered, preset)], 40, preset, { seed: 1, replicates: 4000 })[0]!;
    const { low, high } = interval95(whole.mIoU, 0);
    // The standard error of a mean over 40 images with IoU of 0, 0.1 … 0.9 is 0.2872 / √40 = 0.0454.
    expect((high - low) / (2 * 1.96)).toBeCloseTo(0.0454, 2);
    expect(metricsOf(totalOf(groupOf(clustered, preset)), preset).mIoU).toBeCloseTo(0.45, 12);
  });

  it("leaves out replicates that drew no sample of a group", () => {
    const group = groupOf([[3, sample(0.5)]], preset);
    const { mIoU } = bootstrap([group], 40, preset, { seed: 2, replicates: 200 })[0]!;
    const drawn = mIoU.filter((value) => !Number.isNaN(value));
    expect(drawn.length).toBeGreaterThan(60);
    expect(drawn.length).toBeLessThan(190);
    expect(interval95(mIoU, 0)).toEqual({ low: 0.5, high: 0.5 });
  });

  it("covers the truth in about 95 of 100 sets", () => {
    let covered = 0;
    for (let set = 0; set < 100; set++) {
      const random = new CounterRandom(set, 0, 0, 9);
      const drawn = clustered.map(([image]) => [image, sample(random.float())] as const);
      const { low, high } = interval95(
        bootstrap([groupOf(drawn, preset)], 40, preset, { seed: set, replicates: 200 })[0]!.mIoU,
        0,
      );
      if (low <= 0.5 && high >= 0.5) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(88);
    expect(covered).toBeLessThan(100);
  });
});

describe("interval95", () => {
  it("interpolates as NumPy's quantile does", () => {
    const values = Float64Array.from({ length: 11 }, (_, i) => 10 - i);
    expect(interval95(values, 0)).toEqual({ low: 0.25, high: 9.75 });
  });

  it("falls to the value given where every replicate is NaN", () => {
    expect(interval95(Float64Array.of(Number.NaN, Number.NaN), 0.3)).toEqual({ low: 0.3, high: 0.3 });
  });
});
