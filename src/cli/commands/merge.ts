import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { partsFolder } from "../../artefacts/index.ts";
import { exists, removeRemains } from "../../io/index.ts";
import { mergeMined } from "../../mining/index.ts";
import { NemosaicError } from "../../model/index.ts";
import { Mined, minedFolder, Pool } from "../../pool/index.ts";
import { embeddingsFolder, listEmbeddings, mergePoolEmbeddings, openEmbeddings } from "../../relevance/index.ts";
import { mergeTiles } from "../../tiles/index.ts";
import { action, print, progressOf, type SharedOptions, withShared } from "../session.ts";
import { removeMinedRemains, runMine } from "./mine.ts";

interface MergeOptions extends SharedOptions {
  readonly t2t: boolean;
}

export function mergeCommand(program: Command): void {
  withShared(program.command("merge <pool>"), { sampling: false })
    .description("join the parts that --shard runs of embed, mine and tiles left; the same bytes as one run gives")
    .option("--t2t", "then add text-to-text scores to the mined sets (setting: band.tauText)", false)
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic mine pool --shard 0/2\n  nemosaic mine pool --shard 1/2\n  nemosaic merge pool",
    )
    .action(
      action(async (folder: string, options: MergeOptions) => {
        const pool = await Pool.open(folder);
        try {
          const merged = await mergePool(pool, options);
          const text = merged.length === 0 ? "no parts to merge" : merged.map((name) => `merged ${name}`).join("\n");
          print(options, { merged }, text);
        } finally {
          await pool.close();
        }
      }),
    );
}

/** Joins all parts of a pool; the names of what was made, below the pool. */
async function mergePool(pool: Pool, options: MergeOptions): Promise<string[]> {
  const merged: string[] = [];
  for (const name of await listEmbeddings(pool.folder)) {
    const folder = embeddingsFolder(pool.folder, name);
    if (!(await exists(partsFolder(folder)))) await removeRemains(folder);
    else if (await mergePoolEmbeddings(pool, name, { force: options.force })) merged.push(`embeddings/${name}`);
  }
  const sets = await readdir(join(pool.folder, "mined")).catch(() => []);
  for (const name of sets.sort()) {
    const folder = minedFolder(pool.folder, name);
    const joined = (await exists(partsFolder(folder))) && (await mergeMined(pool, name, { force: options.force }));
    if (joined) merged.push(`mined/${name}`);
    const lacks = async (file: string): Promise<boolean> => !(await exists(join(folder, file)));
    if (joined || (await lacks("neighbours.json")) || (options.t2t && (await lacks("t2t.json"))))
      await complete(pool, name, options);
    else await removeMinedRemains(folder);
  }
  merged.push(...(await mergeTiles(pool, { force: options.force, progress: progressOf(options) })));
  return merged;
}

/** What a run without shards makes beside the candidates: it finds them mined, and adds the rest. */
async function complete(pool: Pool, name: string, options: MergeOptions): Promise<void> {
  const mined = await Mined.open(pool.folder, name, pool.manifest.hash).catch(nothingIncomplete);
  if (mined === undefined) return; // not finished, or of another state of the pool
  const { rank, depth, candidates, relevance } = mined.manifest;
  await mined.close();
  const embeddings = await embeddingsOf(pool, relevance.hash);
  if (embeddings === undefined) return; // imported lists: their scores come from elsewhere
  await runMine(pool, { ...options, force: false, name, rank, depth, candidates: candidates.splits, embeddings });
}

async function embeddingsOf(pool: Pool, hash: string): Promise<string | undefined> {
  for (const name of await listEmbeddings(pool.folder)) {
    const opened = await openEmbeddings(pool, name).catch(nothingIncomplete);
    if (opened?.kind === "clip") await Promise.all([opened.images.close(), opened.expressions.close()]);
    if (opened?.hash === hash) return name;
  }
  return undefined;
}

function nothingIncomplete(error: unknown): undefined {
  if (error instanceof NemosaicError && error.code === "incomplete") return undefined;
  throw error;
}
