import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { partsFolder } from "../artefacts/index.ts";
import { exists, ifMissing, removeRemains } from "../io/index.ts";
import { mergeMined } from "../mining/index.ts";
import { NemosaicError } from "../model/index.ts";
import { Mined, minedExtras, minedFolder, type Pool } from "../pool/index.ts";
import { embeddingsFolder, listEmbeddings, mergePoolEmbeddings, openEmbeddings } from "../relevance/index.ts";
import { mergeTiles } from "../tiles/index.ts";
import { fullListener, type Listener, withPool } from "./listener.ts";
import { mine, optionsOf, removeMinedRemains } from "./mine.ts";

/** What to add once the parts are joined. */
export interface MergeStepOptions {
  /** Then add text-to-text scores to the mined sets. */
  readonly t2t?: boolean | undefined;
  /** Then rank for each image the sentences that score it best. */
  readonly sentences?: boolean | undefined;
  /** Replace what was finished with other settings. */
  readonly force?: boolean | undefined;
}

/** What was joined. */
export interface MergeStepReport {
  /** What was made of parts, below the pool: "embeddings/clip", "mined/default", "tiles/240x240-opencv". */
  readonly merged: readonly string[];
}

/**
 * Joins the parts that shards of `embed`, `mine` and `makeTiles` left in a pool to the bytes that runs without shards give, and
 * adds to mined sets what such a run adds. Run again, it has nothing to do; killed, it is run again. Errors: "incomplete" for
 * missing shards, by name; "bad-input" for parts of different settings; "exists" for what was finished with others, without
 * `force`; "checksum"; "locked".
 */
export function merge(
  pool: string | Pool,
  options: MergeStepOptions = {},
  listener: Listener = {},
): Promise<MergeStepReport> {
  return withPool(pool, async (opened) => ({
    merged: [
      ...(await mergeAllEmbeddings(opened, options)),
      ...(await mergeAllMined(opened, options, listener)),
      ...(await mergeTiles(opened, { force: options.force ?? false, progress: fullListener(listener).progress })),
    ],
  }));
}

async function mergeAllEmbeddings(pool: Pool, { force = false }: MergeStepOptions): Promise<string[]> {
  const merged: string[] = [];
  for (const name of await listEmbeddings(pool.folder)) {
    const folder = embeddingsFolder(pool.folder, name);
    if (!(await exists(partsFolder(folder)))) await removeRemains(folder);
    else if (await mergePoolEmbeddings(pool, name, { force })) merged.push(`embeddings/${name}`);
  }
  return merged;
}

async function mergeAllMined(pool: Pool, options: MergeStepOptions, listener: Listener): Promise<string[]> {
  const { force = false } = options;
  const merged: string[] = [];
  const sets = await readdir(join(pool.folder, "mined")).catch(ifMissing([]));
  for (const name of sets.sort()) {
    const folder = minedFolder(pool.folder, name);
    const joined = (await exists(partsFolder(folder))) && (await mergeMined(pool, name, { force }));
    if (joined) merged.push(`mined/${name}`);
    if (joined || (await lacksExtra(folder, options))) await complete(pool, name, options, listener);
    else await removeMinedRemains(folder);
  }
  return merged;
}

/** Whether something that mining adds is not there: a merge may have been killed before it, or between two. */
async function lacksExtra(folder: string, { t2t = false, sentences = false }: MergeStepOptions): Promise<boolean> {
  const isAsked: Readonly<Record<string, boolean>> = { t2t, sentences, judge: false }; // a judge's scores are brought
  for (const [extra, { manifest }] of Object.entries(minedExtras))
    if ((isAsked[extra] ?? true) && !(await exists(join(folder, manifest)))) return true;
  return false;
}

/** What a run without shards makes beside the candidates: it finds them mined, and adds the rest. */
async function complete(pool: Pool, name: string, asked: MergeStepOptions, listener: Listener): Promise<void> {
  const mined = await Mined.open(pool.folder, name, pool.manifest.hash).catch(nothingIncomplete);
  if (mined === undefined) return; // not finished, or of another state of the pool
  const { manifest } = mined;
  await mined.close();
  const embeddings = await embeddingsOf(pool, manifest.relevance.hash);
  if (embeddings === undefined) return; // imported lists: their scores come from elsewhere
  await mine(pool, { ...optionsOf(manifest), name, embeddings, t2t: asked.t2t, sentences: asked.sentences }, listener);
}

async function embeddingsOf(pool: Pool, hash: string): Promise<string | undefined> {
  for (const name of await listEmbeddings(pool.folder)) {
    const opened = await openEmbeddings(pool, name).catch(nothingIncomplete);
    if (opened?.kind === "clip")
      await Promise.all([opened.images.close(), opened.parts?.vectors.close(), opened.expressions.close()]);
    if (opened?.hash === hash) return name;
  }
  return undefined;
}

function nothingIncomplete(error: unknown): undefined {
  if (error instanceof NemosaicError && error.code === "incomplete") return undefined;
  throw error;
}
