import type { BandContext, CandidateRow } from "../band/index.ts";
import { hashJson } from "../io/index.ts";
import { type Rle, rleArea, rleBox } from "../kernels/index.ts";
import { fail, resampleVersions, unknownName } from "../model/index.ts";
import type { PlanFacts, SentenceFacts } from "../plan/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import { drawsNegatives, type ResolvedSettings, type ScoreSummary } from "../settings/index.ts";
import type { PictureObject } from "../styles/index.ts";
import { hubCutsOf } from "./hubs.ts";
import type { ImageVectors } from "./image-vectors.ts";

/** The splits of a pool's refs, most refs first. */
export function splitsOf(pool: Pool): string[] {
  const counts = new Map<string, number>();
  for (const split of pool.refs.split) counts.set(split, (counts.get(split) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([split]) => split);
}

/** Rows of the images that a ref of one of `splits` is about, ascending. Errors: "usage" for a split the pool lacks. */
export function imagesOfSplits(pool: Pool, splits: readonly string[]): Int32Array {
  const known = splitsOf(pool);
  for (const split of splits) if (!known.includes(split)) throw unknownName("split", split, known);
  const wanted = new Set(splits);
  const isIn = new Uint8Array(pool.images.count);
  pool.refs.split.forEach((split, ref) => {
    if (wanted.has(split)) isIn[pool.refs.image[ref]!] = 1;
  });
  return Int32Array.from(isIn.keys()).filter((row) => isIn[row] === 1);
}

/** The mined scores that "auto" thresholds are derived from. */
export function scoreSummary(mined: Mined | undefined): ScoreSummary | undefined {
  if (mined === undefined) return undefined;
  const { own, i2i } = mined.manifest.scores;
  return { ownMedian: own["0.5"] ?? null, ownLower: own["0.25"] ?? null, i2iHigh: i2i["0.95"] ?? null };
}

/** What plans depend on beside the pool's tables and the settings. */
export interface PlanInputs {
  /** Hash of the mined set; absent where there is none. */
  readonly mined?: string;
  /** Of the sentences mined for images, where the settings draw of them. */
  readonly sentences?: string | undefined;
  readonly judgements?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The identity of resolved settings and inputs in plans: changes with anything that could change a sample. */
export function settingsHash(settings: ResolvedSettings, inputs: PlanInputs = {}): string {
  const { tokens: _tokens, onBadImage: _onBadImage, ...drawn } = settings;
  const judged = [...(inputs.judgements ?? [])]
    .filter(([, images]) => images.size > 0)
    .map(([expression, images]): [string, string[]] => [expression, [...images].sort()])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return hashJson({
    ...withoutOff(drawn),
    resampleVersion: resampleVersions[settings.resample],
    minedHash: inputs.mined ?? null,
    ...(drawsNegatives(settings, "mined") ? { sentences: inputs.sentences ?? null } : {}),
    judged,
  });
}

/** Rules that came later and are off say nothing, so that samples drawn before keep their hash. */
function withoutOff<T extends Pick<ResolvedSettings, "band" | "guards" | "gres">>(settings: T): object {
  const { risk, prefer, ...band } = settings.band;
  const { sameSentence, ...guards } = settings.guards;
  const { negativeSentence, negativeSource, ...gres } = settings.gres;
  return {
    ...settings,
    gres: { ...gres, ...(negativeSentence > 0 ? { negativeSentence, negativeSource } : {}) },
    band: { ...band, ...(risk === null ? {} : { risk }), ...(prefer === "score" ? {} : { prefer }) },
    guards: { ...guards, ...(sameSentence ? { sameSentence } : {}) },
  };
}

export interface FactsOptions {
  readonly split: string;
  /** ref or expression; validation and test splits run over expressions. */
  readonly unit: "ref" | "expression";
  readonly settings: ResolvedSettings;
  readonly mined: Mined | undefined;
  /** False negatives by expression key → image hashes. */
  readonly judgements: ReadonlyMap<string, ReadonlySet<string>>;
  /** Where draws mind diversity. */
  readonly vectors?: ImageVectors;
  /** Where samples have sentences that are false of their image. */
  readonly sentences?: SentenceFacts | undefined;
}

/**
 * What planning needs to know, over an open pool. Refs without a sentence are left out. Looks at all mined candidates
 * once where there is a hub cap. Errors: "usage" for a split the pool lacks.
 */
export function planFacts(pool: Pool, options: FactsOptions): PlanFacts {
  const { split, unit, settings, mined, judgements, vectors, sentences } = options;
  const splits = splitsOf(pool);
  if (!splits.includes(split)) throw unknownName("split", split, splits);
  const refOf = pool.expressions.ref;
  const refs = rowsWhere(pool.refs.count, (ref) => {
    const [start, end] = pool.expressionsOfRef(ref);
    return pool.refs.split[ref] === split && end > start;
  });
  const units =
    unit === "ref" ? refs : rowsWhere(pool.expressions.count, (row) => pool.refs.split[refOf[row]!] === split);
  const judgedRows = judgedByRow(pool, judgements);
  const sameSentence = settings.guards.sameSentence ? imagesBySentence(pool) : undefined;
  const refOfExpression = (row: number): number => refOf[row] ?? fail("internal", `no expression row ${row}`);
  const plainContext = (expression: number): BandContext => {
    const ref = refOfExpression(expression);
    const targets = pool.targetsOfRef(ref).length;
    const judged = judgedRows.get(expression);
    const same = sameSentence?.(expression);
    const ownScore = targets > 0 ? mined?.own[expression] : undefined;
    return {
      ownImage: pool.refs.image[ref]!,
      targets,
      expression,
      ...(judged === undefined ? {} : { judged }),
      ...(same === undefined ? {} : { sameSentence: same }),
      ...(ownScore === undefined || Number.isNaN(ownScore) ? {} : { ownScore }),
    };
  };
  const hubs =
    mined === undefined
      ? undefined
      : hubCutsOf(mined, pool.images.count, expressionsOf(pool, refs), plainContext, settings);
  let byImage: Map<number, number[]> | undefined;
  return {
    pool: pool.manifest.hash,
    settings: settingsHash(settings, {
      ...(mined === undefined ? {} : { mined: mined.manifest.hash, sentences: mined.sentenceFacts?.hash }),
      judgements,
    }),
    units,
    unit,
    refs,
    candidateImages: imagesOfSplits(pool, mined?.manifest.candidates.splits ?? [split]),
    expressionsOfRef: (ref) => pool.expressionsOfRef(ref),
    refOfExpression,
    refsOfImage: (image) => {
      byImage ??= groupedBy(refs, (ref) => pool.refs.image[ref]!);
      return byImage.get(image) ?? [];
    },
    expression: (row) => ({ key: pool.expressionKey(row), text: pool.expressions.sent[row] ?? "" }),
    ref: (row) => ({
      image: pool.refs.image[row] ?? 0,
      masks: Array.from(pool.targetsOfRef(row), (target) => pool.annotationKey(target)),
    }),
    image: (row) => ({
      key: pool.images.hash[row] ?? "",
      width: pool.images.width[row] ?? 0,
      height: pool.images.height[row] ?? 0,
    }),
    targetMask: memoize((ref): Rle | undefined => {
      const targets = pool.targetsOfRef(ref);
      return targets.length === 0 ? undefined : pool.mask(pool.refs.image[ref]!, targets);
    }),
    objectsOfImage: memoize((image) => objectsOf(pool, image)),
    candidates: (row): CandidateRow | undefined => mined?.row(row),
    bandContext: (row) => (hubs === undefined ? plainContext(row) : { ...plainContext(row), hubs }),
    judged: (row) => judgedRows.get(row),
    neighbours: (image) => mined?.neighbours(image),
    ...(sentences === undefined ? {} : { sentences }),
    imageVector: (image) =>
      vectors?.read(image) ?? fail("incomplete", "the image vectors that draws by diversity need are not open"),
  };
}

function rowsWhere(count: number, isWanted: (row: number) => boolean): Int32Array {
  return Int32Array.from({ length: count }, (_, row) => row).filter(isWanted);
}

function* expressionsOf(pool: Pool, refs: Int32Array): Generator<number> {
  for (const ref of refs) {
    const [start, end] = pool.expressionsOfRef(ref);
    for (let row = start; row < end; row++) yield row;
  }
}

function groupedBy(rows: Int32Array, keyOf: (row: number) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

function objectsOf(pool: Pool, image: number): PictureObject[] {
  return Array.from(pool.annotationsOfImage(image)).flatMap((row) => {
    if (pool.annotations.isCrowd[row] === 1) return [];
    const mask = pool.mask(image, [row]);
    const area = rleArea(mask);
    const category = pool.annotations.category[row] ?? "";
    return area === 0 ? [] : [{ key: pool.annotationKey(row), category, box: rleBox(mask), area }];
  });
}

/** Masks and objects are asked for again every epoch; run lengths are small. */
function memoize<T>(make: (row: number) => T): (row: number) => T {
  const known = new Map<number, T>();
  return (row) => {
    if (known.has(row)) return known.get(row) as T;
    if (known.size >= mostRemembered) known.clear();
    const value = make(row);
    known.set(row, value);
    return value;
  };
}

const mostRemembered = 50_000;

/**
 * For an expression the images of which the same sentence is said of something, letter case and punctuation apart; undefined
 * where it stands at its own image only.
 */
function imagesBySentence(pool: Pool): (expression: number) => ReadonlySet<number> | undefined {
  const groups = new Map<string, number>();
  const images: number[][] = [];
  const groupOf = Int32Array.from(pool.expressions.sent, (sentence, row) => {
    const words =
      sentence
        .toLowerCase()
        .match(/[\p{L}\p{M}\p{N}]+/gu)
        ?.join(" ") ?? "";
    const group = groups.get(words) ?? groups.size;
    if (group === groups.size) {
      groups.set(words, group);
      images.push([]);
    }
    const ref = pool.expressions.ref[row]!;
    const image = pool.refs.image[ref]!;
    const isTrue = words !== "" && pool.targetsOfRef(ref).length > 0;
    if (isTrue && images[group]?.at(-1) !== image) images[group]?.push(image);
    return group;
  });
  const sets = new Map<number, ReadonlySet<number>>();
  return (expression) => {
    const group = groupOf[expression]!;
    const known = sets.get(group);
    if (known !== undefined) return known;
    const own = pool.refs.image[pool.expressions.ref[expression]!];
    const rows = images[group] ?? [];
    if (rows.every((image) => image === own)) return undefined;
    const made = new Set(rows);
    sets.set(group, made);
    return made;
  };
}

function judgedByRow(
  pool: Pool,
  judgements: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<number, ReadonlySet<number>> {
  const judged = new Map<number, ReadonlySet<number>>();
  for (const [key, images] of judgements) {
    const rows = [...images].flatMap((hash) => rowOrNothing(() => pool.imageRow(hash)));
    for (const expression of rowOrNothing(() => pool.expressionRow(key))) judged.set(expression, new Set(rows));
  }
  return judged;
}

/** Judgements outlive pools: one on an image or expression that is gone says nothing. */
function rowOrNothing(find: () => number): number[] {
  try {
    return [find()];
  } catch {
    return [];
  }
}
