import { readFileSync, writeFileSync } from "node:fs";
import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { smallPool } from "../../../test/small-pool.ts";
import { decodeNpy, encodeNpy } from "../../codecs/index.ts";
import { type Progress, silentProgress } from "../../io/index.ts";
import { CounterRandom, floatToHalf } from "../../kernels/index.ts";
import type { Pool } from "../../pool/index.ts";
import { openEmbeddings } from "../pool/index.ts";
import { type ImportVectorsOptions, importVectors } from "./index.ts";

let pool: Pool;
let folder = "";
let images: string[] = [];
let expressions: string[] = [];
const width = 5;

beforeAll(async () => {
  pool = await smallPool({ images: 6, refsPerImage: 1 });
  folder = join(pool.folder, "..", "given");
  await mkdir(folder);
  images = Array.from({ length: pool.images.count }, (_, row) => pool.imageName(row));
  expressions = Array.from({ length: pool.expressions.count }, (_, row) => pool.expressionKey(row));
});
afterAll(async () => {
  await pool.close();
  await rm(join(pool.folder, ".."), { recursive: true });
});

/** Vectors of length 1, each its key's own. */
function vectorOf(key: string): number[] {
  const random = new CounterRandom(3, key.length, key.charCodeAt(0), key.charCodeAt(key.length - 5));
  const numbers = Array.from({ length: width }, () => random.float() - 0.5);
  const length = Math.hypot(...numbers);
  return numbers.map((value) => value / length);
}

const matrix = (keys: readonly string[]): Float32Array => Float32Array.from(keys.flatMap(vectorOf));

function give(name: "images" | "expressions", keys: readonly string[], vectors = matrix(keys), columns = width): void {
  writeFileSync(join(folder, `${name}.txt`), keys.map((key) => `${key}\n`).join(""));
  writeFileSync(join(folder, `${name}.npy`), encodeNpy(vectors, [vectors.length / columns, columns]));
}

beforeEach(async () => {
  give("images", images);
  give("expressions", expressions);
  await rm(join(pool.folder, "embeddings"), { recursive: true, force: true });
});

const files = (name: string) => ({ vectors: join(folder, `${name}.npy`), keys: join(folder, `${name}.txt`) });
const options = (more: Partial<ImportVectorsOptions> = {}): ImportVectorsOptions => ({
  name: "ours",
  images: files("images"),
  expressions: files("expressions"),
  onBad: "fail",
  force: false,
  progress: silentProgress,
  ...more,
});
const stored = (name: string): Float32Array =>
  decodeNpy(readFileSync(join(pool.folder, "embeddings/ours", `${name}.npy`))).data as Float32Array;
const failure = (more?: Partial<ImportVectorsOptions>): Promise<unknown> =>
  importVectors(pool, options(more)).then(
    () => "imported",
    (error: Error) => error.message,
  );

describe("importVectors", () => {
  it("puts each vector at its key's row, whatever the order of the file and the kind of key", async () => {
    const mixed = images.map((name, row) => (row % 2 === 0 ? name : (pool.images.hash[row] ?? "")));
    const order = [3, 0, 5, 1, 4, 2];
    const vectors = Float32Array.from(order.flatMap((row) => vectorOf(images[row] ?? "")));
    give(
      "images",
      order.map((row) => mixed[row] ?? ""),
      vectors,
    );
    const backwards = [...expressions].reverse();
    give("expressions", backwards);
    const report = await importVectors(pool, options());
    expect(report).toMatchObject({ reused: false, dimension: width, images: { rows: 6, scaled: { count: 0 } } });
    for (const [name, keys] of [["images", images] as const, ["expressions", expressions] as const])
      for (const [at, value] of stored(name).entries()) expect(value).toBeCloseTo(matrix(keys)[at] ?? 0, 6);
    const opened = await openEmbeddings(pool, "ours");
    expect(opened).toMatchObject({ kind: "clip", model: "ours", skipped: [] });
    if (opened.kind === "clip") for (const side of [opened.images, opened.expressions]) await side.close();
    expect(await importVectors(pool, options())).toMatchObject({ reused: true });
  });

  it("takes a file's name without its folder where one image has it", async () => {
    const paths = pool.images.path.map((path) => `elsewhere/${path}`);
    const renamed = Object.assign(Object.create(pool) as Pool, { images: { ...pool.images, path: paths } });
    await expect(importVectors(renamed, options())).resolves.toMatchObject({ images: { rows: 6 } });
    const twice = Object.assign(Object.create(pool) as Pool, {
      images: { ...pool.images, path: paths.map((path, row) => (row < 2 ? `${row}/a.png` : path)) },
    });
    give("images", ["a.png", ...images.slice(1)]);
    await expect(importVectors(twice, options({ force: true }))).rejects.toThrow(
      'several images of this pool are called "a.png"',
    );
  });

  it("reads float16, and scales what is not of length 1, with how many and from where to where", async () => {
    const long = matrix(images).map((value, at) => value * (at < width ? 3 : at < 2 * width ? 0.5 : 1));
    give("images", images, long);
    writeFileSync(
      join(folder, "expressions.npy"),
      encodeNpy(floatToHalf(matrix(expressions)), [expressions.length, width], "float16"),
    );
    const { images: told, expressions: half } = await importVectors(pool, options());
    expect(told.scaled).toEqual({ count: 2, least: expect.closeTo(0.5, 5), most: expect.closeTo(3, 5) });
    expect(half.scaled.count).toBe(0);
    for (const values of [stored("images"), stored("expressions")])
      for (let row = 0; row < values.length; row += width)
        expect(Math.hypot(...values.slice(row, row + width))).toBeCloseTo(1, 6);
    for (const [at, value] of stored("expressions").entries())
      expect(value).toBeCloseTo(matrix(expressions)[at] ?? 0, 2);
  });

  it("passes over keys of another pool, with their number and the first", async () => {
    give("images", ["x.png", ...images, "y.png"]);
    const { images: told } = await importVectors(pool, options());
    expect(told.unknown).toEqual({ count: 2, first: "x.png" });
  });

  it("says what is wrong with keys, in one line, and writes nothing", async () => {
    const keys = (name: "images" | "expressions", text: string | Uint8Array) =>
      writeFile(join(folder, `${name}.txt`), text);
    const damages: [string, () => unknown, RegExp][] = [
      [
        "missing",
        () => give("images", images.slice(1)),
        /each of the pool's 6 images, found none for 1, such as "0\.png"; --on-bad/,
      ],
      ["doubled", () => give("images", [...images, "0.png"]), /got two for "0\.png": lines 1 and 7 of/],
      [
        "doubled by name and by content",
        () => give("images", [...images.slice(0, 5), pool.images.hash[0] ?? ""]),
        /got two for "0\.png": lines 1 and 6/,
      ],
      [
        "missing expression",
        () => give("expressions", expressions.slice(1)),
        /12 expressions, found none for 1, such as "small\//,
      ],
      ["doubled expression", () => give("expressions", [...expressions, expressions[3] ?? ""]), /got two for "small\//],
      [
        "swapped",
        () => keys("images", expressions.slice(0, 6).join("\n")),
        /of which none is.*"nemosaic keys" lists them/,
      ],
      ["one line short", () => keys("images", images.slice(1).join("\n")), /each of the 6 rows of .*, got 5/],
      [
        "an empty line",
        () => keys("images", `0.png\n\n${images.slice(2).join("\n")}`),
        /key in line 2 .*got an empty line/,
      ],
      ["not UTF-8", () => keys("images", Uint8Array.of(0xff, 0xfe, 0x41, 0)), /expected UTF-8 text/],
      ["no such file", () => rm(join(folder, "images.txt")), /expected a file of keys/],
      [
        "a folder",
        async () => {
          await rm(join(folder, "images.txt"));
          await mkdir(join(folder, "images.txt"));
        },
        /a file of keys/,
      ],
      [
        "of another case",
        () =>
          give(
            "images",
            images.map((name) => name.toUpperCase()),
          ),
        /of which none is/,
      ],
    ];
    for (const [name, damage, message] of damages) {
      give("images", images);
      give("expressions", expressions);
      await damage();
      expect(await failure(), name).toMatch(message);
      await rm(join(folder, "images.txt"), { recursive: true, force: true });
    }
    expect(await readdir(pool.folder)).not.toContain("embeddings");
  });

  it("takes keys with Windows line ends and without a last line end", async () => {
    writeFileSync(join(folder, "images.txt"), images.join("\r\n"));
    expect(await failure()).toBe("imported");
  });

  it("says what is wrong with vectors, in one line, with the key and the row", async () => {
    const changed = (at: number, value: number): Float32Array =>
      matrix(images).map((old, i) => (i === at ? value : old));
    const damages: [string, () => unknown, RegExp][] = [
      [
        "NaN",
        () => give("images", images, changed(width * 2, Number.NaN)),
        /"2\.png" \(row 2\) holds NaN or an infinity/,
      ],
      [
        "an infinity",
        () => give("images", images, changed(3, Number.POSITIVE_INFINITY)),
        /"0\.png" \(row 0\) holds NaN/,
      ],
      [
        "zeros",
        () => give("images", images, matrix(images).fill(0, width, 2 * width)),
        /"1\.png" \(row 1\) is all zeros/,
      ],
      [
        "another width",
        () => give("images", images, new Float32Array(24).fill(0.5), 4),
        /one width, got 4 in .* and 5 in/,
      ],
      [
        "double",
        () => writeFile(files("images").vectors, encodeNpy(new Float64Array(30), [6, 5])),
        /got float64: save array/,
      ],
      ["whole numbers", () => writeFile(files("images").vectors, encodeNpy(new Int32Array(30), [6, 5])), /got int32/],
      [
        "one axis",
        () => writeFile(files("images").vectors, encodeNpy(new Float32Array(30), [30])),
        /shape \[images, width\]/,
      ],
      [
        "no numbers",
        () => writeFile(files("images").vectors, encodeNpy(new Float32Array(0), [6, 0])),
        /shape \[images, width\]/,
      ],
      [
        "Fortran's order",
        () => {
          const text = readFileSync(files("images").vectors).toString("latin1").replace("False", "True ");
          writeFileSync(files("images").vectors, Buffer.from(text, "latin1"));
        },
        /fortran_order: save it with numpy\.ascontiguousarray/,
      ],
      [
        "cut short",
        () => writeFile(files("images").vectors, readFileSync(files("images").vectors).subarray(0, 200)),
        /cut short/,
      ],
      ["no .npy", () => writeFile(files("images").vectors, "vectors"), /no \.npy file/],
      ["gone", () => rm(files("images").vectors), /\.npy file/],
    ];
    for (const [name, damage, message] of damages) {
      give("images", images);
      await damage();
      expect(await failure(), name).toMatch(message);
    }
  });

  it("leaves images without a usable vector out of the candidates where they are to be skipped", async () => {
    give("images", images.slice(1), matrix(images.slice(1)).fill(0, 0, width));
    const report = await importVectors(pool, options({ onBad: "skip" }));
    expect(report.images.skipped).toEqual([
      { row: 0, name: "0.png", reason: "no vector was given" },
      { row: 1, name: "1.png", reason: "its vector is all zeros, which has no direction" },
    ]);
    const opened = await openEmbeddings(pool, "ours");
    expect(opened).toMatchObject({ skipped: [0, 1] });
    if (opened.kind === "clip") for (const side of [opened.images, opened.expressions]) await side.close();
  });

  it("replaces vectors of other files only when forced, and keeps them where the new ones are bad", async () => {
    await importVectors(pool, options());
    const before = stored("images");
    give(
      "images",
      images,
      matrix(images).map((value) => -value),
    );
    expect(await failure()).toMatch(/holds other vectors: use --force/);
    give("expressions", expressions, matrix(expressions).fill(Number.NaN, 0, 1));
    expect(await failure({ force: true })).toMatch(/holds NaN/);
    expect(stored("images")).toEqual(before);
    give("expressions", expressions);
    expect(await failure({ force: true })).toBe("imported");
    expect(stored("images")).not.toEqual(before);
  });

  it("goes on where it was killed, to the same bytes", async () => {
    await importVectors(pool, options());
    const whole = await bytes();
    await rm(join(pool.folder, "embeddings"), { recursive: true });
    const dying: Progress = {
      begin: (label) => ({
        ...silentProgress.begin(label, 0, ""),
        advance: () => {
          if (label === "import expressions") throw new Error("killed");
        },
      }),
    };
    await expect(importVectors(pool, options({ progress: dying }))).rejects.toThrow("killed");
    const work = join(pool.folder, "embeddings/ours/.partial-embeddings");
    expect(await readdir(work)).toEqual(expect.arrayContaining(["images.json", "images.npy", "images.journal"]));
    await copyFile(files("images").vectors, join(folder, "aside.npy"));
    expect(await failure()).toBe("imported");
    expect(await bytes()).toEqual(whole);
  });

  it("keeps several vectors an image where they are asked for, the first as the image's own", async () => {
    const keys = [...images, "2.png", "4.png", "2.png"];
    const vectors = matrix(keys);
    vectors.set([3, 0, 0, 0, 0], 6 * width); // the second of 2.png
    give("images", keys, vectors);
    expect(await failure()).toMatch(/got two for "2\.png"/);
    await importVectors(pool, options({ many: true }));
    for (const [at, value] of stored("images").entries()) expect(value).toBeCloseTo(matrix(images)[at] ?? 0, 6);
    const opened = await openEmbeddings(pool, "ours");
    if (opened.kind !== "clip" || opened.parts === undefined) throw new Error("expected several vectors an image");
    const { starts, vectors: parts } = opened.parts;
    expect([...starts]).toEqual([0, 1, 2, 5, 6, 8, 9]);
    const rows = [0, 1, 2, 6, 8, 3, 4, 7, 5].flatMap((row) => [...vectors.slice(row * width, (row + 1) * width)]);
    rows.splice(3 * width, width, 1, 0, 0, 0, 0);
    for (const [at, value] of (await parts.read(0, 9, new Float32Array(9 * width))).entries())
      expect(value).toBeCloseTo(rows[at] ?? 0, 6);
    for (const side of [opened.images, opened.expressions, parts]) await side.close();
    vectors.fill(Number.NaN, 8 * width, 8 * width + 1);
    give("images", keys, vectors);
    expect(await failure({ many: true, force: true })).toMatch(/"2\.png" \(row 8\) holds NaN/);
    // Zeros in its place would be the best of vectors that all point away.
    const report = await importVectors(pool, options({ many: true, force: true, onBad: "skip" }));
    expect([report.images.lostParts, report.images.skipped]).toEqual([1, []]);
    const { data } = decodeNpy(readFileSync(join(pool.folder, "embeddings/ours/image-parts.npy")));
    expect(data.slice(4 * width, 5 * width)).toEqual(data.slice(2 * width, 3 * width));
    give("images", images);
    await importVectors(pool, options({ force: true }));
    expect((await readdir(join(pool.folder, "embeddings/ours"))).sort()).toHaveLength(4);
  });

  it("keeps the identity that its maker states, so that the same model's vectors are the same embeddings", async () => {
    const about = { model: { id: "org/model", hash: "h" }, preprocessing: { size: 224 } };
    await importVectors(pool, options({ about }));
    const manifest = JSON.parse(readFileSync(join(pool.folder, "embeddings/ours/images.json"), "utf8")) as object;
    expect(manifest).toMatchObject({ ...about, kind: "images", dtype: "float32", made: "imported" });
    give(
      "images",
      images,
      matrix(images).map((value) => value * 1.001),
    );
    expect(await importVectors(pool, options({ about }))).toMatchObject({ reused: true });
    await expect(
      importVectors(pool, options({ about: { model: { id: "org/model", hash: "i" } } })),
    ).rejects.toMatchObject({
      code: "exists",
    });
  });
});

async function bytes(): Promise<Record<string, string>> {
  const place = join(pool.folder, "embeddings/ours");
  const names = (await readdir(place)).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(place, name), "base64")]));
}
