import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage, encodePng } from "../codecs/index.ts";
import { rleFromString, rleToMask, rleToString } from "../kernels/index.ts";
import { fail } from "../model/index.ts";
import { type EvaluateRequest, evaluateCommand } from "./commands.ts";
import type { Comparison } from "./compare.ts";
import type { Evaluation, Sample } from "./evaluation.ts";
import { box, firstPixels, polygons, truthOf } from "./made-samples.contract.ts";
import { metricNames } from "./metrics.ts";
import { worstSamples } from "./report/worst-cases.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "command-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const truths = Array.from({ length: 12 }, (_, i) =>
  truthOf({
    refId: String(i),
    sentenceId: String(i),
    imageKey: `image ${i >> 1}`,
    height: 40,
    width: 60,
    segmentations: i === 11 ? [] : [polygons(box(0, 0, 60, 20))],
    category: i % 2 === 0 ? "mug" : "<cat & dog>",
    similarObjects: i % 4,
    text: i === 0 ? `the "<script>alert(1)</script>" mug` : `mug ${i}`,
  }),
);

async function predictions(name: string, covered: (i: number) => number): Promise<string> {
  const path = join(folder, name);
  const lines = truths.map((truth, i) => ({
    key: truth.key,
    segmentation: { size: [40, 60], counts: rleToString(firstPixels(covered(i), 40, 60)) },
  }));
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  return path;
}

async function request(name: string, changes: Partial<EvaluateRequest> = {}): Promise<EvaluateRequest> {
  return {
    truths,
    predictions: await predictions(name, (i) => 1200 - 100 * i),
    choices: { preset: "cris", bootstrap: 50, least: 1 },
    loadImage: async (truth) => {
      if (truth.refId === "10") fail("not-found", "the image is gone");
      return encodePng({ width: 60, height: 40, channels: 3, data: new Uint8Array(7200).fill(90) });
    },
    ...changes,
  };
}

describe("evaluateCommand", () => {
  it("gives the same value for --json twice, with every metric and breakdown", async () => {
    const { json, text } = await evaluateCommand(await request("a.jsonl"));
    expect(json).toEqual((await evaluateCommand(await request("a.jsonl"))).json);
    expect(json).toMatchObject({
      format: "nemosaic-evaluation",
      version: 1,
      samples: 12,
      images: 6,
      noTargets: 1,
      preset: { name: "cris" },
    });
    const { metrics, breakdowns } = json as unknown as Pick<Evaluation, "metrics" | "breakdowns">;
    expect(Object.keys(metrics)).toEqual(metricNames);
    for (const { value, low, high } of Object.values(metrics)) expect(low! <= value && value <= high!).toBe(true);
    expect(breakdowns.map(({ name }) => name)).toEqual([
      "similar",
      "area",
      "length",
      "position",
      "targets",
      "split",
      "source",
      "category",
    ]);
    for (const { name, bins } of breakdowns) {
      const known = name === "similar" || name === "category" ? 12 : name === "area" ? 11 : 12;
      expect(
        bins.reduce((sum, bin) => sum + bin.samples, 0),
        name,
      ).toBe(known);
    }
    expect(text).toMatch(
      /^preset cris \(CRIS, ETRIS\), original size: 12 expressions of 6 images, 1 without a target; val\n/,
    );
    expect(text).toMatch(/\noIoU +\d+\.\d\d +\d+\.\d\d to \d+\.\d\d\n/);
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });

  it("makes its own report again once the pictures that it lacked are there, and no other", async () => {
    const htmlFile = join(folder, "lacking.html");
    const asked = { htmlFile, worst: 4 };
    const whole = await request("a.jsonl", {
      ...asked,
      loadImage: async () => encodePng({ width: 60, height: 40, channels: 3, data: new Uint8Array(7200).fill(90) }),
    });
    await evaluateCommand(await request("a.jsonl", asked));
    await evaluateCommand(whole);
    expect(await readFile(htmlFile, "utf8")).not.toContain("the image is gone");
    const refused = { unwritten: { code: "exists" } };
    expect(await evaluateCommand(await request("a.jsonl", asked))).toMatchObject(refused);
    await evaluateCommand(await request("a.jsonl", { ...asked, force: true }));
    expect(await evaluateCommand({ ...whole, predictions: await predictions("c.jsonl", () => 900) })).toMatchObject(
      refused,
    );
  });

  it("writes a page that needs nothing from outside, text made safe, pictures inline", async () => {
    const htmlFile = join(folder, "report.html");
    const samplesFile = join(folder, "samples.jsonl");
    await evaluateCommand(await request("a.jsonl", { htmlFile, samplesFile, worst: 4 }));
    const html = await readFile(htmlFile, "utf8");
    expect(html).not.toMatch(/<script|https?:|<link|@import/i);
    expect(html.match(/<svg /g)?.length).toBe(3);
    expect(html).toContain("&lt;cat &amp; dog&gt;");
    expect(html).toContain("the image is gone");
    const pictures = [...html.matchAll(/src="data:image\/jpeg;base64,([^"]+)"/g)].map((match) =>
      Buffer.from(match[1]!, "base64"),
    );
    expect(pictures.length).toBe(3);
    const picture = await decodeImage(pictures[1]!);
    const green = Array.from({ length: 2400 }, (_, i) => picture.data.subarray(3 * i, 3 * i + 3)).filter(
      ([r, g, b]) => g! > 150 && r! < 110 && b! < 170,
    );
    // The truth's outline: two pixels along the border of 60 × 20, less what the prediction's outline covers.
    expect(green.length).toBeGreaterThan(60);
    const samples = (await readFile(samplesFile, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(samples.length).toBe(12);
    expect(samples[6]).toMatchObject({
      key: "s/6/6",
      iou: 600 / (1200 + 1e-6),
      intersection: 600,
      union: 1200,
      no_target: false,
      area_share: 0.5,
    });
    // Again: the same bytes stay; others are refused, and what was worked out is not lost.
    expect(await evaluateCommand(await request("a.jsonl", { htmlFile, samplesFile, worst: 4 }))).not.toHaveProperty(
      "unwritten",
    );
    const other = await evaluateCommand(await request("a.jsonl", { htmlFile, worst: 3 }));
    expect(other.unwritten?.message).toMatch(/another report is at ".*report.html" already.*--force/);
    expect(other.text).toMatch(/^preset cris/);
    expect(await readFile(htmlFile, "utf8")).toBe(html);
  });

  it("compares two models, the second one's gain over the first", async () => {
    const first = await request("a.jsonl");
    const compareWith = await predictions("b.jsonl", (i) => (i === 11 ? 100 : 1200));
    const { text, json } = await evaluateCommand({ ...first, compareWith, htmlFile: join(folder, "both.html") });
    expect(text).toMatch(/^gain of b\.jsonl over a\.jsonl on 12 expressions of 6 images/);
    expect(json).toMatchObject({ format: "nemosaic-comparison", comparison: { samples: 12, onlyA: 0, onlyB: 0 } });
    const html = await readFile(join(folder, "both.html"), "utf8");
    expect(html).toContain("Gain of b.jsonl over a.jsonl, in points");
    // Every metric of the text has its row, with both models, the gain and its interval.
    const rows = [...html.matchAll(/<tr><th scope="row">([^<]+)<\/th>(.*?)<\/tr>/g)].map(
      ([, name, cells]) => [name, cells!.match(/<td/g)!.length] as const,
    );
    const gains = rows.slice(0, metricNames.length);
    expect(gains.map(([name, cells]) => `${name} ${cells}`)).toEqual(metricNames.map((name) => `${name} 4`));
    // Gains worst at a first; i = 0 gains nothing, i = 11 has no target and loses its empty prediction.
    expect(html).toMatch(
      /Largest gains of b\.jsonl over a\.jsonl.*mug 10.*IoU 16\.67 → 100\.00, gain \+83\.33.*mug 9/s,
    );
    expect(html).toContain("Worst cases of b.jsonl");
    expect(html).not.toContain("Worst cases<");
  });

  it("compares several seeds a side: means, deviations, and intervals over seeds, too", async () => {
    const first = await request("a1.jsonl");
    const side = (name: string, gain: number) =>
      Promise.all(
        [0, 1, 2].map((seed) => predictions(`${name}${seed}.jsonl`, (i) => (i === 11 ? 0 : 600 + gain + 60 * seed))),
      );
    const [a, b] = [await side("a", 0), await side("b", 230)];
    const samplesFile = join(folder, "pairs.jsonl");
    const { json, text } = await evaluateCommand({ ...first, predictions: a, compareWith: b, samplesFile });
    const { comparison } = json as { comparison: Comparison };
    expect(comparison.seeds).toEqual([3, 3]);
    const { a: before, b: after, gain, low, high, isClear, deviations } = comparison.gains["Pr@0.7"];
    // Truth 1200: a has IoU 0.5, 0.55, 0.6; b 0.69, 0.74, 0.79, of which two are over 0.7.
    expect([before, after, gain].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([0, 0.666667, 0.666667]);
    expect(deviations[0]).toBe(0);
    expect(deviations[1]).toBeCloseTo(0.57735, 5);
    // Only the seeds differ here, not the images: the interval is that of drawing three of {0, 1, 1}.
    expect([low, high, isClear]).toEqual([0, 1, false]);
    expect(comparison.gains.mIoU).toMatchObject({ gain: expect.closeTo((230 / 1200) * (11 / 12), 6), isClear: true });
    expect(text).toMatch(/means over 3 and 3 training seeds/);
    expect(text).toMatch(/\nmIoU +50\.42 ± 4\.58 +67\.99 ± 4\.58 +\+17\.57\*/);
    const lines = (await readFile(samplesFile, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      first_iou: 600 / (1200 + 1e-6),
      gain: expect.closeTo(230 / 1200, 6),
      mask_size: [40, 60],
    });
    expect(rleToMask(rleFromString(lines[0].prediction, 40, 60)).reduce((sum, pixel) => sum + pixel, 0)).toBe(830);
    expect(rleToMask(rleFromString(lines[0].first_prediction, 40, 60)).reduce((sum, pixel) => sum + pixel, 0)).toBe(
      600,
    );
  });

  it("refuses the same predictions as two seeds of a model, however their path is written", async () => {
    const first = await request("a.jsonl");
    const b = await predictions("b.jsonl", () => 1200);
    const compareWith = [b, join(dirname(b), ".", "..", basename(dirname(b)), basename(b))];
    await expect(evaluateCommand({ ...first, compareWith })).rejects.toThrow(
      /expected other predictions for every seed of a model, got ".*b.jsonl" twice/,
    );
    const same = await evaluateCommand({ ...first, compareWith: first.predictions });
    expect(same.text).toMatch(/\nmIoU .* 0\.00/);
    expect(same.text).not.toMatch(/-0\.00/);
  });

  it("gives no interval and no star where fewer images stand behind a number than asked for, and says so", async () => {
    const first = await request("a.jsonl", { choices: { preset: "cris", bootstrap: 50 } });
    const alone = await evaluateCommand(first);
    expect((alone.json as unknown as Evaluation).metrics.mIoU).toMatchObject({ low: null, high: null });
    expect(alone.text).toMatch(/no interval, and no \*, for numbers from fewer than 10 images/);
    const compareWith = await predictions("b.jsonl", (i) => (i === 11 ? 100 : 1200));
    const five = await evaluateCommand({ ...first, compareWith, choices: { preset: "cris", bootstrap: 50, least: 5 } });
    const { comparison } = five.json as { comparison: Comparison };
    expect(comparison.gains.mIoU).toMatchObject({ low: expect.any(Number), isClear: true });
    const bins = comparison.breakdowns.flatMap(({ bins }) => bins);
    const thin = bins.filter(({ images }) => images < 5);
    expect(thin.length).toBeGreaterThan(2);
    for (const { gains } of thin) expect(gains.mIoU).toMatchObject({ low: null, high: null, isClear: false });
    for (const { gains } of bins.filter(({ images }) => images >= 5)) expect(gains.mIoU.low).not.toBeNull();
    expect(five.text).toMatch(/fewer than 5 images/);
    expect(five.text).toMatch(/\n {2}2 +3 +\+\d+\.\d\d +– /);
  });

  it("writes its tables as Markdown, LaTeX and CSV", async () => {
    const first = await request("a.jsonl");
    const compareWith = await predictions("b.jsonl", (i) => (i === 11 ? 100 : 1200));
    const as = async (format: string) => (await evaluateCommand({ ...first, compareWith, format })).text;
    expect(await as("markdown")).toMatch(
      /^gain of .*\n\n\| metric \| a \| b \| gain \| 95 % interval \|\n\|---\|---:\|---:\|---:\|---:\|\n\| oIoU \| [\d.]+ \| [\d.]+ \| \+[\d.]+\\\* \|/,
    );
    const latex = await as("latex");
    expect(latex).toMatch(/\\begin\{tabular\}\{lrrrr\}\n\\toprule\nmetric & a & b & gain & 95 \\% interval \\\\\n/);
    expect(latex).toContain("\\textless{}cat \\& dog\\textgreater{} &");
    const csv = (await as("csv")).trim().split("\n");
    expect(csv[0]).toBe("breakdown,bin,samples,images,metric,a,a_deviation,b,b_deviation,gain,low,high,clear");
    expect(csv[2]).toMatch(/^all,all,12,6,mIoU,0\.\d+,,0\.\d+,,0\.\d+,/);
    expect(new Set(csv.map((line) => line.split(",").length))).toEqual(new Set([13]));
    expect((await evaluateCommand({ ...first, format: "csv" })).text).toMatch(
      /^breakdown,bin,samples,images,metric,value/,
    );
    await expect(as("html")).rejects.toThrow(/unknown value of --format "html"\. Valid: text, markdown, latex, csv/);
  });

  it.each([
    [{ preset: "criss" }, /unknown evaluation preset "criss"\. Did you mean "cris"/],
    [{ missing: "skipp" }, /unknown value of --missing "skipp"\. Did you mean "skip"/],
    [{ size: "big" }, /expected --size to be "original" or a side/],
    [{ threshold: 1.5 }, /expected --threshold/],
    [{ emptyBelow: -1 }, /expected --empty-below/],
    [{ bootstrap: 0 }, /expected --bootstrap/],
    [{ seed: 0.5 }, /expected --seed/],
    [{ split: ["trian"] }, /unknown split "trian"/],
  ])("refuses %j", async (choices, message) => {
    await expect(
      evaluateCommand(await request("a.jsonl", { choices: { preset: "cris", ...choices } })),
    ).rejects.toThrow(message);
  });

  it("says where predictions are looked for", async () => {
    await expect(evaluateCommand(await request("a.jsonl", { predictions: join(folder, "none") }))).rejects.toThrow(
      /expected predictions at .*none/,
    );
    await expect(
      evaluateCommand(
        await request("a.jsonl", { predictions: join(folder, "a.jsonl"), only: join(folder, "no-list") }),
      ),
    ).rejects.toThrow(/a list of ids at .*no-list/);
  });
});

describe("worstSamples", () => {
  it("takes the lowest IoU, the largest union first, one of each ref", () => {
    const sample = (refId: string, iou: number, union: number): Sample => ({
      truth: truthOf({ refId, sentenceId: `${refId}-${iou}-${union}` }),
      score: {
        iou,
        intersection: 0,
        union,
        predictedAreaPx: 0,
        truthAreaPx: 0,
        noTarget: false,
        predictedNoTarget: false,
      },
      areaShare: 0,
      missing: false,
      predicted: () => Promise.reject(new Error("not read")),
    });
    const chosen = worstSamples(
      [sample("a", 0.5, 9), sample("b", 0, 10), sample("c", 0, 20), sample("c", 0, 15), sample("d", 0.1, 1)],
      3,
    );
    expect(chosen.map(({ truth, score }) => [truth.refId, score.union])).toEqual([
      ["c", 20],
      ["b", 10],
      ["d", 1],
    ]);
  });
});
