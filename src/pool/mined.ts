import { join } from "node:path";
import { z } from "zod";
import { readManifest, readManifestJson } from "../artefacts/index.ts";
import { type NpyDtype, NpyReader } from "../codecs/index.ts";
import { artefactName } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";

export const minedFormat = "nemosaic-mined";
export const minedVersion = 1;

/** Quantiles of scores that were seen while mining: q → value. Recorded for people and for "auto" thresholds. */
const quantiles = z.record(z.string(), z.number());

/** The content of mined/<name>/mined.json, as a schema; part manifests are derived from it. */
export const minedSchema = z.object({
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

/** A column of an extra: its file, and the type of its numbers. */
interface ExtraColumn {
  readonly file: string;
  readonly dtype: NpyDtype;
}

interface ExtraKind {
  readonly format: string;
  readonly version: number;
  readonly manifest: string;
  /** candidates = [expressions, depth], aligned with the ids: a column of `MinedRow`; images = [images, n]. */
  readonly of: "candidates" | "images";
  readonly columns: Readonly<Record<string, ExtraColumn>>;
}

/** What "mine" adds beside the columns; each names the mined set that it was made for. mining/store/extras.ts says how to add one. */
export const minedExtras = {
  /** Highest text-to-text score of the image's own expressions, by "mine --t2t". */
  t2t: {
    format: "nemosaic-mined-t2t",
    version: 1,
    manifest: "t2t.json",
    of: "candidates",
    columns: { t2t: { file: "t2t.npy", dtype: "float32" } },
  },
  /** The chance that the expression is true of the candidate (room risk); NaN where it cannot be known. */
  risk: {
    format: "nemosaic-mined-risk",
    version: 1,
    manifest: "risk.json",
    of: "candidates",
    columns: { risk: { file: "risk.npy", dtype: "float16" } },
  },
  /** 1 where the candidate shows an object of the target's kind. */
  showsKind: {
    format: "nemosaic-mined-shows-kind",
    version: 1,
    manifest: "shows-kind.json",
    of: "candidates",
    columns: { showsKind: { file: "shows-kind.npy", dtype: "uint8" } },
  },
  /** The sentences that score each image best, by "mine --sentences": rows of expressions, each sentence once. */
  sentences: {
    format: "nemosaic-mined-sentences",
    version: 1,
    manifest: "sentences.json",
    of: "images",
    columns: {
      ids: { file: "sentence-ids.npy", dtype: "int32" },
      scores: { file: "sentence-scores.npy", dtype: "float32" },
      risk: { file: "sentence-risk.npy", dtype: "float16" },
      showsKind: { file: "sentence-shows-kind.npy", dtype: "uint8" },
    },
  },
  /** What another judge scored the pair, by "judge --scores"; NaN where it said nothing. */
  judge: {
    format: "nemosaic-mined-judge",
    version: 1,
    manifest: "judge.json",
    of: "candidates",
    columns: { judge: { file: "judge.npy", dtype: "float32" } },
  },
  /** The images most like each image. */
  neighbours: {
    format: "nemosaic-mined-neighbours",
    version: 1,
    manifest: "neighbours.json",
    of: "images",
    columns: {
      ids: { file: "neighbour-ids.npy", dtype: "int32" },
      scores: { file: "neighbour-scores.npy", dtype: "float32" },
    },
  },
} as const satisfies Readonly<Record<string, ExtraKind>>;

/** How completely a pool's images are annotated: whether an object that is not annotated is not there (room risk). */
export const coverageSchema = z.object({
  /** Mean annotations an image. */
  annotationsPerImage: z.number(),
  /** Share of annotations that a ref is about, 0 to 1. */
  referredShare: z.number(),
  /** Landmarks that sentences name by a category ("the dog by the sofa"), and how many of these are annotated there. */
  landmarks: z.number().int(),
  landmarksAnnotated: z.number().int(),
  /** True where an image that no annotation fits can be taken not to hold the thing. */
  isComplete: z.boolean(),
  /** Why, in a sentence. */
  reason: z.string(),
});
export type AnnotationCoverage = z.infer<typeof coverageSchema>;

const randomRiskSchema = z.object({ risk: z.number(), hard: z.number() });
export type RandomRisk = z.infer<typeof randomRiskSchema>;
const riskFactsSchema = z.object({ coverage: coverageSchema, random: randomRiskSchema.optional() });
type RiskFacts = z.infer<typeof riskFactsSchema>;

const sentenceFactsSchema = z.object({
  /** Sentences kept per image. */
  depth: z.number().int().positive(),
  /** Sentences that could be listed, and those of the splits that do not say what they are about. */
  candidates: z.number().int(),
  unnamed: z.number().int(),
  /** Of which sentences these are, and of how their risk is estimated. */
  hash: z.string(),
});
export type SentenceFacts = z.infer<typeof sentenceFactsSchema>;

/** The name of an extra. */
export type MinedExtra = keyof typeof minedExtras;
/** Extras with a number for each candidate. */
type CandidateExtra = {
  [Name in MinedExtra]: (typeof minedExtras)[Name]["of"] extends "candidates" ? Name : never;
}[MinedExtra];

/** One expression's mined candidates, best first; fresh arrays, the extras that there are among them. */
export interface MinedRow extends Readonly<Partial<Record<CandidateExtra, Float32Array>>> {
  readonly ids: Int32Array;
  readonly t2i: Float32Array;
  readonly i2i: Float32Array;
  /** False where images are annotated too sparsely for `risk` to say that one lacks a thing. */
  readonly isRiskKnown: boolean;
  readonly truncated: boolean;
  /** How many images could have become candidates. */
  readonly candidates: number;
  readonly rank: "t2i" | "i2i" | "mean";
}

/** The images most like one image, best first, the image itself left out; fresh arrays. */
export interface MinedNeighbours {
  readonly ids: Int32Array;
  readonly scores: Float32Array;
  /** True where further images, none above the last score, were cut off. */
  readonly truncated: boolean;
}

/** The sentences that score an image best, best first, its own among them; fresh arrays. */
export interface MinedSentences {
  /** Rows of expressions: of each sentence the first. */
  readonly ids: Int32Array;
  readonly t2i: Float32Array;
  /** The chance that the sentence is true of something in the image, 0 to 1. */
  readonly risk: Float32Array;
  /** 1 where the image shows an object of the sentence's target's kind. */
  readonly showsKind: Float32Array;
  /** How many sentences could have been listed. */
  readonly candidates: number;
}

/** The folder of a mined set: mined/<name>. Errors: "usage" for a name that is none. */
export function minedFolder(poolFolder: string, name: string): string {
  return join(poolFolder, "mined", artefactName(name, "the name of a mined set"));
}

/** Extras that are there: a reader for each column, in the order of `minedExtras`. */
type OpenExtras = Partial<Record<MinedExtra, readonly NpyReader[]>>;

/** A mined set opened for reading by row. Close it when done. */
export class Mined {
  readonly manifest: MinedManifest;
  /** Text-to-image score of each expression with its own image; index = expression row. */
  readonly own: Float32Array;
  readonly #ids: NpyReader;
  readonly #t2i: NpyReader;
  readonly #i2i: NpyReader;
  /** How completely images are annotated, where mining has estimated risks. */
  readonly coverage: AnnotationCoverage | undefined;
  /** Estimates for random candidates: the mean chance to be true, and the share that shows the target's kind and is not. */
  readonly randomRisk: RandomRisk | undefined;
  /** Which sentences were mined for images, and how many there were; undefined where none were. */
  readonly sentenceFacts: SentenceFacts | undefined;
  readonly #extras: OpenExtras;
  /** Columns beside the scores with a number for each candidate. */
  readonly #more: readonly (readonly [name: CandidateExtra, reader: NpyReader])[];

  /**
   * Opens mined/<name> of the pool at `folder`; undefined where there is none.
   * Errors: "bad-input" where it is damaged; "incomplete" where it was mined from another state of the pool (`poolHash`).
   */
  static async open(folder: string, name: string, poolHash: string): Promise<Mined | undefined> {
    const place = minedFolder(folder, name);
    const manifest = await readManifest(join(place, "mined.json"), minedSchema, {
      format: minedFormat,
      version: minedVersion,
      remake: "mine again with --force",
    });
    if (manifest === undefined) return undefined;
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
            `expected shape [${manifest.expressions}, ${manifest.depth}] in "${reader.path}", got ${quoteValue(reader.shape)}; mine again with --force`,
          );
        }
      }
      if (ids.dtype !== "int32") fail("bad-input", `expected int32 in "${ids.path}", got ${ids.dtype}`);
      const ownReader = await NpyReader.open(join(place, "own.npy"));
      const own = await ownReader.rowsAsFloat32(0, manifest.expressions).finally(() => ownReader.close());
      const extras: OpenExtras = {};
      for (const extra of Object.keys(minedExtras) as MinedExtra[]) {
        const opened = await openExtra(place, extra, manifest, readers);
        if (opened !== undefined) extras[extra] = opened;
      }
      const facts = extras.risk === undefined ? undefined : await readExtraFacts(place, "risk", riskFactsSchema);
      const sentences =
        extras.sentences === undefined ? undefined : await readExtraFacts(place, "sentences", sentenceFactsSchema);
      return new Mined({ manifest, own, ids, t2i, i2i, extras, facts, sentences });
    } catch (error) {
      await Promise.all(readers.map((reader) => reader.close()));
      throw error;
    }
  }

  private constructor(opened: {
    readonly manifest: MinedManifest;
    readonly own: Float32Array;
    readonly ids: NpyReader;
    readonly t2i: NpyReader;
    readonly i2i: NpyReader;
    readonly extras: OpenExtras;
    readonly facts: RiskFacts | undefined;
    readonly sentences: SentenceFacts | undefined;
  }) {
    this.manifest = opened.manifest;
    this.own = opened.own;
    this.#ids = opened.ids;
    this.#t2i = opened.t2i;
    this.#i2i = opened.i2i;
    this.#extras = opened.extras;
    this.coverage = opened.facts?.coverage;
    this.randomRisk = opened.facts?.random;
    this.sentenceFacts = opened.sentences;
    this.#more = (Object.keys(minedExtras) as MinedExtra[]).flatMap((name) => {
      const reader = minedExtras[name].of === "candidates" ? opened.extras[name]?.[0] : undefined;
      return reader === undefined ? [] : [[name as CandidateExtra, reader] as const];
    });
  }

  /** True where rows hold text-to-text scores. */
  get hasTextScores(): boolean {
    return this.#extras.t2t !== undefined;
  }

  /** True where rows hold estimated risks. */
  get hasRisk(): boolean {
    return this.#extras.risk !== undefined;
  }

  /** The candidates of an expression row, read by position. Imported lists that are shorter end where scores end. */
  row(expression: number): MinedRow {
    const { candidates, rank } = this.manifest;
    const t2i = this.#t2i.rowsAsFloat32Sync(expression, 1);
    let end = t2i.length;
    while (end > 0 && Number.isNaN(t2i[end - 1])) end--;
    const more: Partial<Record<CandidateExtra, Float32Array>> = {};
    for (const [name, reader] of this.#more) more[name] = reader.rowsAsFloat32Sync(expression, 1).subarray(0, end);
    return {
      ids: (this.#ids.rowsSync(expression, 1) as Int32Array).subarray(0, end),
      t2i: t2i.subarray(0, end),
      i2i: this.#i2i.rowsAsFloat32Sync(expression, 1).subarray(0, end),
      ...more,
      truncated: end < candidates.count,
      candidates: candidates.count,
      isRiskKnown: this.coverage?.isComplete !== false,
      rank,
    };
  }

  /** The images most like an image row, read by position; undefined where mining has not kept them. */
  neighbours(image: number): MinedNeighbours | undefined {
    const [idReader, scoreReader] = this.#extras.neighbours ?? [];
    if (idReader === undefined || scoreReader === undefined) return undefined;
    const ids = idReader.rowsSync(image, 1) as Int32Array;
    const scores = scoreReader.rowsAsFloat32Sync(image, 1);
    const end = ids.indexOf(-1);
    if (end >= 0) return { ids: ids.subarray(0, end), scores: scores.subarray(0, end), truncated: false };
    return { ids, scores, truncated: ids.length < this.manifest.candidates.count };
  }

  /** The sentences that score an image row best, read by position; undefined where mining has none for it. */
  sentences(image: number): MinedSentences | undefined {
    const [idReader, scoreReader, riskReader, kindReader] = this.#extras.sentences ?? [];
    if (idReader === undefined || scoreReader === undefined || riskReader === undefined || kindReader === undefined)
      return undefined;
    const ids = idReader.rowsSync(image, 1) as Int32Array;
    const listed = ids.indexOf(-1);
    const end = listed < 0 ? ids.length : listed;
    if (end === 0) return undefined;
    return {
      ids: ids.subarray(0, end),
      t2i: scoreReader.rowsAsFloat32Sync(image, 1).subarray(0, end),
      risk: riskReader.rowsAsFloat32Sync(image, 1).subarray(0, end),
      showsKind: kindReader.rowsAsFloat32Sync(image, 1).subarray(0, end),
      candidates: this.sentenceFacts?.candidates ?? end,
    };
  }

  async close(): Promise<void> {
    const readers = [this.#ids, this.#t2i, this.#i2i, ...Object.values(this.#extras).flat()];
    await Promise.all(readers.map((reader) => reader.close()));
  }
}

/** What the manifest of an extra says first. Errors: "bad-input" where it is damaged or of another version; undefined: none. */
export async function readExtraManifest(
  place: string,
  name: MinedExtra,
): Promise<{ readonly mined: unknown } | undefined> {
  const { format, version, manifest } = minedExtras[name];
  const value = await readManifestJson(join(place, manifest), { format, version, remake: "mine again" });
  return value === undefined ? undefined : { mined: (value as { mined?: unknown }).mined };
}

async function readExtraFacts<T>(place: string, name: MinedExtra, schema: z.ZodType<T>): Promise<T> {
  const { format, version, manifest } = minedExtras[name];
  const path = join(place, manifest);
  const result = schema.safeParse(await readManifestJson(path, { format, version, remake: "mine again" }));
  if (!result.success)
    fail("bad-input", `"${path}" has no valid value for (${result.error.issues[0]?.path.join(".")}); mine again`);
  return result.data;
}

/** Opens the files of an extra and adds them to `readers`; undefined where it is not there or of another mined set. */
async function openExtra(
  place: string,
  name: MinedExtra,
  { hash, expressions, depth }: MinedManifest,
  readers: NpyReader[],
): Promise<NpyReader[] | undefined> {
  const known = await readExtraManifest(place, name);
  if (known?.mined !== hash) return undefined;
  const kind: ExtraKind = minedExtras[name];
  const shape = kind.of === "candidates" ? [expressions, depth] : undefined;
  const opened: NpyReader[] = [];
  for (const { file, dtype } of Object.values(kind.columns)) {
    const reader = await NpyReader.open(join(place, file));
    opened.push(reader);
    readers.push(reader);
    if (reader.shape.length !== 2 || shape?.some((size, at) => reader.shape[at] !== size))
      fail(
        "bad-input",
        `expected shape ${quoteValue(shape ?? ["images", "n"])} in "${reader.path}", got ${quoteValue(reader.shape)}; mine again`,
      );
    if (reader.dtype !== dtype)
      fail("bad-input", `expected ${dtype} in "${reader.path}", got ${reader.dtype}; mine again`);
  }
  return opened;
}
