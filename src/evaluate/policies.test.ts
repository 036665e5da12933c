import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeNpy } from "../codecs/index.ts";
import { rleToString } from "../kernels/index.ts";
import { fullRle, ious, rle, run, square, squareRle, truths, writeTestFiles } from "./made-files.contract.ts";
import { box, firstPixels, polygons, truthOf } from "./made-samples.contract.ts";
import { evaluationPresets } from "./presets.ts";
import type { Truth } from "./truth.ts";

describe("predictions that do not match the truth", () => {
  const lines = (...records: object[]): Promise<string> =>
    writeTestFiles({ "p.jsonl": records.map((record) => JSON.stringify(record)).join("\n") }).then((path) =>
      join(path, "p.jsonl"),
    );
  const whole = [1, 2, 3].map((id) => ({ sentence_id: id, segmentation: fullRle }));

  it("missing: an error with ids, or empty masks, or skipped, counted", async () => {
    const path = await lines(whole[0]!);
    await expect(run(path, truths)).rejects.toThrow(
      /2 of 3 expressions have no prediction: a\/10\/2, a\/11\/3; add them, or pass --missing empty or skip/,
    );
    const empty = await run(path, truths, { missing: "empty" });
    expect([ious(empty), empty.counts.missing, empty.samples.map(({ missing }) => missing)]).toEqual([
      [0.25, 0, 0],
      2,
      [false, true, true],
    ]);
    const skipped = await run(path, truths, { missing: "skip" });
    expect([ious(skipped), skipped.counts.missing]).toEqual([[0.25], 2]);
  });

  it("missing ids are listed up to ten", async () => {
    const many = Array.from({ length: 14 }, (_, i) =>
      truthOf({ source: "a", refId: "9", sentenceId: `s${i}`, segmentations: square }),
    );
    const path = await lines({ sentence_id: "s0", segmentation: fullRle });
    await expect(run(path, many)).rejects.toThrow(/13 of 14 .*: a\/9\/s1, .*, a\/9\/s10 and 3 more/);
  });

  it("extra: an error with names, or ignored and counted", async () => {
    const path = await lines(...whole, { sentence_id: 99, segmentation: fullRle });
    await expect(run(path, truths)).rejects.toThrow(
      /1 predictions match no expression of the truth: .*p\.jsonl:4; .*--extra ignore/,
    );
    expect((await run(path, truths, { extra: "ignore" })).counts.extra).toBe(1);
  });

  it("repeated with equal content: dropped and counted; with other content: an error, or the first or last", async () => {
    const padded = await run(await lines(...whole, whole[0]!, whole[1]!), truths);
    expect([ious(padded), padded.counts.repeatedPredictions, padded.samples.length]).toEqual([[0.25, 0.25, 1], 2, 3]);
    const path = await lines(...whole, { sentence_id: 1, segmentation: squareRle });
    await expect(run(path, truths)).rejects.toThrow(
      /1 expressions have several predictions of different content: .*p\.jsonl:1 and .*p\.jsonl:4/,
    );
    expect(ious(await run(path, truths, { duplicates: "first" }))).toEqual([0.25, 0.25, 1]);
    const last = await run(path, truths, { duplicates: "last" });
    expect([ious(last), last.counts.replacedPredictions]).toEqual([[1, 0.25, 1], 1]);
  });

  it("wrongly sized by one: an error with both sizes, or resized, emptied, skipped, counted", async () => {
    const path = await lines(whole[0]!, whole[1]!, {
      sentence_id: 3,
      segmentation: rle("#####", "#####", "#####", "#####"),
    });
    await expect(run(path, truths)).rejects.toThrow(
      /1 predictions are of another size than preset "lisa" compares at: .*p\.jsonl:3 \(5 × 4, expected 4 × 4\)/,
    );
    const results = await Promise.all(
      (["resize", "empty", "skip"] as const).map((wrongSize) => run(path, truths, { wrongSize })),
    );
    expect(results.map((result) => [ious(result), result.counts.wrongSize])).toEqual([
      [[0.25, 0.25, 1], 1],
      [[0.25, 0.25, 0], 1],
      [[0.25, 0.25], 1],
    ]);
  });

  it("repeated with equal masks written in two ways are equal; with another no-target decision they are not", async () => {
    const listed = { sentence_id: 1, segmentation: { size: [4, 4], counts: [0, 7, 0, 9] } };
    const result = await run(await lines(...whole, listed), truths);
    expect([ious(result), result.counts.repeatedPredictions]).toEqual([[0.25, 0.25, 1], 1]);
    const stack = await writeTestFiles({
      "p.npy": encodeNpy(new Uint8Array(64), [4, 4, 4]),
      "p.ids.json": JSON.stringify({ by: "sentence", ids: [1, 2, 3, 1], no_target: [true, true, true, false] }),
    });
    await expect(run(join(stack, "p.npy"), truths)).rejects.toThrow(/several predictions of different content/);
  });

  it("of original size under a preset that compares at 480: the advice names --size original", async () => {
    await expect(run(await lines(...whole), truths, { preset: evaluationPresets.lavt })).rejects.toThrow(
      /save them at 480 × 480 .*--size original/,
    );
  });

  it("in several splits without --split: an error that names them; in one: that one", async () => {
    const splits = truths.map((truth, i) => ({ ...truth, split: i === 2 ? "testA" : "val" }));
    await expect(run(await lines(...whole), splits)).rejects.toThrow(
      /the splits testA, val; pick one or more with --split/,
    );
    const picked = await run(await lines(...whole), splits, { splits: ["testA"] });
    expect([picked.samples.length, picked.counts.unused]).toEqual([1, 2]);
    expect((await run(await lines(whole[2]!), splits)).splits).toEqual(["testA"]);
    await expect(run(await lines(...whole), splits, { splits: ["testB"] })).rejects.toThrow(
      /unknown split "testB"; the truth has testA, val/,
    );
  });

  it("scores a list of keys alone, and refuses keys that the truth lacks", async () => {
    const path = await lines(...whole);
    expect((await run(path, truths, { keys: new Set(["a/11/3"]) })).samples.length).toBe(1);
    await expect(run(path, truths, { keys: new Set(["a/11/4"]) })).rejects.toThrow(
      /1 keys of the list are not in the truth: a\/11\/4/,
    );
  });

  it("truths that come twice are dropped and counted", async () => {
    const result = await run(await lines(...whole), [...truths, truths[0]!]);
    expect([result.samples.length, result.counts.repeatedTruths]).toEqual([3, 1]);
  });
});

describe("masks at the edge", () => {
  it("empty, full and of one pixel, against a truth of one pixel, in 640 × 480", async () => {
    const big = (sentenceId: string, segmentations: Truth["segmentations"]): Truth =>
      truthOf({ refId: sentenceId, sentenceId, height: 480, width: 640, segmentations });
    const pixel = [polygons(box(639, 479, 1, 1))];
    const record = (id: string, count: number) => ({
      sentence_id: id,
      segmentation: { size: [480, 640], counts: rleToString(firstPixels(count, 480, 640)) },
    });
    const lastPixel = { sentence_id: "last", segmentation: { size: [480, 640], counts: [307199, 1] } };
    const path = await writeTestFiles({
      "p.jsonl": [record("empty", 0), record("full", 307200), lastPixel, record("first", 1), record("both", 0)]
        .map((line) => JSON.stringify(line))
        .join("\n"),
    });
    const all = [big("empty", pixel), big("full", pixel), big("last", pixel), big("first", pixel), big("both", [])];
    const result = await run(join(path, "p.jsonl"), all, { preset: evaluationPresets.cris });
    expect(result.samples.map(({ score }) => [score.intersection, score.union])).toEqual([
      [0, 1],
      [1, 307200],
      [1, 1],
      [0, 2],
      [0, 0],
    ]);
    expect(result.samples.at(-1)?.score.iou).toBe(0);
    expect((await run(join(path, "p.jsonl"), all)).samples.at(-1)?.score.iou).toBe(1);
  });
});
