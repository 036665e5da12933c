import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { appendFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeImage, decodeNpy, encodeJpeg, encodePng } from "../../codecs/index.ts";
import { NemosaicError } from "../../model/index.ts";
import type { ImageTextModel } from "../clip/index.ts";
import { contents, folder, jpegs, model, options, prepareEmbedding, source, texts } from "./embed.contract.ts";
import { type EmbedOptions, embedSources, type ImageSource, mergeEmbeddings } from "./index.ts";

prepareEmbedding();

/** A model that ends the run, as a kill would, before its batch of that number. */
function dyingModel(part: "embedImages" | "embedTexts", atRun: number): ImageTextModel {
  let runs = 0;
  const die = (): void => {
    if (runs++ === atRun) throw new Error("killed");
  };
  return {
    ...model,
    embedImages: async (batch) => {
      if (part === "embedImages") die();
      return model.embedImages(batch);
    },
    embedTexts: async (some) => {
      if (part === "embedTexts") die();
      return model.embedTexts(some);
    },
  };
}

describe("embedSources", () => {
  it("writes one unit row an image and a text, equal rows for equal texts", async () => {
    let textsRun = 0;
    const counting = {
      ...model,
      embedTexts: (some: readonly string[]) => {
        textsRun += some.length;
        return model.embedTexts(some);
      },
    };
    const report = await embedSources(options({ model: counting }));
    expect(report).toMatchObject({ distinctTexts: 5, images: { rows: 11, reused: 0 }, expressions: { rows: 7 } });
    expect(textsRun).toBe(5);
    const images = decodeNpy(readFileSync(join(folder, "vectors/images.npy")));
    const expressions = decodeNpy(readFileSync(join(folder, "vectors/expressions.npy")));
    expect(images.shape).toEqual([11, model.dimension]);
    expect(expressions.shape).toEqual([7, model.dimension]);
    const row = (i: number): number[] => [
      ...(expressions.data as Float32Array).slice(i * model.dimension, (i + 1) * model.dimension),
    ];
    expect(row(0)).toEqual(row(2));
    expect(row(1)).toEqual(row(6));
    const direct = await model.embedTexts(["a green apple"]);
    for (let k = 0; k < model.dimension; k++) expect(row(3)[k]).toBeCloseTo(direct[k]!, 6);
    expect(Math.hypot(...row(5))).toBeCloseTo(1, 6);
    const manifest = JSON.parse(readFileSync(join(folder, "vectors/images.json"), "utf8")) as Record<string, unknown>;
    expect(manifest).toMatchObject({
      format: "nemosaic-embeddings",
      version: 1,
      kind: "images",
      model: { id: "model", hash: model.hash },
      dimension: model.dimension,
      dtype: "float32",
      count: 11,
      skipped: [],
    });
    expect(readdirSync(join(folder, "vectors"))).toEqual([
      "expressions.json",
      "expressions.npy",
      "images.json",
      "images.npy",
    ]);
  });

  it.each([
    ["embedImages", 0],
    ["embedImages", 2],
    ["embedTexts", 0],
    ["embedTexts", 1],
  ] as const)("killed in %s before batch %i, goes on to the same bytes", async (part, atRun) => {
    await embedSources(options({ folder: join(folder, "whole") }));
    await expect(embedSources(options({ model: dyingModel(part, atRun) }))).rejects.toThrow("killed");
    const matrix = part === "embedImages" ? "images" : "expressions";
    const journal = join(folder, "vectors", ".partial-embeddings", `${matrix}.journal`);
    expect(await readdir(join(folder, "vectors"))).toEqual([".partial-embeddings"]);
    await appendFile(journal, '{"rows":3,"ski'); // the line that a kill cuts short
    const report = await embedSources(options());
    const resumed = part === "embedImages" ? report.images : report.expressions;
    expect(resumed.reused).toBe(atRun * (part === "embedImages" ? 3 : 2));
    expect(await contents(join(folder, "vectors"))).toEqual(await contents(join(folder, "whole")));
  });

  it("starts over where the left-over batches are of other inputs, or the disk lost them", async () => {
    await expect(embedSources(options({ model: dyingModel("embedImages", 2) }))).rejects.toThrow("killed");
    const fewer = await embedSources(options({ images: source(jpegs.slice(1)) }));
    expect(fewer.images).toMatchObject({ rows: 10, reused: 0 });
    const lost = join(folder, "lost");
    await expect(embedSources(options({ folder: lost, model: dyingModel("embedImages", 2) }))).rejects.toThrow(
      "killed",
    );
    writeFileSync(join(lost, ".partial-embeddings", "images.npy"), "");
    expect((await embedSources(options({ folder: lost }))).images.reused).toBe(0);
  });

  it("reuses finished vectors, and replaces those of other inputs only when forced", async () => {
    await embedSources(options());
    const never = {
      ...model,
      embedImages: () => Promise.reject(new Error("ran")),
      embedTexts: () => Promise.reject(new Error("ran")),
    };
    expect((await embedSources(options({ model: never }))).images.reused).toBe(11);
    const other = options({ texts: ["other"] });
    await expect(embedSources(other)).rejects.toMatchObject({ code: "exists" });
    expect((await embedSources({ ...other, force: true })).expressions).toMatchObject({ rows: 1, reused: 0 });
  });

  it("with force makes all anew, and leaves the finished vectors usable where it fails, in either matrix", async () => {
    await embedSources(options());
    const place = join(folder, "vectors");
    const before = await contents(place);
    const finished = Object.keys(before);
    const fails = [
      options({ force: true, model: dyingModel("embedImages", 1) }),
      options({ force: true, model: dyingModel("embedTexts", 1) }),
      options({ force: true, texts: ["other", "texts"], imageBatch: 2, model: dyingModel("embedTexts", 0) }),
    ];
    for (const failing of fails) {
      await expect(embedSources(failing)).rejects.toThrow("killed");
      const after = await Promise.all(finished.map((name) => readFile(join(place, name), "base64")));
      expect(after).toEqual(Object.values(before));
      expect((await embedSources(options())).images.reused).toBe(11); // still of use
    }
    let runs = 0;
    const embedImages: ImageTextModel["embedImages"] = (batch) => {
      runs++;
      return model.embedImages(batch);
    };
    const counting: ImageTextModel = { ...model, embedImages };
    const again = await embedSources(options({ force: true, model: counting }));
    expect([again.images.reused, again.expressions.reused, runs]).toEqual([0, 0, 4]);
    expect(await contents(place)).toEqual(before);
  });

  it("ends with the corrupt image's name, or skips it with a row of zeros in the list", async () => {
    const bad = [...jpegs];
    bad[4] = new TextEncoder().encode("no image at all");
    bad[9] = jpegs[9]!.slice(0, 300);
    await expect(embedSources(options({ images: source(bad) }))).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("image-4.jpg"),
    });
    const missing = source(bad);
    const images: ImageSource = {
      ...missing,
      load: (row) => (row === 6 ? Promise.reject(new NemosaicError("not-found", "no image-6.jpg")) : missing.load(row)),
    };
    const report = await embedSources(options({ images, onBad: "skip", force: true }));
    expect(report.images.skipped.map(({ row, name }) => [row, name])).toEqual([
      [4, "image-4.jpg"],
      [6, "image-6.jpg"],
      [9, "image-9.jpg"],
    ]);
    const { data } = decodeNpy(readFileSync(join(folder, "vectors/images.npy")));
    const length = (row: number): number =>
      Math.hypot(...(data as Float32Array).slice(row * model.dimension, (row + 1) * model.dimension));
    expect([3, 4, 5, 6, 9, 10].map((row) => Math.round(length(row)))).toEqual([1, 0, 1, 0, 0, 1]);
    const manifest = JSON.parse(readFileSync(join(folder, "vectors/images.json"), "utf8")) as { skipped: unknown[] };
    expect(manifest.skipped).toHaveLength(3);
  });

  it("lets an error that is not the image's own end the run even when bad images are skipped", async () => {
    const images: ImageSource = { ...source(), load: () => Promise.reject(new NemosaicError("io", "disk on fire")) };
    await expect(embedSources(options({ images, onBad: "skip" }))).rejects.toThrow("disk on fire");
  });

  it("decodes fast on request to nearly the same vectors, and never mistakes them for exact ones", async () => {
    const data = Uint8Array.from({ length: 480 * 360 * 3 }, (_v, at) => 128 + 100 * Math.sin(at / 5000) + (at % 3) * 9);
    const images = source([await encodeJpeg({ width: 480, height: 360, channels: 3, data }, 90)]);
    const vectors = async (): Promise<Float32Array> =>
      decodeNpy(readFileSync(join(folder, "vectors/images.npy"))).data as Float32Array;
    await embedSources(options({ images }));
    const exact = await vectors();
    await expect(embedSources(options({ images, decode: "fast" }))).rejects.toMatchObject({ code: "exists" });
    await embedSources(options({ images, decode: "fast", force: true }));
    const fast = await vectors();
    expect(fast).not.toEqual(exact);
    expect(exact.reduce((sum, value, k) => sum + value * fast[k]!, 0)).toBeGreaterThan(0.999);
  });

  it("merges shards to the bytes of one run, and keeps finished vectors where a part is damaged or of other inputs", async () => {
    const whole = join(folder, "whole");
    await embedSources(options({ folder: whole }));
    const shards = async (more: Partial<EmbedOptions> = {}): Promise<void> => {
      for (const index of [0, 1]) await embedSources(options({ ...more, shard: { index, count: 2 } }));
    };
    const place = join(folder, "vectors");
    const part = join(place, "parts", "1-of-2");
    await shards();
    expect(await mergeEmbeddings(place, texts, { force: false })).toBe(true);
    expect(await contents(place)).toEqual(await contents(whole));

    await shards();
    const rows = await readFile(join(part, "images.npy"));
    await appendFile(join(part, "images.npy"), "x");
    await expect(mergeEmbeddings(place, texts, { force: true })).rejects.toMatchObject({ code: "checksum" });
    writeFileSync(join(part, "images.npy"), rows);
    const json = await readFile(join(part, "expressions.json"), "utf8");
    for (const [content, why] of [
      [json.slice(0, 40), /no JSON, or cut short/],
      [json.replace('"batch": 2', '"batch": 3'), /expected the hash of its settings for key/],
      [json.replace(/"rows": \[[^\]]*\]/, '"rows": 5'), /expected a list for rows, got 5/],
    ] as const) {
      expect(content).not.toBe(json);
      writeFileSync(join(part, "expressions.json"), content);
      await expect(mergeEmbeddings(place, texts, { force: false })).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(why),
      });
    }
    const finished = ["expressions.json", "expressions.npy", "images.json", "images.npy"];
    const kept = (all: Record<string, string>) => Object.fromEntries(finished.map((name) => [name, all[name]]));
    rmSync(join(place, "parts"), { recursive: true });
    expect(await contents(place)).toEqual(await contents(whole));

    await shards({ decode: "fast" });
    await expect(mergeEmbeddings(place, texts, { force: false })).rejects.toMatchObject({ code: "exists" });
    rmSync(join(folder, "aside"), { recursive: true, force: true });
    renameSync(join(place, "parts"), join(folder, "aside"));
    expect(kept(await contents(place))).toEqual(await contents(whole));
    renameSync(join(folder, "aside"), join(place, "parts"));
    expect(await mergeEmbeddings(place, texts, { force: true })).toBe(true);
    expect(kept(await contents(place))).not.toEqual(await contents(whole));
  });

  describe("with crops", () => {
    // Three vectors of each image, two of every third; batches of three rows cut through images.
    const starts = new Int32Array(12);
    const boxes: number[] = [];
    for (let image = 0; image < 11; image++) {
      const own = [[0, 0, 80, 60], [5, 7, 32, 40], ...(image % 3 === 2 ? [] : [[48, 28, 32, 32]])];
      starts[image + 1] = starts[image]! + own.length;
      boxes.push(...own.flat());
    }
    const crops = { of: "objects", hash: "b", starts, boxes: Int32Array.from(boxes) };
    const cropped = (bytes: readonly Uint8Array[] = jpegs): ImageSource => ({ ...source(bytes), crops });
    const rows = starts[11]!;

    it("writes a vector for each, the whole image's as its own, and gives the pixels of the crop alone", async () => {
      await embedSources(options({ images: cropped() }));
      const at = (file: string) => decodeNpy(readFileSync(join(folder, "vectors", file)));
      const [parts, images] = [at("image-parts.npy"), at("images.npy")];
      expect([parts.shape, images.shape]).toEqual([
        [rows, model.dimension],
        [11, model.dimension],
      ]);
      expect([...at("image-part-starts.npy").data]).toEqual([...starts]);
      const vector = (data: unknown, row: number) =>
        (data as Float32Array).subarray(row * model.dimension, (row + 1) * model.dimension);
      for (let image = 0; image < 11; image++)
        expect(vector(images.data, image)).toEqual(vector(parts.data, starts[image]!));
      const { data } = await decodeImage(jpegs[4]!, { where: "4" });
      const cut = Uint8Array.from({ length: 32 * 40 * 3 }, (_, i) => {
        const [x, y] = [Math.floor(i / 3) % 32, Math.floor(i / 96)];
        return data[((y + 7) * 80 + x + 5) * 3 + (i % 3)]!;
      });
      const alone = join(folder, "alone");
      const png = await encodePng({ width: 32, height: 40, channels: 3, data: cut });
      await embedSources(options({ folder: alone, images: source([png]) }));
      const only = decodeNpy(readFileSync(join(alone, "images.npy"))).data as Float32Array;
      for (const [k, value] of vector(parts.data, starts[4]! + 1).entries()) expect(only[k]).toBeCloseTo(value, 5);
      const manifest = JSON.parse(readFileSync(join(folder, "vectors/images.json"), "utf8")) as object;
      expect(manifest).toMatchObject({ crops: { of: "objects", boxes: "b" }, parts: { rows, hash: "b" }, count: 11 });
    });

    it("goes on after a kill, and merges shards, to the bytes of one run", async () => {
      const whole = join(folder, "whole");
      await embedSources(options({ folder: whole, images: cropped() }));
      const dying = options({ images: cropped(), model: dyingModel("embedImages", 4) });
      await expect(embedSources(dying)).rejects.toThrow("killed");
      expect((await embedSources(options({ images: cropped() }))).images.reused).toBe(12);
      expect(await contents(join(folder, "vectors"))).toEqual(await contents(whole));
      await rm(join(folder, "vectors"), { recursive: true });
      for (const index of [0, 1, 2]) await embedSources(options({ images: cropped(), shard: { index, count: 3 } }));
      const place = join(folder, "vectors");
      const other = { force: false, cropsOf: async () => ({ ...crops, hash: "other" }) };
      await expect(mergeEmbeddings(place, texts, other)).rejects.toThrow("from before the pool changed");
      expect(await mergeEmbeddings(place, texts, { force: false, cropsOf: async () => crops })).toBe(true);
      expect(await contents(place)).toEqual(await contents(whole));
    });

    it("leaves all rows of a bad image zero and lists it once; one of another size is bad", async () => {
      const bad = [...jpegs];
      bad[1] = new TextEncoder().encode("no image at all");
      bad[7] = await encodeJpeg({ width: 81, height: 60, channels: 3, data: new Uint8Array(81 * 60 * 3) }, 90);
      await expect(embedSources(options({ images: cropped(bad) }))).rejects.toThrow("image-1.jpg");
      const { images } = await embedSources(options({ images: cropped(bad), onBad: "skip", force: true }));
      expect(images.skipped.map(({ row }) => row)).toEqual([1, 7]);
      expect(images.skipped[1]?.reason).toContain('expected 80×60 pixels in "image-7.jpg"');
      const { data } = decodeNpy(readFileSync(join(folder, "vectors/image-parts.npy")));
      const zero = Array.from({ length: rows }, (_, row) => row).filter((row) =>
        (data as Float32Array).subarray(row * model.dimension, (row + 1) * model.dimension).every((x) => x === 0),
      );
      expect(zero).toEqual([3, 4, 5, starts[7]!, starts[7]! + 1, starts[7]! + 2]);
    });

    it("is replaced whole by vectors without crops, and the other way, only when forced", async () => {
      await embedSources(options({ images: cropped() }));
      await expect(embedSources(options())).rejects.toMatchObject({ code: "exists" });
      await embedSources(options({ force: true }));
      expect(await readdir(join(folder, "vectors"))).toEqual([
        "expressions.json",
        "expressions.npy",
        "images.json",
        "images.npy",
      ]);
      await expect(embedSources(options({ images: cropped(), decode: "fast" }))).rejects.toThrow('decode "exact"');
    });
  });

  it("takes no images and no texts", async () => {
    await embedSources(options({ images: source([]), texts: [] }));
    expect(decodeNpy(readFileSync(join(folder, "vectors/images.npy"))).shape).toEqual([0, model.dimension]);
    expect(decodeNpy(readFileSync(join(folder, "vectors/expressions.npy"))).shape).toEqual([0, model.dimension]);
  });
});
