import type { Progress } from "../../io/index.ts";
import { TopKBuffer } from "../../kernels/index.ts";
import { type MinedManifest, minedFolder, type Pool } from "../../pool/index.ts";
import type { Scorer } from "../scorer.ts";
import { makeExtra } from "./extras.ts";

export interface NeighbourOptions {
  readonly name: string;
  /** The mined set that these belong to. */
  readonly mined: MinedManifest;
  /** Image rows of the scorer's candidates, ascending. */
  readonly candidates: Int32Array;
  /** The most neighbours to keep. */
  readonly depth: number;
  readonly force: boolean;
  readonly progress: Progress;
  /** Images per step: what is lost when a run is killed. Never changes a byte. */
  readonly stepImages?: number;
}

/**
 * Adds to mined/<name> the candidates most like each image that has a ref, exactly, by image-to-image score, the image
 * itself left out: by them near-duplicates and τᵢ are known for images that an expression's list lacks. Rows of other
 * images, and places that nothing fills, hold -1. Steps are journalled; does nothing where they are there already.
 */
export async function mineNeighbours(pool: Pool, scorer: Scorer, options: NeighbourOptions): Promise<void> {
  const { name, mined, candidates, force, progress, stepImages = mostImages } = options;
  const { count: images } = pool.images;
  const depth = Math.min(options.depth, candidates.length);
  const hasRef = new Uint8Array(images);
  for (const image of pool.refs.image) hasRef[image] = 1;
  const extra = {
    mined,
    shape: [images, depth],
    facts: { depth, images },
    stepRows: stepImages,
    force,
    progress,
    label: "neighbours",
    unit: "images",
  } as const;
  await makeExtra(minedFolder(pool.folder, name), "neighbours", extra, async (start, count) => {
    const wanted = Int32Array.from({ length: count }, (_, at) => start + at).filter((row) => hasRef[row] === 1);
    const found = await best(scorer, wanted, depth + 1);
    const ids = new Int32Array(count * depth).fill(-1);
    const scores = new Float32Array(count * depth).fill(-1);
    wanted.forEach((image, at) => {
      let place = (image - start) * depth;
      const end = place + depth;
      for (const [order, candidate] of (found[at]?.ids ?? []).entries()) {
        const row = candidates[candidate] as number;
        if (row === image || place === end) continue;
        ids[place] = row;
        scores[place++] = found[at]?.scores[order] as number;
      }
    });
    return [ids, scores];
  });
}

const mostImages = 4096;

async function best(
  scorer: Scorer,
  images: Int32Array,
  depth: number,
): Promise<{ readonly ids: Int32Array; readonly scores: Float32Array }[]> {
  const { candidateCount, blockColumns, blockRows } = scorer;
  const buffers = Array.from(images, () => new TopKBuffer(Math.min(depth, candidateCount)));
  const parts: Int32Array[] = [];
  for (let at = 0; at < images.length; at += blockRows) parts.push(images.slice(at, at + blockRows));
  for (let index = 0, first = 0; parts.length > 0 && first < candidateCount; index++, first += blockColumns) {
    await scorer.load(index);
    const valid = Math.min(blockColumns, candidateCount - first);
    for (const [chunk, part] of parts.entries()) {
      const { scores, columns } = await scorer.images(part);
      for (let row = 0; row < part.length; row++)
        buffers[chunk * blockRows + row]?.offer(scores, row * columns, row * columns + valid, first);
    }
  }
  return buffers.map((buffer) => {
    const found = { ids: new Int32Array(buffer.size), scores: new Float32Array(buffer.size) };
    buffer.finish(found.ids, found.scores);
    return found;
  });
}
