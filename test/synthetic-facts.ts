import type { BandContext, CandidateRow } from "../src/band/index.ts";
import { CounterRandom, type Rle, rleFromMask } from "../src/kernels/index.ts";
import type { Neighbours, PlanFacts, SentenceFacts } from "../src/plan/index.ts";

type Box = readonly [x: number, y: number, width: number, height: number];

export interface SyntheticOptions {
  readonly images?: number;
  /** Candidates per expression; all images where it is at least as many. */
  readonly depth?: number;
  /** Sentences, by expression: two a ref, one ref an image unless `refsPerImage` says otherwise. */
  readonly textOf?: (expression: number) => string;
  readonly refsPerImage?: (image: number) => number;
  /** Targets of a ref; default 1. */
  readonly targetsOf?: (ref: number) => number;
  /** The target's box in a 40 × 30 image. */
  readonly boxOf?: (ref: number) => Box;
  readonly neighbours?: (image: number) => Neighbours | undefined;
  readonly t2t?: (expression: number, image: number) => number;
  /** The chance that an expression is true of an image. */
  readonly risk?: (expression: number, image: number) => number;
  /** Whether an image shows an object of the target's kind. */
  readonly showsKind?: (expression: number, image: number) => boolean;
  /** Annotated objects beside the targets, in a 40 × 30 image. */
  readonly othersOf?: (image: number) => readonly { readonly category: string; readonly box: Box }[];
  /** The category of a ref's target; default "thing". */
  readonly categoryOf?: (ref: number) => string;
  readonly sentences?: SentenceFacts;
}

export interface SyntheticFacts extends PlanFacts {
  /** The scores that lists are made of. */
  t2i(expression: number, image: number): number;
  i2i(a: number, b: number): number;
  imageOfKey(key: string): number;
  refCount: number;
}

const width = 40;
const height = 30;

/** Facts without a pool: pseudo-random scores in [0, 1), everything in memory, so that 100,000 plans take seconds. */
export function syntheticFacts(options: SyntheticOptions = {}): SyntheticFacts {
  const { images = 60, depth = images, refsPerImage = () => 1, targetsOf = () => 1 } = options;
  const textOf = options.textOf ?? ((expression: number) => `thing ${expression}`);
  const refImage = Array.from({ length: images }, (_, image) =>
    Array.from({ length: refsPerImage(image) }, () => image),
  ).flat();
  const score = (a: number, b: number, stream: number): number =>
    Math.fround(new CounterRandom(7, a, b, stream).float());
  const t2i = (expression: number, image: number): number => score(expression, image, 1);
  const i2i = (a: number, b: number): number => (a === b ? 1 : score(Math.min(a, b), Math.max(a, b), 2));
  const ownImage = (expression: number): number => refImage[expression >> 1]!;
  const rows = refImage
    .flatMap((_, ref) => [2 * ref, 2 * ref + 1])
    .map((expression): CandidateRow => {
      const ids = Array.from({ length: images }, (_, image) => image)
        .sort((a, b) => t2i(expression, b) - t2i(expression, a) || a - b)
        .slice(0, depth);
      return {
        ids: Int32Array.from(ids),
        t2i: Float32Array.from(ids, (image) => t2i(expression, image)),
        i2i: Float32Array.from(ids, (image) => i2i(ownImage(expression), image)),
        ...(options.t2t === undefined
          ? {}
          : { t2t: Float32Array.from(ids, (image) => options.t2t?.(expression, image) ?? -1) }),
        ...(options.risk === undefined
          ? {}
          : { risk: Float32Array.from(ids, (image) => options.risk?.(expression, image) ?? Number.NaN) }),
        ...(options.showsKind === undefined
          ? {}
          : { showsKind: ids.map((image) => (options.showsKind?.(expression, image) ? 1 : 0)) }),
        truncated: depth < images,
        rank: "t2i",
      };
    });
  const masks = new Map<number, Rle>();
  const vectors = new Map<number, Float32Array>();
  return {
    pool: "pool",
    settings: "settings",
    units: Int32Array.from(refImage.keys()),
    unit: "ref",
    refs: Int32Array.from(refImage.keys()),
    refCount: refImage.length,
    candidateImages: Int32Array.from({ length: images }, (_, image) => image),
    expressionsOfRef: (ref) => [2 * ref, 2 * ref + 2],
    refOfExpression: (expression) => expression >> 1,
    refsOfImage: (image) => refImage.flatMap((own, ref) => (own === image ? [ref] : [])),
    expression: (row) => ({ key: `s/${row >> 1}/${row & 1}`, text: textOf(row) }),
    ref: (row) => ({
      image: refImage[row]!,
      masks: Array.from({ length: targetsOf(row) }, (_, target) => `s/${row}-${target}`),
    }),
    image: (row) => ({ key: `image-${row}`, width, height }),
    imageOfKey: (key) => Number(key.slice(6)),
    targetMask: (ref) => {
      if (targetsOf(ref) === 0) return undefined;
      const known = masks.get(ref);
      if (known !== undefined) return known;
      const [x, y, w, h] = options.boxOf?.(ref) ?? [10, 8, 12, 9];
      const mask = new Uint8Array(width * height);
      for (let row = y; row < y + h; row++) mask.fill(1, row * width + x, row * width + x + w);
      const made = rleFromMask(mask, height, width);
      masks.set(ref, made);
      return made;
    },
    objectsOfImage: (image) => {
      const own = refImage.flatMap((of, ref) => {
        const box = options.boxOf?.(ref) ?? ([10, 8, 12, 9] as const);
        const category = options.categoryOf?.(ref) ?? "thing";
        return of === image && targetsOf(ref) > 0 ? [{ key: `s/${ref}-0`, category, box, area: box[2] * box[3] }] : [];
      });
      const others = (options.othersOf?.(image) ?? []).map(({ category, box }, at) => {
        return { key: `s/other-${image}-${at}`, category, box, area: box[2] * box[3] };
      });
      return [...own, ...others];
    },
    candidates: (expression) => rows[expression],
    bandContext: (expression): BandContext => {
      const targets = targetsOf(expression >> 1);
      const own = ownImage(expression);
      return { ownImage: own, expression, targets, ...(targets > 0 ? { ownScore: t2i(expression, own) } : {}) };
    },
    judged: () => undefined,
    neighbours: (image) => options.neighbours?.(image),
    ...(options.sentences === undefined ? {} : { sentences: options.sentences }),
    imageVector: (image) => {
      const known = vectors.get(image);
      if (known !== undefined) return known;
      const random = new CounterRandom(9, image, 0, 3);
      const raw = Float32Array.from({ length: 8 }, () => random.float() - 0.5);
      const length = Math.hypot(...raw);
      const made = raw.map((value) => value / length);
      vectors.set(image, made);
      return made;
    },
    t2i,
    i2i,
  };
}
