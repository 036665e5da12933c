import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { exists, partsFolder } from "../../io/index.ts";
import { mergeMined } from "../../mining/index.ts";
import { minedFolder, Pool } from "../../pool/index.ts";
import { embeddingsFolder, listEmbeddings, mergePoolEmbeddings } from "../../relevance/index.ts";
import { action, print, type SharedOptions, withShared } from "../session.ts";

export function mergeCommand(program: Command): void {
  withShared(program.command("merge <pool>"), { sampling: false })
    .description("join the parts that --shard runs of embed and mine left; the same bytes as one run gives")
    .addHelpText(
      "after",
      "\nExample:\n  nemosaic mine pool --shard 0/2\n  nemosaic mine pool --shard 1/2\n  nemosaic merge pool",
    )
    .action(
      action(async (folder: string, options: SharedOptions) => {
        const pool = await Pool.open(folder);
        try {
          const merged = await mergePool(pool, options.force);
          const text = merged.length === 0 ? "no parts to merge" : merged.map((name) => `merged ${name}`).join("\n");
          print(options, { merged }, text);
        } finally {
          await pool.close();
        }
      }),
    );
}

/** Joins all parts of a pool; the names of what was made, below the pool. */
async function mergePool(pool: Pool, force: boolean): Promise<string[]> {
  const merged: string[] = [];
  for (const name of await listEmbeddings(pool.folder)) {
    if (!(await exists(partsFolder(embeddingsFolder(pool.folder, name))))) continue;
    if (await mergePoolEmbeddings(pool, name)) merged.push(`embeddings/${name}`);
  }
  const sets = await readdir(join(pool.folder, "mined")).catch(() => []);
  for (const name of sets.sort()) {
    if (!(await exists(partsFolder(minedFolder(pool.folder, name))))) continue;
    if (await mergeMined(pool, name, { force })) merged.push(`mined/${name}`);
  }
  return merged;
}
