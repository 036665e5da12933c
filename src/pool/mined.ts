import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { NpyReader } from "../codecs/index.ts";
import { artefactName } from "../io/index.ts";
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
  /** True where there were more candidates than that: each list was cut. */
  truncated: z.boolean().optional(),
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
  /** Highest text-to-text score of the image's own expressions, where "mine --t2t" has made them. */
  readonly t2t?: Float32Array;
  readonly truncated: boolean;
  readonly rank: "t2i" | "i2i" | "mean";
}

/** The images most like one image, best first, the image itself left out; fresh arrays. */
export interface MinedNeighbours {
  readonly ids: Int32Array;
  readonly scores: Float32Array;
  /** True where further images, none above the last score, were cut off. */
  readonly truncated: boolean;
}

/** What "mine" adds beside the columns; each file of its own names the mined set that it was made for. */
export const minedExtras = {
  t2t: { format: "nemosaic-mined-t2t", version: 1, manifest: "t2t.json", files: ["t2t.npy"] },
  neighbours: {
    format: "nemosaic-mined-neighbours",
    version: 1,
    manifest: "neighbours.json",
    files: ["neighbour-ids.npy", "neighbour-scores.npy"],
  },
} as const;

/** The folder of a mined set: mined/<name>. Errors: "usage" for a name that is none. */
export function minedFolder(poolFolder: string, name: string): string {
  return join(poolFolder, "mined", artefactName(name, "the name of a mined set"));
}

/** A mined set opened for reading by row. Close it when done. */
export class Mined {
  readonly manifest: MinedManifest;
  /** Text-to-image score of each expression with its own image; index = expression row. */
  readonly own: Float32Array;
  readonly #ids: NpyReader;
  readonly #t2i: NpyReader;
  readonly #i2i: NpyReader;
  readonly #t2t: NpyReader | undefined;
  readonly #neighbours: readonly NpyReader[] | undefined;

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
      const [t2t] = (await openExtra(place, "t2t", manifest, [manifest.expressions, manifest.depth], readers)) ?? [];
      const neighbours = await openExtra(place, "neighbours", manifest, undefined, readers);
      return new Mined(manifest, own, ids, t2i, i2i, t2t, neighbours);
    } catch (error) {
      await Promise.all(readers.map((reader) => reader.close()));
      throw error;
    }
  }

  private constructor(
    manifest: MinedManifest,
    own: Float32Array,
    ids: NpyReader,
    t2i: NpyReader,
    i2i: NpyReader,
    t2t: NpyReader | undefined,
    neighbours: readonly NpyReader[] | undefined,
  ) {
    this.manifest = manifest;
    this.own = own;
    this.#ids = ids;
    this.#t2i = t2i;
    this.#i2i = i2i;
    this.#t2t = t2t;
    this.#neighbours = neighbours;
  }

  /** True where rows hold text-to-text scores. */
  get hasTextScores(): boolean {
    return this.#t2t !== undefined;
  }

  /** The candidates of an expression row, read by position. Imported lists that are shorter end where scores end. */
  row(expression: number): MinedRow {
    const { candidates, rank } = this.manifest;
    const t2i = this.#t2i.rowsAsFloat32Sync(expression, 1);
    let end = t2i.length;
    while (end > 0 && Number.isNaN(t2i[end - 1])) end--;
    return {
      ids: (this.#ids.rowsSync(expression, 1) as Int32Array).subarray(0, end),
      t2i: t2i.subarray(0, end),
      i2i: this.#i2i.rowsAsFloat32Sync(expression, 1).subarray(0, end),
      ...(this.#t2t === undefined ? {} : { t2t: this.#t2t.rowsAsFloat32Sync(expression, 1).subarray(0, end) }),
      truncated: end < candidates.count,
      rank,
    };
  }

  /** The images most like an image row, read by position; undefined where mining has not kept them. */
  neighbours(image: number): MinedNeighbours | undefined {
    const [idReader, scoreReader] = this.#neighbours ?? [];
    if (idReader === undefined || scoreReader === undefined) return undefined;
    const ids = idReader.rowsSync(image, 1) as Int32Array;
    const scores = scoreReader.rowsAsFloat32Sync(image, 1);
    const end = ids.indexOf(-1);
    if (end >= 0) return { ids: ids.subarray(0, end), scores: scores.subarray(0, end), truncated: false };
    return { ids, scores, truncated: ids.length < this.manifest.candidates.count };
  }

  async close(): Promise<void> {
    const readers = [this.#ids, this.#t2i, this.#i2i, ...(this.#neighbours ?? [])];
    if (this.#t2t !== undefined) readers.push(this.#t2t);
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

/** Opens the files of an extra and adds them to `readers`; undefined where it is not there or of another mined set. */
async function openExtra(
  place: string,
  name: keyof typeof minedExtras,
  manifest: MinedManifest,
  shape: readonly number[] | undefined,
  readers: NpyReader[],
): Promise<NpyReader[] | undefined> {
  const extra = minedExtras[name];
  const text = await readFile(join(place, extra.manifest), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const path = join(place, extra.manifest);
  let known: { format?: unknown; version?: unknown; mined?: unknown };
  try {
    known = JSON.parse(text) as typeof known;
  } catch (error) {
    return fail("bad-input", `expected JSON in "${path}": ${(error as Error).message}; mine again`, error);
  }
  if (known?.format !== extra.format || known.version !== extra.version)
    fail("bad-input", `expected ${extra.format} of version ${extra.version} in "${path}"; mine again`);
  if (known.mined !== manifest.hash) return undefined;
  const opened: NpyReader[] = [];
  for (const file of extra.files) {
    const reader = await NpyReader.open(join(place, file));
    opened.push(reader);
    readers.push(reader);
    if (reader.shape.length !== 2 || shape?.some((size, at) => reader.shape[at] !== size))
      fail(
        "bad-input",
        `expected shape ${shown(shape ?? ["images", "n"])} in "${reader.path}", got ${shown(reader.shape)}; mine again`,
      );
  }
  return opened;
}
