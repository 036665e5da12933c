import pMap from "p-map";
import { hashBytes, hashJson, type Progress } from "../../io/index.ts";
import { floatToHalf } from "../../kernels/index.ts";
import { type MinedManifest, minedFolder, type Pool } from "../../pool/index.ts";
import { openRiskEstimate, type PairEstimate } from "../../risk/index.ts";
import { type CandidateSentences, candidateSentences, FalsityReasons } from "../../sentences/index.ts";
import { PlainMiner } from "../plain/index.ts";
import type { Scorer, StepMiner } from "../scorer.ts";
import { makeExtra } from "./extras.ts";

/** The sentences of some splits that may be mined for images, with the estimate that rates them. */
export async function openCandidateSentences(
  pool: Pool,
  splits: readonly string[],
): Promise<CandidateSentences & { readonly estimate: PairEstimate }> {
  const estimate = await openRiskEstimate(pool);
  return { ...candidateSentences(pool, splits, (expression) => estimate.namesKind(expression)), estimate };
}

export interface SentenceOptions {
  readonly name: string;
  /** The mined set that these belong to. */
  readonly mined: MinedManifest;
  /** The sentences that the scorer's candidates are, in its order. */
  readonly candidates: CandidateSentences & { readonly estimate: PairEstimate };
  /** Image rows without vectors. */
  readonly skipped: readonly number[];
  /** The most sentences to keep. */
  readonly depth: number;
  readonly force: boolean;
  readonly progress: Progress;
  /** Images per step: what is lost when a run is killed. Never changes a byte. */
  readonly stepImages?: number;
}

/**
 * Adds to mined/<name> the sentences that score each image best that a ref is about, exactly, with the estimated chance that each is
 * true there and whether the image shows its target's kind. `scorer` has the sides swapped: its candidates are rows of
 * expressions, its `expressions` asks for rows of images. Rows of other images, and places that nothing fills, hold -1. Steps are
 * journalled; does nothing where they are there already.
 */
export async function mineSentences(pool: Pool, scorer: Scorer, options: SentenceOptions): Promise<void> {
  const { name, mined, candidates, skipped, force, progress, stepImages = mostImages } = options;
  const { count: images } = pool.images;
  const depth = Math.min(options.depth, candidates.rows.length);
  const sentenceOf = firstSentences(pool);
  for (const image of skipped) sentenceOf[image] = -1;
  const { unnamed, rows, estimate } = candidates;
  const decides = { depth, candidates: hashBytes(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)) };
  const stepRows = Math.max(1, Math.min(stepImages, Math.floor(stepBytes / (16 * depth))));
  const extra = {
    mined,
    shape: [images, depth],
    facts: {
      depth,
      images,
      candidates: rows.length,
      unnamed,
      hash: hashJson({ ...decides, estimate: estimateVersion }),
    },
    stepRows,
    force,
    progress,
    label: "sentences",
    unit: "images",
  } as const;
  const pairs = withReasons(pool, estimate);
  const chunk = Math.min(chunkImages, stepRows);
  const miners = (await scorer.miners?.("t2i", depth, chunk)) ?? [
    new PlainMiner(scorer, { rank: "t2i", depth, rows: chunk }),
  ];
  await makeExtra(minedFolder(pool.folder, name), "sentences", extra, async (start, count) => {
    const wanted = Int32Array.from({ length: count }, (_, at) => start + at).filter((image) => sentenceOf[image]! >= 0);
    const found = await bestSentences(miners, wanted, sentenceOf, depth, chunk);
    const ids = new Int32Array(count * depth).fill(-1);
    const scores = new Float32Array(count * depth).fill(-1);
    const columns = { risk: new Float32Array(count * depth), showsKind: new Uint8Array(count * depth) };
    const estimated = estimateAll(pairs, rows, wanted, found.ids, depth);
    wanted.forEach((image, at) => {
      const [from, to] = [at * depth, (image - start) * depth];
      for (let place = 0; place < depth; place++) ids[to + place] = rows[found.ids[from + place]!]!;
      scores.set(found.scores.subarray(from, from + depth), to);
      columns.risk.set(estimated.risk.subarray(from, from + depth), to);
      columns.showsKind.set(estimated.showsKind.subarray(from, from + depth), to);
    });
    return [ids, scores, floatToHalf(columns.risk), columns.showsKind];
  });
}

/** Of each image a row of an expression about it; -1 where there is none. */
function firstSentences(pool: Pool): Int32Array {
  const first = new Int32Array(pool.images.count).fill(-1);
  for (let ref = pool.refs.count - 1; ref >= 0; ref--) {
    const [start, end] = pool.expressionsOfRef(ref);
    if (end > start) first[pool.refs.image[ref]!] = start;
  }
  return first;
}

/** The best sentences of images, as places among the candidates, [images, depth]. */
async function bestSentences(
  miners: readonly StepMiner[],
  images: Int32Array,
  sentenceOf: Int32Array,
  depth: number,
  chunk: number,
): Promise<{ readonly ids: Int32Array; readonly scores: Float32Array }> {
  const ids = new Int32Array(images.length * depth);
  const scores = new Float32Array(images.length * depth);
  const free = [...miners];
  const starts = Array.from({ length: Math.ceil(images.length / chunk) }, (_, at) => at * chunk);
  await pMap(
    starts,
    async (start) => {
      const part = images.slice(start, start + chunk);
      const miner = free.pop()!;
      const own = part.map((image) => sentenceOf[image]!);
      const columns = await miner.mine(
        part,
        own,
        part.map((_, at) => at),
      );
      free.push(miner);
      ids.set(columns.ids, start * depth);
      scores.set(columns.t2i, start * depth);
    },
    { concurrency: miners.length },
  );
  return { ids, scores };
}

/**
 * The estimate, raised where nothing known speaks against a sentence whose kind is shown, or what may be taken for it: of such pairs
 * that the estimate passed, up to two fifths were true after all on photographs with truth (docs/negatives.md).
 */
function withReasons(pool: Pool, estimate: PairEstimate): Pick<PairEstimate, "fill"> {
  const reasons = new FalsityReasons(pool);
  return {
    fill(expression, images, columns, at) {
      estimate.fill(expression, images, columns, at);
      for (let place = 0; place < images.length; place++) {
        if (columns.risk[at + place]! >= riskWithoutReason) continue;
        if (!reasons.has(expression, images[place]!)) columns.risk[at + place] = riskWithoutReason;
      }
    },
  };
}

const riskWithoutReason = 0.25;

/** Risk and kind of every pair, sentence by sentence: reading a sentence costs more than asking it of an image. */
function estimateAll(
  estimate: Pick<PairEstimate, "fill">,
  rows: Int32Array,
  images: Int32Array,
  ids: Int32Array,
  depth: number,
): { readonly risk: Float32Array; readonly showsKind: Uint8Array } {
  const starts = new Int32Array(rows.length + 1);
  for (const id of ids) starts[id + 1] = starts[id + 1]! + 1;
  for (let at = 0; at < rows.length; at++) starts[at + 1] = starts[at + 1]! + starts[at]!;
  const next = starts.slice();
  const places = new Int32Array(ids.length);
  for (let at = 0; at < ids.length; at++) {
    const to = next[ids[at]!]!;
    places[to] = at;
    next[ids[at]!] = to + 1;
  }
  const [risk, showsKind] = [new Float32Array(ids.length), new Uint8Array(ids.length)];
  for (let sentence = 0; sentence < rows.length; sentence++) {
    const pairs = places.subarray(starts[sentence]!, starts[sentence + 1]!);
    if (pairs.length === 0) continue;
    const asked = pairs.map((place) => images[Math.floor(place / depth)]!);
    const made = { risk: new Float32Array(pairs.length), showsKind: new Uint8Array(pairs.length) };
    estimate.fill(rows[sentence]!, asked, made, 0);
    for (let at = 0; at < pairs.length; at++) {
      risk[pairs[at]!] = made.risk[at]!;
      showsKind[pairs[at]!] = made.showsKind[at]!;
    }
  }
  return { risk, showsKind };
}

/** Changes with what is estimated, as in risk.ts. */
const estimateVersion = 2;
const mostImages = 4096;
const chunkImages = 512;
const stepBytes = 2 ** 27;
