import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodePng } from "../src/codecs/index.ts";
import { type Shard, silentProgress } from "../src/io/index.ts";
import { CounterRandom } from "../src/kernels/index.ts";
import { minePool, mineRisk, type Rank, type Scorer } from "../src/mining/index.ts";
import type { DatasetRecord } from "../src/model/index.ts";
import { importPool, Mined, Pool, type RecordSource } from "../src/pool/index.ts";

export interface SmallPoolOptions {
  readonly images?: number;
  /** Refs per image; each has two sentences. */
  readonly refsPerImage?: number;
  /** Which images are of split val instead of train: the last ones. */
  readonly valImages?: number;
  /** The category of an image's targets; default one of three. */
  readonly categoryOf?: (image: number) => string;
  /** The sentences of a ref. */
  readonly sentencesOf?: (image: number, ref: number) => readonly [string, string];
  /** Categories of further objects that no sentence is about. */
  readonly bystandersOf?: (image: number) => readonly string[];
}

/** A folder that the operating system clears away. */
export function scratchFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "nemosaic-test-"));
}

/** A dataset of small pictures, each of its own colour and size, with a polygon, an RLE-free box and two sentences a ref. */
export async function smallSource(folder: string, options: SmallPoolOptions = {}): Promise<RecordSource> {
  const { images = 12, refsPerImage = 2, valImages = 2 } = options;
  const { categoryOf = (image) => `kind${image % 3}`, bystandersOf = () => [], sentencesOf } = options;
  const imagesFolder = join(folder, "images");
  await mkdir(imagesFolder, { recursive: true });
  const sizeOf = (image: number): [number, number] => [40 + image, 30 + ((image * 7) % 20)];
  for (let image = 0; image < images; image++) {
    const [width, height] = sizeOf(image);
    const random = new CounterRandom(1, 2, image, 3);
    const data = Uint8Array.from({ length: width * height * 3 }, () => random.below(256));
    await writeFile(join(imagesFolder, `${image}.png`), await encodePng({ width, height, channels: 3, data }));
  }
  async function* records(): AsyncGenerator<DatasetRecord> {
    for (let image = 0; image < images; image++) {
      const [width, height] = sizeOf(image);
      const imageId = `im${image}`;
      yield { type: "image", id: imageId, file: `${image}.png`, width, height };
      for (let ref = 0; ref < refsPerImage; ref++) {
        const id = `${image}-${ref}`;
        const [row, round] = [ref % 6, Math.floor(ref / 6)]; // all of them inside the smallest image
        const [x, y] = [3 + row * 5 - round, 4 + row * 3];
        const parts = [[x, y, x + 12, y + 1, x + 11.5, y + 10, x + 1, y + 9.25]];
        yield {
          type: "annotation",
          id: `a${id}`,
          imageId,
          category: categoryOf(image),
          segmentation: { kind: "polygons", parts },
          isCrowd: false,
        };
        yield {
          type: "ref",
          id: `r${id}`,
          imageId,
          annotationIds: [`a${id}`],
          split: image >= images - valImages ? "val" : "train",
        };
        const said = sentencesOf?.(image, ref);
        for (const [at, sentence] of ["a", "b"].entries()) {
          yield {
            type: "expression",
            id: `${id}${sentence}`,
            refId: `r${id}`,
            raw: said?.[at] ?? `Thing ${id} ${sentence}`,
            sent: said?.[at] ?? `thing ${id} ${sentence}`,
          };
        }
      }
      for (const [at, category] of bystandersOf(image).entries())
        yield {
          type: "annotation",
          id: `by${image}-${at}`,
          imageId,
          category,
          segmentation: { kind: "polygons", parts: [[20, 20, 30, 20, 30, 28, 20, 28]] },
          isCrowd: false,
        };
    }
  }
  return { format: "test", name: "small", imagesFolder, files: [], warnings: [], records };
}

/** Imports `smallSource` and returns the open pool. */
export async function smallPool(options: SmallPoolOptions = {}): Promise<Pool> {
  const folder = await scratchFolder();
  const source = await smallSource(folder, options);
  await importPool(join(folder, "pool"), source, {
    onBad: "fail",
    pack: false,
    force: false,
    progress: silentProgress,
  });
  return Pool.open(join(folder, "pool"));
}

/** Deterministic scores in [-1, 1] without a model: t2i by expression and image, i2i by the two images. */
export function tableScorer(
  candidates: Int32Array,
  t2i: (expression: number, image: number) => number,
  i2i: (a: number, b: number) => number,
): Scorer {
  let first = 0;
  const blockColumns = 8;
  const block = (rows: Int32Array, score: (row: number, image: number) => number) => {
    const scores = new Float32Array(rows.length * blockColumns);
    rows.forEach((row, at) => {
      for (let column = 0; column < blockColumns; column++) {
        const image = candidates[first + column];
        scores[at * blockColumns + column] = image === undefined ? 9 : score(row, image);
      }
    });
    return Promise.resolve({ scores, columns: blockColumns });
  };
  return {
    candidateCount: candidates.length,
    blockColumns,
    blockRows: 5,
    load: async (index) => {
      first = index * blockColumns;
    },
    expressions: (rows) => block(rows, t2i),
    images: (rows) => block(rows, i2i),
    pairs: async (expressions, images) =>
      Float32Array.from(expressions, (expression, at) => t2i(expression, images[at]!)),
    close: async () => undefined,
  };
}

/** Mines a small pool with pseudo-random scores (t2i and i2i in [0, 1)). */
export async function mineSmall(
  pool: Pool,
  options: { depth?: number; rank?: Rank; name?: string; candidates?: Int32Array; shard?: Shard } = {},
): Promise<void> {
  const noise = (a: number, b: number, stream: number): number => new CounterRandom(5, a, b, stream).float();
  const candidates =
    options.candidates ??
    Int32Array.from({ length: pool.images.count }, (_, row) => row).filter(
      (row) => pool.refs.split[pool.refs.image.indexOf(row)] === "train",
    );
  const scorer = tableScorer(
    candidates,
    (e, i) => noise(e, i, 1),
    (a, b) => (a === b ? 1 : noise(Math.min(a, b), Math.max(a, b), 2)),
  );
  await minePool(pool, scorer, {
    name: options.name ?? "default",
    rank: options.rank ?? "t2i",
    depth: options.depth ?? 1024,
    candidates,
    candidateSplits: ["train"],
    relevance: { kind: "test", model: "noise", hash: "test" },
    force: false,
    progress: silentProgress,
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  });
  if (options.shard !== undefined) return;
  const name = options.name ?? "default";
  const mined = await Mined.open(pool.folder, name, pool.manifest.hash);
  if (mined !== undefined) await mineRisk(pool, mined, { name, force: false, progress: silentProgress });
  await mined?.close();
}
