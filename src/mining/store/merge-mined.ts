import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  finishSwap,
  joinColumn,
  makeAside,
  type Part,
  partsFolder,
  requireAllRows,
  requireSameRun,
  withParts,
} from "../../artefacts/index.ts";
import { ifMissing, writeFileAtomic } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { minedFolder, type Pool } from "../../pool/index.ts";
import { expressionOrder, histogramsOf, minedManifest, minedStaging, quantilesOf } from "./mine-pool.ts";
import { columnTypes, type MinedFacts, type MinedPart, manifestText, partFile, readMinedPart } from "./mined-part.ts";

/** The columns of a mined set; own has one number a row. */
const columns = { ...columnTypes, own: "float32" } as const;

/**
 * Joins the parts that shards of `minePool` left in mined/<name> to the bytes that one run would give, and removes them.
 * False where there are no parts. Run again, it does nothing, or starts anew where it was killed.
 * Errors: "incomplete" for missing shards, by name, and for parts of another state of the pool; "bad-input" for parts
 * of different settings and for a shard that is there twice; "exists" for a finished set of other settings without
 * `force`; "checksum"; "locked". Whatever the error, a finished set stays as it was.
 */
export async function mergeMined(pool: Pool, name: string, { force }: { readonly force: boolean }): Promise<boolean> {
  const folder = minedFolder(pool.folder, name);
  const read = async ({ folder: place }: { readonly folder: string }): Promise<MinedPart> =>
    (await readMinedPart(place)) ?? fail("incomplete", `"${place}" is not finished; run the shard again`);
  return withParts(folder, { files: [partFile], read }, async (parts) => {
    requireSameRun(parts.map(({ part, shard, hash, facts }) => ({ part, said: shard, key: hash, facts })));
    const order = expressionOrder(pool);
    const facts = checkedFacts(parts, folder, pool.manifest.hash, order.length);
    await finishSwap(folder, minedStaging);
    if (!force) await refuseOther(join(folder, minedManifest), facts.hash, folder);
    await makeAside(folder, minedStaging, async (staging) => {
      for (const file of Object.keys(columns) as (keyof typeof columns)[]) {
        const shape = file === "own" ? [order.length] : [order.length, facts.depth];
        const shares = parts.map(({ part, rows, files }) => ({ part, rows, hash: files[file] }));
        await joinColumn(staging, { file: `${file}.npy`, dtype: columns[file], shape }, shares, order);
      }
      const scores = quantilesOf(histogramsOf(parts.map((part) => part.scores)));
      await writeFileAtomic(staging.path(minedManifest), manifestText({ ...facts, scores }));
      return [minedManifest];
    });
  });
}

function checkedFacts(
  parts: readonly [Part<MinedPart>, ...Part<MinedPart>[]],
  folder: string,
  poolHash: string,
  expressions: number,
): MinedFacts {
  const { facts } = parts[0];
  if (facts.pool !== poolHash || facts.expressions !== expressions)
    fail(
      "incomplete",
      `the parts in "${partsFolder(folder)}" were mined before the pool changed; run the shards again`,
    );
  requireAllRows(parts, expressions, "expressions");
  return facts;
}

async function refuseOther(path: string, hash: string, folder: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(ifMissing(undefined));
  if (text !== undefined && !text.includes(`"hash": "${hash}"`))
    fail(
      "exists",
      `"${folder}" holds candidates of other inputs or settings beside the parts. Use --force to replace them`,
    );
}
