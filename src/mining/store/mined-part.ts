import { join } from "node:path";
import { z } from "zod";
import { partSchema, readPart, rowRange, sha256, wholeNumber } from "../../artefacts/index.ts";
import { exists, hashJson } from "../../io/index.ts";
import { type MinedManifest, minedSchema, minedVersion } from "../../pool/index.ts";
import { scoreBins } from "./score-histogram.ts";

/** The columns of a mined set that steps write, and their numbers. */
export const columnTypes = { ids: "int32", t2i: "float32", i2i: "float32" } as const;

/** What a shard leaves: columns of its share of the expressions and the facts of the whole. */
export const minedPartFormat = "nemosaic-mined-part";
/** The file that says that a part is finished. */
export const partFile = "part.json";

const counts = z.array(z.tuple([wholeNumber(0, scoreBins), wholeNumber()]));
const factsSchema = minedSchema.omit({ scores: true });

const schema = partSchema(minedPartFormat, {
  /** Of the expressions in the order of their images. */
  rows: rowRange,
  /** `facts.hash`: parts of one hash belong together. */
  hash: sha256,
  facts: factsSchema,
  scores: z.object({ own: counts, t2i: counts, i2i: counts }),
  /** SHA-256 of each file: the columns, and own. */
  files: z.object({ ids: sha256, t2i: sha256, i2i: sha256, own: sha256 }),
}).refine(({ hash, facts }) => hash === facts.hash && hash === minedHash(facts), {
  message: "the hash of its facts",
  path: ["hash"],
});

/** The content of a part's part.json, beside `format`. */
export type MinedPart = Omit<z.infer<typeof schema>, "format">;

/** Everything that a mined set's manifest says but for the scores, which are known when all are mined. */
export type MinedFacts = z.infer<typeof factsSchema>;

/** Hash of all that decides a mined set. */
export function minedHash(facts: Pick<MinedFacts, "pool" | "relevance" | "rank" | "depth" | "candidates">): string {
  const { pool, relevance, rank, depth, candidates } = facts;
  return hashJson({ version: minedVersion, pool, relevance, rank, depth, candidates });
}

/** The bytes of a mined set's manifest. */
export function manifestText(manifest: MinedManifest): string {
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** Reads a finished part; undefined where it is not finished. Errors: "bad-input" where the file is damaged. */
export async function readMinedPart(folder: string): Promise<MinedPart | undefined> {
  const path = join(folder, partFile);
  return (await exists(path)) ? readPart(path, schema) : undefined;
}
