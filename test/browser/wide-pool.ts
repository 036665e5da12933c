import { join } from "node:path";
import { encodePng } from "../../src/codecs/index.ts";
import { silentProgress } from "../../src/io/index.ts";
import { CounterRandom } from "../../src/kernels/index.ts";
import { minePool, type Scorer } from "../../src/mining/index.ts";
import type { DatasetRecord } from "../../src/model/index.ts";
import { importPool, Pool, type RecordSource } from "../../src/pool/index.ts";

export interface WidePoolOptions {
  readonly expressions: number;
  /** Candidates kept per expression. */
  readonly depth: number;
}

const sentencesOfRef = 3;
const refsOfImage = 2;
const nouns = ["man", "woman", "dog", "car", "bowl", "chair", "umbrella", "horse", "bus", "pizza"];
const colours = ["red", "blue", "green", "white", "black", "yellow"];
const places = ["on the left", "on the right", "in front", "next to the table", "", "", "at the top", "sitting down"];

/** A pool with as many expressions as asked for over tiny packed images: what the page's lists and curves have to bear. */
export async function widePool(folder: string, options: WidePoolOptions): Promise<string> {
  const path = join(folder, "pool");
  await importPool(path, wideSource(options.expressions), {
    onBad: "fail",
    pack: true,
    force: false,
    progress: silentProgress,
  });
  const pool = await Pool.open(path);
  try {
    const candidates = Int32Array.from({ length: Math.min(pool.images.count, 2 * options.depth) }, (_, row) => row);
    await minePool(pool, formulaScorer(pool, candidates), {
      name: "default",
      rank: "t2i",
      depth: options.depth,
      candidates,
      candidateSplits: ["train"],
      relevance: { kind: "test", model: "formula", hash: "test" },
      force: false,
      progress: silentProgress,
    });
  } finally {
    await pool.close();
  }
  return path;
}

function wideSource(expressions: number): RecordSource {
  const images = Math.ceil(expressions / (sentencesOfRef * refsOfImage));
  async function* records(): AsyncGenerator<DatasetRecord> {
    let left = expressions;
    for (let image = 0; image < images; image++) {
      const [width, height] = [24, 18];
      const [a, b, c] = [image & 255, (image >> 8) & 255, (image * 37) & 255];
      const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => [a, b, c][at % 3]!);
      const imageId = `im${image}`;
      yield {
        type: "image",
        id: imageId,
        file: `${imageId}.png`,
        width,
        height,
        bytes: await encodePng({ width, height, channels: 3, data }, { compression: 1 }),
      };
      for (let ref = 0; ref < refsOfImage; ref++) {
        const id = `${image}-${ref}`;
        const random = new CounterRandom(1, image, ref, 0);
        const pick = (words: readonly string[]): string => words[random.below(words.length)]!;
        const noun = pick(nouns);
        const parts = [[2 + ref * 8, 3, 10 + ref * 8, 3, 10 + ref * 8, 14, 2 + ref * 8, 14]];
        yield {
          type: "annotation",
          id: `a${id}`,
          imageId,
          category: noun,
          segmentation: { kind: "polygons", parts },
          isCrowd: false,
        };
        yield {
          type: "ref",
          id: `r${id}`,
          imageId,
          annotationIds: [`a${id}`],
          split: image % 10 === 9 ? "val" : "train",
        };
        for (let sentence = 0; sentence < sentencesOfRef && left > 0; sentence++, left--) {
          const text = `the ${pick(colours)} ${noun} ${pick(places)}`.trim();
          yield { type: "expression", id: `${id}-${sentence}`, refId: `r${id}`, raw: text, sent: text };
        }
      }
    }
  }
  return { format: "test", name: "wide", imagesFolder: "/nowhere", files: [], warnings: [], records };
}

/** Scores by a formula, all candidates in one block: quick to mine, and curves of a natural shape. */
function formulaScorer(pool: Pool, candidates: Int32Array): Scorer {
  const columns = candidates.length;
  const score = (row: number, at: number): number => {
    let mixed = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(at + 7, 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    const even = ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
    return 0.1 + 0.3 * even * even * even;
  };
  const block = (rows: Int32Array, salt: number) => {
    const scores = new Float32Array(rows.length * columns);
    rows.forEach((row, line) => {
      for (let at = 0; at < columns; at++) scores[line * columns + at] = score(row + salt, at);
    });
    return Promise.resolve({ scores, columns });
  };
  return {
    candidateCount: columns,
    blockColumns: columns,
    blockRows: 256,
    load: async () => undefined,
    expressions: (rows) => block(rows, 0),
    images: (rows) => block(rows, 1e6),
    pairs: async (expressions) =>
      Float32Array.from(expressions, (expression) => score(expression, pool.images.count) + 0.05),
    close: async () => undefined,
  };
}
