import { join } from "node:path";
import { z } from "zod";
import { partSchema, readPart, sha256, wholeNumber } from "../artefacts/index.ts";
import { exists, hashJson } from "../io/index.ts";
import { type Resample, resampleVersions } from "../model/index.ts";

/** No cell is wider or higher. */
const mostPixels = 65_535;

/** Everything that decides which tiles a run makes. */
const factsSchema = z.object({
  /** Hash of the pool's tables. */
  pool: z.string(),
  resample: z.object({
    name: z.enum(Object.keys(resampleVersions) as [Resample["name"], ...Resample["name"][]]),
    version: wholeNumber(1),
  }),
  /** Tiles chosen, of all shards together, and a hash of their images. */
  sizes: z.array(
    z.object({
      width: wholeNumber(1, mostPixels),
      height: wholeNumber(1, mostPixels),
      tiles: wholeNumber(),
      images: z.string(),
    }),
  ),
});

export const tilesPartFormat = "nemosaic-tiles-part";
/** The file that says that a part is finished. */
export const partFile = "part.json";

const schema = partSchema(tilesPartFormat, {
  /** Hash of `facts`: parts of one key belong together. */
  key: z.string(),
  facts: factsSchema,
  /** For each of the facts' sizes. */
  sizes: z.array(
    z.object({
      /** Tiles in the part. */
      tiles: wholeNumber(),
      /** Tiles of the share that the pool had already: they are not in the part. */
      there: wholeNumber(),
      /** SHA-256 of the part's index.bin, which holds the hashes of all pixels. */
      index: sha256,
    }),
  ),
  /** Images that could not be decoded. */
  skipped: z.array(z.object({ image: z.string(), reason: z.string() })),
})
  .refine(({ key, facts }) => key === hashJson(facts), { message: "the hash of its facts", path: ["key"] })
  .refine(({ sizes, facts }) => sizes.length === facts.sizes.length, {
    message: "as many sizes as its facts have",
    path: ["sizes"],
  });

/**
 * What a shard of `nemosaic tiles` leaves in tiles/parts/<i>-of-<n>/:
 *
 *   begun.json   { key }: whose tiles lie here, from the first moment on
 *   tiles/       as the pool's own: a folder a size, with tiles.json, cells.raw and index.bin
 *   part.json    once finished: this, with `format`
 */
export type TilesPart = Omit<z.infer<typeof schema>, "format">;
export type TilesPartFacts = z.infer<typeof factsSchema>;

/** Reads a finished part; undefined where it is not finished. Errors: "bad-input" where the file is damaged. */
export async function readTilesPart(folder: string): Promise<TilesPart | undefined> {
  const path = join(folder, partFile);
  return (await exists(path)) ? readPart(path, schema) : undefined;
}
