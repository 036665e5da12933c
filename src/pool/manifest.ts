import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readManifest as readManifestFile } from "../artefacts/index.ts";
import { fail } from "../model/index.ts";

/** The tables of a pool, in the order in which they are written. */
export const tableNames = ["images", "annotations", "refs", "expressions"] as const;
export type TableName = (typeof tableNames)[number];

export const poolFormat = "nemosaic-pool";
export const poolVersion = 1;

const counts = z.record(z.string(), z.number().int().nonnegative());

const sourceSchema = z.object({
  name: z.string(),
  format: z.string(),
  splitBy: z.string().optional(),
  files: z.array(z.object({ path: z.string(), sha256: z.string() })),
  counts: z.object({ images: z.number(), annotations: z.number(), refs: z.number(), expressions: z.number() }),
  /** Refs per split. */
  splits: counts,
  /** Records left out because they could not be understood, by reason. */
  skipped: counts,
  /** Records left out or changed on purpose, as the field does, by reason. */
  notes: counts,
  warnings: z.array(z.string()),
});

const tableSchema = z.object({ file: z.string(), rows: z.number().int(), bytes: z.number().int(), sha256: z.string() });

const manifestSchema = z.object({
  format: z.literal(poolFormat),
  version: z.literal(poolVersion),
  producer: z.string(),
  /** SHA-256 over the tables' hashes: changes with any record, not with the place of the pool. */
  hash: z.string(),
  /** Folders that image paths are relative to; relative ones start at the pool's folder. */
  roots: z.array(z.string()),
  /** Places in `roots` of the folders whose links may lead out of them: imported with --follow-links. */
  linkedRoots: z.array(z.number().int().nonnegative()).optional(),
  sources: z.array(sourceSchema),
  tables: z.object({ images: tableSchema, annotations: tableSchema, refs: tableSchema, expressions: tableSchema }),
});

/** One imported dataset of a pool, with what was left out of it. */
export type PoolSource = z.infer<typeof sourceSchema>;

/** The content of pool.json; docs/formats/pool.md describes each field. */
export type PoolManifest = z.infer<typeof manifestSchema>;

/**
 * Reads pool.json and checks that the tables beside it have the sizes it names.
 * Errors: "not-found" where there is no pool; "bad-input" for another format, for another version
 * (with how to upgrade), and for a table of another size.
 */
export async function readManifest(folder: string): Promise<PoolManifest> {
  const path = join(folder, "pool.json");
  const manifest = await readManifestFile(path, manifestSchema, {
    format: poolFormat,
    version: poolVersion,
    remake: 'import the datasets again, with "nemosaic import" into another folder',
  });
  if (manifest === undefined)
    return fail(
      "not-found",
      `expected a pool in "${folder}", found no readable pool.json there; "nemosaic import" makes one`,
    );
  for (const name of tableNames) {
    const table = manifest.tables[name];
    const info = await stat(join(folder, `${name}.parquet`)).catch(() => undefined);
    if (info?.size !== table.bytes) {
      const came = info === undefined ? "no such file" : `${info.size}`;
      fail(
        "bad-input",
        `expected ${table.bytes} bytes in "${join(folder, `${name}.parquet`)}", got ${came}; an import was cut short: run it again`,
      );
    }
  }
  return manifest;
}
