import { noTiming, type Progress } from "../../io/index.ts";
import { type MinedManifest, minedFolder, type Pool } from "../../pool/index.ts";
import { BestLists } from "../plain/index.ts";
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
  // One more than wanted, since an image finds itself.
  const listLength = Math.min(depth + 1, scorer.candidateCount);
  const lists = new BestLists(scorer, listLength, noTiming);
  await makeExtra(minedFolder(pool.folder, name), "neighbours", extra, async (start, count) => {
    const wanted = Int32Array.from({ length: count }, (_, at) => start + at).filter((row) => hasRef[row] === 1);
    const found = await lists.of(wanted, (part) => scorer.images(part));
    const ids = new Int32Array(count * depth).fill(-1);
    const scores = new Float32Array(count * depth).fill(-1);
    wanted.forEach((image, at) => {
      let place = (image - start) * depth;
      const end = place + depth;
      for (let from = at * listLength; from < (at + 1) * listLength; from++) {
        const row = candidates[found.ids[from]!]!;
        if (row === image || place === end) continue;
        ids[place] = row;
        scores[place++] = found.scores[from]!;
      }
    });
    return [ids, scores];
  });
}

const mostImages = 4096;
