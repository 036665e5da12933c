import { availableParallelism } from "node:os";
import { join } from "node:path";
import { exists, formatCount, removeRemains, type Shard, type StageTimer } from "../io/index.ts";
import { languageRemark } from "../language/index.ts";
import { imagesOfSplits } from "../loader/index.ts";
import {
  createDenseScorer,
  createGroupedScorer,
  expressionsByImage,
  groupedQueries,
  type MineReport,
  mineNeighbours,
  minePool,
  mineRisk,
  mineSentences,
  mineTextScores,
  openCandidateSentences,
  type Rank,
  type Scorer,
} from "../mining/index.ts";
import { fail } from "../model/index.ts";
import { Mined, type MinedManifest, minedExtras, minedFolder, type Pool } from "../pool/index.ts";
import { lexicalScorer, type OpenedEmbeddings, openEmbeddings } from "../relevance/index.ts";
import { fullListener, type Listener, withPool } from "./listener.ts";

/** How to mine: ranking, depth, pool of candidates, extra scores. */
export interface MineStepOptions {
  /** What candidates are ranked by: "t2i" (default), "i2i" or "mean". */
  readonly rank?: Rank | undefined;
  /** Candidates kept per expression; default 1024. */
  readonly depth?: number | undefined;
  /** Images of these splits may become negatives; default train. */
  readonly candidates?: readonly string[] | undefined;
  /** The folder under mined/; default "default". */
  readonly name?: string | undefined;
  /** Which embeddings, where the pool has several. */
  readonly embeddings?: string | undefined;
  /** Threads of the matrix product, and of the estimated risks; default: all cores. Never changes a number. */
  readonly threads?: number | undefined;
  /** Mine one share of the expressions, as a part for `merge`. */
  readonly shard?: Shard | undefined;
  /** Also keep each candidate's highest text-to-text score. */
  readonly t2t?: boolean | undefined;
  /** Also rank for each image the sentences that score it best. */
  readonly sentences?: boolean | undefined;
  /** Replace what is there; it stays until the new set is whole. */
  readonly force?: boolean | undefined;
  /** Gets the stages that `minePool` names. */
  readonly timing?: StageTimer | undefined;
}

/** Neighbours kept per image: by them τᵢ is known for images that a list lacks. */
const neighbourDepth = 256;

/**
 * Ranks the candidate images of every expression of a pool and keeps the best under mined/<name>, with each image's neighbours,
 * estimated risks and, with `t2t`, text-to-text scores, with `sentences` the sentences that score each image best. A killed run goes on where it was. Errors: "incomplete" where the pool has no embeddings, or
 * older ones; "usage" where it has several and none is named; those of `minePool`.
 */
export function mine(pool: string | Pool, options: MineStepOptions = {}, listener: Listener = {}): Promise<MineReport> {
  return withPool(pool, (opened) => mineInto(opened, options, listener));
}

async function mineInto(pool: Pool, options: MineStepOptions, listener: Listener): Promise<MineReport> {
  const { rank = "t2i", depth = 1024, candidates: splits = ["train"], name = "default", force = false } = options;
  const { shard, t2t = false, sentences = false, timing } = options;
  if ((t2t || sentences) && shard !== undefined) {
    const [what, option] = t2t ? ["text-to-text scores", "--t2t"] : ["images' sentences", "--sentences"];
    fail(
      "usage",
      `${what} are added when shards are joined: leave ${option} out here, and run "nemosaic merge POOL ${option}"`,
    );
  }
  const { progress, onRemark } = fullListener(listener);
  const language = languageRemark(pool.expressions.sent);
  if (language !== undefined && (shard?.index ?? 0) === 0) onRemark(language);
  const opened = await openEmbeddings(pool, options.embeddings);
  if (opened.kind === "clip" && opened.parts !== undefined && rank !== "t2i") {
    await Promise.all([opened.images.close(), opened.parts.vectors.close(), opened.expressions.close()]);
    fail("usage", `expected --rank t2i for embeddings with several vectors an image, got ${rank}`);
  }
  const candidates = candidatesOf(imagesOfSplits(pool, splits), opened, listener);
  const scorer = await candidateScorer(opened, candidates, options.threads);
  let report: MineReport;
  try {
    report = await minePool(pool, scorer, {
      name,
      rank,
      depth,
      candidates,
      candidateSplits: splits,
      relevance: { kind: opened.kind, model: opened.model, hash: opened.hash },
      force,
      progress,
      ...(shard === undefined ? {} : { shard }),
      ...(timing === undefined ? {} : { timing }),
    });
    if (shard !== undefined) return report;
    await mineNeighbours(pool, scorer, {
      name,
      mined: report.manifest,
      candidates,
      depth: neighbourDepth,
      force,
      progress,
    });
  } finally {
    await scorer.close(); // before what is added without it: it holds up to a gigabyte
  }
  await addRisk(pool, name, options, listener);
  if (t2t) await addTextScores(pool, name, options, listener);
  if (sentences) await addSentences(pool, report.manifest, name, options, listener);
  await removeMinedRemains(minedFolder(pool.folder, name));
  return report;
}

/** Images that could not be decoded when embedding have no vectors and are no candidates. */
function candidatesOf(rows: Int32Array, opened: OpenedEmbeddings, listener: Listener): Int32Array {
  const { onRemark, onWarning } = fullListener(listener);
  if (opened.kind === "lexical") {
    onRemark("scores come from words that people wrote about the images, not from CLIP");
    return rows;
  }
  if (opened.parts !== undefined)
    onRemark(
      "images have several vectors: a text's score with one is the best of them; images are compared with each other as a whole",
    );
  const skipped = new Set(opened.skipped);
  const candidates = rows.filter((row) => !skipped.has(row));
  const lost = rows.length - candidates.length;
  if (lost > 0)
    onWarning(`${formatCount(lost, "image")} could not be decoded when embedding, and no candidate is among them`);
  return candidates;
}

async function candidateScorer(
  opened: OpenedEmbeddings,
  candidates: Int32Array,
  threads = availableParallelism(),
): Promise<Scorer> {
  if (opened.kind === "lexical") return lexicalScorer(opened.vectors, candidates);
  const { images, parts, expressions } = opened;
  const options = { candidates, threads, files: true };
  const scorer =
    parts === undefined
      ? createDenseScorer(images, expressions, options)
      : createGroupedScorer(images, parts, expressions, options);
  return scorer.catch(async (error: unknown) => {
    await Promise.all([images.close(), parts?.vectors.close(), expressions.close()]);
    throw error;
  });
}

/** Adds estimated risks to the mined set `name`, whatever scored it. */
async function addRisk(
  pool: Pool,
  name: string,
  { force = false, threads }: MineStepOptions,
  listener: Listener,
): Promise<void> {
  const mined = await Mined.open(pool.folder, name, pool.manifest.hash);
  const { progress } = fullListener(listener);
  try {
    if (mined !== undefined) await mineRisk(pool, mined, { name, force, progress, threads });
  } finally {
    await mined?.close();
  }
}

/** Adds text-to-text scores to the mined set `name`, from the same embeddings. */
async function addTextScores(
  pool: Pool,
  name: string,
  { embeddings, threads, force = false }: MineStepOptions,
  listener: Listener,
): Promise<void> {
  const { progress } = fullListener(listener);
  const scorer = await textScorer(pool, embeddings, threads);
  let mined: Mined | undefined;
  try {
    mined = await Mined.open(pool.folder, name, pool.manifest.hash);
    if (mined !== undefined) await mineTextScores(pool, mined, scorer, { name, force, progress });
  } finally {
    await mined?.close();
    await scorer.close();
  }
}

/** Sentences kept per image: most of the best are true of it. */
const sentenceDepth = 512;

/** Adds to the mined set `name` the sentences of its splits that score each image best, from the same embeddings. */
async function addSentences(
  pool: Pool,
  mined: MinedManifest,
  name: string,
  { embeddings, threads, force = false }: MineStepOptions,
  listener: Listener,
): Promise<void> {
  const { progress, onWarning } = fullListener(listener);
  const candidates = await openCandidateSentences(pool, mined.candidates.splits);
  if (candidates.rows.length === 0) {
    onWarning(
      `no sentence of the splits ${mined.candidates.splits.join(", ")} says what it is about by the name of a category: none is ranked for images`,
    );
    return;
  }
  const opened = await openEmbeddings(pool, embeddings);
  const skipped = opened.kind === "lexical" ? [] : opened.skipped;
  const scorer = await sentenceScorer(opened, candidates.rows, threads);
  try {
    await mineSentences(pool, scorer, { name, mined, candidates, skipped, depth: sentenceDepth, force, progress });
  } finally {
    await scorer.close();
  }
}

/** A scorer with the sides swapped: it ranks rows of expressions by images, of several vectors by the best. */
async function sentenceScorer(
  opened: OpenedEmbeddings,
  candidates: Int32Array,
  threads = availableParallelism(),
): Promise<Scorer> {
  if (opened.kind === "lexical") {
    const { index, expressions } = opened.vectors;
    return lexicalScorer({ index: { ...index, images: expressions }, expressions: index.images }, candidates);
  }
  const { images, parts, expressions } = opened;
  if (parts !== undefined) await images.close();
  const queries = parts?.vectors ?? images;
  const scorer = await createDenseScorer(expressions, queries, { candidates, threads, files: true }).catch(
    async (error: unknown) => {
      await Promise.all([queries.close(), expressions.close()]);
      throw error;
    },
  );
  return parts === undefined ? scorer : groupedQueries(scorer, parts.starts);
}

/** A scorer of expressions against expressions, in the order of their images. */
async function textScorer(
  pool: Pool,
  embeddings: string | undefined,
  threads = availableParallelism(),
): Promise<Scorer> {
  const opened = await openEmbeddings(pool, embeddings);
  const candidates = expressionsByImage(pool);
  if (opened.kind === "lexical") {
    const { index, expressions } = opened.vectors;
    return lexicalScorer({ index: { ...index, images: expressions }, expressions }, candidates);
  }
  const { images, parts, expressions } = opened;
  await Promise.all([images.close(), parts?.vectors.close()]);
  return createDenseScorer(expressions, expressions, { candidates, threads }).catch(async (error: unknown) => {
    await expressions.close();
    throw error;
  });
}

/** What a mined set's candidates were mined with, to mine it again with the same. */
export function optionsOf({
  rank,
  depth,
  candidates,
}: MinedManifest): Pick<MineStepOptions, "rank" | "depth" | "candidates"> {
  return { rank, depth, candidates: candidates.splits };
}

/** Removes what is left of a set's extras that are finished: a run that was killed while it tidied leaves that. */
export async function removeMinedRemains(folder: string): Promise<void> {
  const finished: string[] = [];
  for (const [name, { manifest }] of Object.entries(minedExtras))
    if (await exists(join(folder, manifest))) finished.push(`.partial-${name}`);
  await removeRemains(folder, finished);
}
