import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { NpyReader } from "../codecs/index.ts";
import { fail, shown } from "../model/index.ts";

export const minedFormat = "nemosaic-mined";
export const minedVersion = 1;

/** Quantiles of scores that were seen while mining: q → value. Recorded for people and for "auto" thresholds. */
const quantiles = z.record(z.string(), z.number());

const minedSchema = z.object({
  format: z.literal(minedFormat),
  version: z.literal(minedVersion),
  producer: z.string(),
  /** The pool's hash when it was mined. */
  pool: z.string(),
  relevance: z.object({ kind: z.string(), model: z.string(), hash: z.string() }),
  rank: z.enum(["t2i", "i2i", "mean"]),
  /** Candidates kept per expression. */
  depth: z.number().int().positive(),
  expressions: z.number().int(),
  /** Which images could become candidates. */
  candidates: z.object({ splits: z.array(z.string()), count: z.number().int(), hash: z.string() }),
  hash: z.string(),
  scores: z.object({ own: quantiles, t2i: quantiles, i2i: quantiles }),
});

/** The content of mined/<name>/mined.json; docs/formats/pool.md describes each field. */
export type MinedManifest = z.infer<typeof minedSchema>;

/** One expression's mined candidates, best first; fresh arrays. */
export interface MinedRow {
  readonly ids: Int32Array;
  readonly t2i: Float32Array;
  readonly i2i: Float32Array;
  readonly truncated: boolean;
  readonly rank: "t2i" | "i2i" | "mean";
}

/** The folder of a mined set: mined/<name>. */
export function minedFolder(poolFolder: string, name: string): string {
  return join(poolFolder, "mined", name);
}

/** A mined set opened for reading by row. Close it when done. */
export class Mined {
  readonly manifest: MinedManifest;
  /** Text-to-image score of each expression with its own image; index = expression row. */
  readonly own: Float32Array;
  readonly #ids: NpyReader;
  readonly #t2i: NpyReader;
  readonly #i2i: NpyReader;

  /**
   * Opens mined/<name> of the pool at `folder`; undefined where there is none.
   * Errors: "bad-input" where it is damaged or was mined from another state of the pool (`poolHash`).
   */
  static async open(folder: string, name: string, poolHash: string): Promise<Mined | undefined> {
    const place = minedFolder(folder, name);
    const path = join(place, "mined.json");
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      fail("bad-input", `expected JSON in "${path}": ${(error as Error).message}; mine again with --force`, error);
    }
    const result = minedSchema.safeParse(value);
    if (!result.success) {
      const issue = result.error.issues[0];
      fail(
        "bad-input",
        `"${path}" is damaged at "${issue?.path.join(".")}": ${issue?.message}; mine again with --force`,
      );
    }
    const manifest = result.data;
    if (manifest.pool !== poolHash) {
      fail(
        "incomplete",
        `"${place}" was mined before the pool changed; run "nemosaic embed" and "nemosaic mine" again`,
      );
    }
    const readers: NpyReader[] = [];
    try {
      for (const column of ["ids", "t2i", "i2i"]) readers.push(await NpyReader.open(join(place, `${column}.npy`)));
      const [ids, t2i, i2i] = readers;
      if (ids === undefined || t2i === undefined || i2i === undefined) fail("internal", "three columns were opened");
      for (const reader of readers) {
        if (reader.shape[0] !== manifest.expressions || reader.shape[1] !== manifest.depth) {
          fail(
            "bad-input",
            `expected shape [${manifest.expressions}, ${manifest.depth}] in "${reader.path}", got ${shown(reader.shape)}; mine again with --force`,
          );
        }
      }
      if (ids.dtype !== "int32") fail("bad-input", `expected int32 in "${ids.path}", got ${ids.dtype}`);
      const ownReader = await NpyReader.open(join(place, "own.npy"));
      const own = await ownReader.rowsAsFloat32(0, manifest.expressions).finally(() => ownReader.close());
      return new Mined(manifest, own, ids, t2i, i2i);
    } catch (error) {
      await Promise.all(readers.map((reader) => reader.close()));
      throw error;
    }
  }

  private constructor(manifest: MinedManifest, own: Float32Array, ids: NpyReader, t2i: NpyReader, i2i: NpyReader) {
    this.manifest = manifest;
    this.own = own;
    this.#ids = ids;
    this.#t2i = t2i;
    this.#i2i = i2i;
  }

  /** The candidates of an expression row, read by position. */
  row(expression: number): MinedRow {
    return {
      ids: this.#ids.rowsSync(expression, 1) as Int32Array,
      t2i: this.#t2i.rowsAsFloat32Sync(expression, 1),
      i2i: this.#i2i.rowsAsFloat32Sync(expression, 1),
      truncated: this.manifest.depth < this.manifest.candidates.count,
      rank: this.manifest.rank,
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.#ids.close(), this.#t2i.close(), this.#i2i.close()]);
  }
}
