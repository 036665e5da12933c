import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeNpy } from "../codecs/index.ts";
import {
  full,
  fullRle,
  greyPng,
  ious,
  run,
  square,
  squareLevels,
  squareRle,
  truths,
  writeTestFiles,
} from "./made-files.contract.ts";
import { box, polygons, truthOf } from "./made-samples.contract.ts";
import { evaluationPresets } from "./presets.ts";

describe("a folder of masks", () => {
  it("is read by sentence id, as PNG of 1, 8 and 16 bits and as NPY", async () => {
    const npy = encodeNpy(Float32Array.from(full(0.9)), [4, 4]);
    for (const [bits, on] of [
      [1, 1],
      [8, 255],
      [16, 65535],
    ] as const) {
      const path = await writeTestFiles({
        "1.png": greyPng(squareLevels(on), 4, bits),
        "2.png": greyPng(full(0), 4, bits),
        "3.npy": npy,
      });
      expect(ious(await run(path, truths))).toEqual([1, 0, 1]);
    }
  });

  it("is read by ref id, one mask for all sentences", async () => {
    const path = await writeTestFiles({
      "10.png": greyPng(squareLevels(255), 4, 8),
      "11.png": greyPng(squareLevels(255), 4, 8),
    });
    const result = await run(path, truths);
    expect([ious(result), result.idsRead]).toEqual([[1, 1, 0.25], "ref"]);
  });

  it("is read by key and by source/id, and lists files of other kinds", async () => {
    const path = await writeTestFiles({
      "a/10/1.png": greyPng(squareLevels(255), 4, 8),
      "a/2.png": greyPng(squareLevels(255), 4, 8),
      "a/11/3.png": greyPng(full(255), 4, 8),
      "notes.txt": "none",
    });
    const result = await run(path, truths);
    expect([ious(result), result.counts.ignoredFiles]).toEqual([[1, 1, 1], 1]);
  });

  it("takes decisions from no_target.json, with or without a mask", async () => {
    const path = await writeTestFiles({
      "1.png": greyPng(squareLevels(255), 4, 8),
      "2.png": greyPng(squareLevels(255), 4, 8),
      "no_target.json": JSON.stringify({ 1: true, 2: false, 3: true }),
    });
    const result = await run(path, truths, { preset: { ...evaluationPresets.rela, size: { at: "original" } } });
    expect(result.samples.map(({ score }) => [score.iou, score.union, score.predictedNoTarget])).toEqual([
      [0, 4, true],
      [1, 4, false],
      [0, 16, true],
    ]);
  });

  it("refuses an id that two sources share, and says how to name files", async () => {
    const both = [...truths, truthOf({ source: "b", refId: "12", sentenceId: "1", segmentations: square })];
    const path = await writeTestFiles({ "1.png": greyPng(squareLevels(255), 4, 8) });
    await expect(run(path, both)).rejects.toThrow(
      /several sources share \(a, b\): 1\.png; name them source\/ref\/sentence or source\/id/,
    );
  });

  it("refuses ids that fit sentences as well as refs, until told", async () => {
    // Ref 1 has sentence 2, ref 2 has sentence 1: files 1 and 2 can be either.
    const twins = [
      truthOf({ refId: "1", sentenceId: "2", segmentations: square }),
      truthOf({ refId: "2", sentenceId: "1", segmentations: [polygons(box(0, 0, 4, 4))] }),
    ];
    const path = await writeTestFiles({ "1.png": greyPng(squareLevels(255), 4, 8), "2.png": greyPng(full(255), 4, 8) });
    await expect(run(path, twins)).rejects.toThrow(
      /fit sentences as well as refs; say which with --ids-are sentence or ref/,
    );
    expect(ious(await run(path, twins, { ids: "ref" }))).toEqual([1, 1]);
    expect(ious(await run(path, twins, { ids: "sentence" }))).toEqual([0.25, 0.25]);
  });

  it("refuses a broken PNG with its name", async () => {
    const path = await writeTestFiles({ "1.png": "not a png", "2.png": "", "3.png": "" });
    await expect(run(path, truths)).rejects.toThrow(/1\.png/);
  });
});

describe("levels of PNG and NPY", () => {
  const one = [truths[2]!];
  it("are probabilities where any file holds more than a mask does: 128 of 255 is over a half, 127 is not", async () => {
    const levels = full(127).map((level, i) => (i < 4 ? 128 : level));
    expect(ious(await run(await writeTestFiles({ "3.png": greyPng(levels, 4, 8) }), one))).toEqual([0.25]);
    const deep = full(32767).map((level, i) => (i < 8 ? 32768 : level));
    expect(ious(await run(await writeTestFiles({ "3.png": greyPng(deep, 4, 16) }), one))).toEqual([0.5]);
  });

  it("of 0 and 1 only are masks, unless another file is a probability map", async () => {
    const ones = await run(await writeTestFiles({ "3.png": greyPng(squareLevels(1), 4, 8) }), one);
    expect([ious(ones), ones.levelsRead]).toEqual([[0.25], "masks"]);
    const path = await writeTestFiles({
      "1.png": greyPng(squareLevels(200), 4, 8),
      "2.png": greyPng(squareLevels(255), 4, 8),
      "3.png": greyPng(squareLevels(1), 4, 8),
    });
    const mixed = await run(path, truths);
    expect([ious(mixed), mixed.levelsRead]).toEqual([[1, 1, 0], "probabilities"]);
  });

  it("of 0, 1 and 255 in one file are probabilities: 1 of 255 is no mask", async () => {
    const levels = full(0).map((_, i) => (i < 4 ? 255 : 1));
    const result = await run(await writeTestFiles({ "3.png": greyPng(levels, 4, 8) }), one);
    expect([ious(result), result.levelsRead]).toEqual([[0.25], "probabilities"]);
    const path = await writeTestFiles({
      "1.png": greyPng(squareLevels(1), 4, 8),
      "2.png": greyPng(squareLevels(1), 4, 8),
      "3.png": greyPng(levels, 4, 8),
    });
    expect(ious(await run(path, truths))).toEqual([0, 0, 0.25]);
  });

  it("of 0 and 1 beside 0 and 255 cannot be told, and are asked for", async () => {
    const path = await writeTestFiles({
      "1.png": greyPng(squareLevels(255), 4, 8),
      "2.png": greyPng(squareLevels(255), 4, 8),
      "3.png": greyPng(squareLevels(1), 4, 8),
    });
    await expect(run(path, truths)).rejects.toThrow(/a\/11\/3; say what they are with --values masks or probabilities/);
    expect(ious(await run(path, truths, { levels: "masks" }))).toEqual([1, 1, 0.25]);
    expect(ious(await run(path, truths, { levels: "probabilities" }))).toEqual([1, 1, 0]);
  });

  it("of float arrays must be probabilities: logits are refused with a hint", async () => {
    const path = await writeTestFiles({ "3.npy": encodeNpy(Float32Array.from(full(4.2)), [4, 4]) });
    await expect(run(path, one)).rejects.toThrow(
      /expected probabilities of 0 … 1, got 4\.19.* at pixel 0; apply the sigmoid/,
    );
  });

  it("are cut by the preset's rule at exactly a half: gsva takes it, the others do not", async () => {
    const path = await writeTestFiles({ "3.npy": encodeNpy(Float64Array.from(full(0.5)), [4, 4]) });
    for (const name of ["cgformer", "lisa"] as const)
      expect(ious(await run(path, one, { preset: evaluationPresets[name] }))).toEqual([0]);
    expect(ious(await run(path, one, { preset: evaluationPresets.gsva, emptyBelowPx: 0 }))).toEqual([1]);
  });
});

describe("thresholds at the edge", () => {
  it("are rounded to the array's own type, as NumPy and PyTorch compare", async () => {
    const one = [truths[2]!];
    const half = Uint16Array.from(full(0x399a)); // the float16 nearest to 0.7
    const files = {
      float32: encodeNpy(Float32Array.from(full(0.1)), [4, 4]),
      float16: encodeNpy(half, [4, 4], "float16"),
      float64: encodeNpy(Float64Array.from(full(0.1)), [4, 4]),
    };
    const cut = async (npy: Uint8Array, value: number, inclusive: boolean): Promise<number> => {
      const preset = { ...evaluationPresets.cgformer, threshold: { value, inclusive } };
      const [iou = Number.NaN] = ious(await run(await writeTestFiles({ "3.npy": npy }), one, { preset }));
      return iou;
    };
    // float32(0.1) is more than 0.1 and float16(0.7) more than 0.7: neither is over its threshold, both reach it.
    expect([await cut(files.float32, 0.1, false), await cut(files.float32, 0.1, true)]).toEqual([0, 1]);
    expect([await cut(files.float16, 0.7, false), await cut(files.float16, 0.7, true)]).toEqual([0, 1]);
    expect([await cut(files.float64, 0.1, false), await cut(files.float64, 0.1, true)]).toEqual([0, 1]);
  });
});

describe("a column-major NPY file", () => {
  it("is read as NumPy reads it: what pycocotools decodes is saved so", async () => {
    const columns = [1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]; // three columns of two pixels
    const bytes = Buffer.from(encodeNpy(Uint8Array.from(columns), [4, 4]));
    const order = bytes.indexOf("False");
    bytes.write("True ", order, "latin1");
    const path = await writeTestFiles({ "1.npy": bytes, "2.npy": bytes, "3.npy": bytes });
    const result = await run(path, truths);
    expect(result.samples.map(({ score }) => [score.intersection, score.union])).toEqual([
      [4, 6],
      [4, 6],
      [6, 16],
    ]);
    const mask = await result.samples[0]!.predicted();
    expect([...mask.counts]).toEqual([0, 2, 2, 2, 2, 2, 6]);
  });
});

describe("COCO run lengths", () => {
  it('are read as JSONL, as a list, and under "predictions", by every kind of id', async () => {
    const records = [
      { key: "a/10/1", segmentation: squareRle, score: 0.9 },
      { sentence_id: 2, segmentation: { size: [4, 4], counts: [0, 2, 2, 2, 10] } },
      { ref_id: "11", source: "a", segmentation: fullRle },
    ];
    const path = await writeTestFiles({
      "p.jsonl": records.map((record) => `${JSON.stringify(record)}\r\n`).join("\r\n"),
      "list.json": JSON.stringify(records),
      "object.json": JSON.stringify({ predictions: records }),
    });
    for (const name of ["p.jsonl", "list.json", "object.json"])
      expect(ious(await run(join(path, name), truths))).toEqual([1, 1, 1]);
  });

  it("of a file without a record are refused", async () => {
    const path = await writeTestFiles({ "p.json": `{"other":[]}`, "q.json": "[]", "r.jsonl": "\n\n" });
    for (const name of ["p.json", "q.json", "r.jsonl"]) {
      await expect(run(join(path, name), truths)).rejects.toThrow(/expected a list of records, or one under/);
    }
  });

  it("prefer a sentence's own mask to its ref's", async () => {
    const lines = [
      { ref_id: 10, segmentation: fullRle },
      { sentence_id: 2, segmentation: squareRle },
      { sentence_id: 3, segmentation: fullRle },
    ];
    const path = await writeTestFiles({ "p.jsonl": lines.map((line) => JSON.stringify(line)).join("\n") });
    expect(ious(await run(join(path, "p.jsonl"), truths))).toEqual([0.25, 1, 1]);
  });

  it("may lack a mask only where there is no target", async () => {
    const path = await writeTestFiles({ "p.jsonl": `{"sentence_id":1,"no_target":true}\n{"sentence_id":2}` });
    await expect(run(join(path, "p.jsonl"), truths)).rejects.toThrow(
      /p\.jsonl:2: expected "segmentation", which only a record with "no_target": true may lack/,
    );
  });

  it.each([
    ["{", /expected JSON in line 1 of ".*p\.jsonl"/],
    ["[1]", /p\.jsonl:1: expected a record/],
    [`{"segmentation":{}}`, /expected one of "key", "sentence_id", "ref_id" or "id"/],
    [`{"sentence_id":1.5,"segmentation":{}}`, /expected "sentence_id" to be text or a whole number, got 1\.5/],
    [`{"sentence_id":1,"no_target":1,"segmentation":{}}`, /expected "no_target" to be true or false/],
    [`{"sentence_id":1,"segmentation":[[0,0,1,0,1,1]]}`, /expected "segmentation" to be run lengths/],
    [`{"sentence_id":1,"segmentation":{"size":[4],"counts":""}}`, /expected "size" to be \[height, width\]/],
    [
      `{"sentence_id":1,"segmentation":{"size":[4,4],"counts":[1,2]}}`,
      /p\.jsonl:1: run lengths of a 4 × 4 mask must add up to 16, got 3/,
    ],
    [
      `{"sentence_id":1,"segmentation":{"size":[4,4],"counts":"b'00'"}}`,
      /p\.jsonl:1: expected "counts" to be text, got Python's bytes printed: write counts\.decode\(\)/,
    ],
    [
      `{"sentence_id":1,"segmentation":{"size":[4,4],"counts":"~"}}`,
      /p\.jsonl:1: run lengths hold a character outside/,
    ],
  ])("of a damaged record %s are refused with the line", async (line, message) => {
    const path = await writeTestFiles({ "p.jsonl": line });
    await expect(run(join(path, "p.jsonl"), [truths[0]!])).rejects.toThrow(message);
  });
});

describe("a stack of masks", () => {
  it("is read with the ids beside it, in every dtype of masks and probabilities", async () => {
    const planes = [...squareLevels(1), ...full(0), ...full(1)];
    const half = Uint16Array.from(planes, (level) => (level === 0 ? 0 : 0x3c00));
    const arrays = [
      encodeNpy(Uint8Array.from(planes), [3, 4, 4], "bool"),
      encodeNpy(
        Uint8Array.from(planes, (level) => level * 255),
        [3, 4, 4],
      ),
      encodeNpy(
        Uint16Array.from(planes, (level) => level * 65535),
        [3, 4, 4],
      ),
      encodeNpy(BigInt64Array.from(planes.map(BigInt)), [3, 4, 4]),
      encodeNpy(Float64Array.from(planes), [3, 4, 4]),
      encodeNpy(half, [3, 4, 4], "float16"),
    ];
    for (const array of arrays) {
      const path = await writeTestFiles({
        "p.npy": array,
        "p.ids.json": JSON.stringify({ by: "sentence", ids: [1, 2, "a/3"] }),
      });
      expect(ious(await run(join(path, "p.npy"), truths))).toEqual([1, 0, 1]);
    }
  });

  it("asks for ids, as many as masks", async () => {
    const stack = encodeNpy(new Uint8Array(48), [3, 4, 4]);
    const path = await writeTestFiles({
      "p.npy": stack,
      "ids.txt": "1\n2\n",
      "flat.npy": encodeNpy(new Uint8Array(4), [4]),
      "flat.ids.txt": "1",
    });
    await expect(run(join(path, "p.npy"), truths)).rejects.toThrow(
      /expected the ids of .*p\.npy in .*p\.ids\.json or .*p\.ids\.txt/,
    );
    await expect(run(join(path, "p.npy"), truths, {}, join(path, "ids.txt"))).rejects.toThrow(
      /expected 3 ids, one a mask of .*, got 2/,
    );
    await expect(run(join(path, "flat.npy"), truths)).rejects.toThrow(
      /expected a stack of shape \[n, height, width\], got \[4\]/,
    );
  });
});
