/**
 * All that the estimate reads of a pool, as arrays: threads share them, and its loops look nothing up by name.
 *
 *   images        i → objects objectStarts[i] .. objectStarts[i + 1], and their categories, each once, in `kinds`
 *   objects       annotations, numbered in the order of their images
 *   refs          r → expressions expressionStarts[r] .. [r + 1], targets as objects
 *   expressions   e → content words wordStarts[e] .. [e + 1], as ids
 */
import { rleBox } from "../kernels/index.ts";
import type { AnnotationMeasures, Pool } from "../pool/index.ts";
import { contentWords } from "./sentences.ts";

export interface RiskFacts {
  /** The names of the categories; "" is a category of which nothing is known. */
  readonly categories: readonly string[];
  /** Words in the order of their first use. */
  readonly words: readonly string[];
  readonly sentences: readonly string[];
  readonly objectStarts: Int32Array;
  readonly kindStarts: Int32Array;
  readonly kinds: Int32Array;
  /** Per object. */
  readonly category: Int32Array;
  /** The annotation row of each object. */
  readonly annotation: Int32Array;
  /** Per object the middle of its box and its size, as shares of the image; NaN: not measured yet. */
  readonly across: Float64Array;
  readonly down: Float64Array;
  readonly share: Float64Array;
  readonly expressionStarts: Int32Array;
  readonly targetStarts: Int32Array;
  readonly targets: Int32Array;
  /** Per expression. */
  readonly ref: Int32Array;
  readonly wordStarts: Int32Array;
  readonly wordIds: Int32Array;
}

/** Reads the facts of a pool; boxes where the dataset states them, others by `measureBox` when they are asked for. */
export function readFacts(pool: Pool, measures: AnnotationMeasures | undefined): RiskFacts {
  const words = wordsOf(pool.expressions.sent);
  const objects = objectsOf(pool);
  const refs = refsOf(pool, objects.annotation);
  const measured = () => numbers(objects.count).fill(Number.NaN);
  const facts: RiskFacts = {
    ...words,
    ...objects,
    ...refs,
    across: measured(),
    down: measured(),
    share: measured(),
    sentences: [...pool.expressions.sent],
  };
  for (let object = 0; object < objects.count; object++) {
    const stated = measures?.box(objects.annotation[object]!) ?? null;
    if (stated !== null && stated[2] > 0 && stated[3] > 0) setBox(facts, pool, object, stated);
  }
  return facts;
}

/** Objects whose boxes are not stated, until they are measured. */
export function unmeasuredObjects({ share }: RiskFacts): Int32Array {
  return Int32Array.from(share.keys()).filter((object) => Number.isNaN(share[object]!));
}

/** Where an object's box is not stated, takes that of its mask. */
export function measureBox(facts: RiskFacts, pool: Pool, object: number): void {
  if (!Number.isNaN(facts.share[object]!)) return;
  const annotation = facts.annotation[object]!;
  setBox(facts, pool, object, rleBox(pool.mask(pool.annotations.image[annotation]!, [annotation])));
}

function setBox(
  facts: RiskFacts,
  pool: Pool,
  object: number,
  [x, y, width, height]: readonly [number, number, number, number],
): void {
  const image = pool.annotations.image[facts.annotation[object]!]!;
  const [across, down] = [Math.max(1, pool.images.width[image]!), Math.max(1, pool.images.height[image]!)];
  facts.across[object] = x / across + width / across / 2;
  facts.down[object] = y / down + height / down / 2;
  facts.share[object] = (width / across) * (height / down);
}

function wordsOf(sentences: readonly string[]): Pick<RiskFacts, "words" | "wordStarts" | "wordIds"> {
  const ids = new Map<string, number>();
  const known = new Map<string, Int32Array>();
  const starts = integers(sentences.length + 1);
  const each = sentences.map((sentence, row) => {
    let made = known.get(sentence);
    if (made === undefined) {
      made = Int32Array.from(contentWords(sentence), (word) => {
        const id = ids.get(word) ?? ids.size;
        ids.set(word, id);
        return id;
      });
      known.set(sentence, made);
    }
    starts[row + 1] = starts[row]! + made.length;
    return made;
  });
  const wordIds = integers(starts[sentences.length]!);
  for (const [row, some] of each.entries()) wordIds.set(some, starts[row]!);
  return { words: [...ids.keys()], wordStarts: starts, wordIds };
}

function objectsOf(pool: Pool): Pick<
  RiskFacts,
  "categories" | "objectStarts" | "kindStarts" | "kinds" | "category" | "annotation"
> & {
  readonly count: number;
} {
  const ids = new Map<string, number>();
  for (const name of pool.annotations.category) if (!ids.has(name)) ids.set(name, ids.size);
  const images = pool.images.count;
  const objectStarts = integers(images + 1);
  const kindStarts = integers(images + 1);
  const annotation = integers(pool.annotations.count);
  const category = integers(pool.annotations.count);
  const kinds: number[] = [];
  let count = 0;
  for (let image = 0; image < images; image++) {
    const own = new Set<number>();
    for (const row of pool.annotationsOfImage(image)) {
      annotation[count] = row;
      category[count] = ids.get(pool.annotations.category[row]!)!;
      own.add(category[count]!);
      count++;
    }
    for (const id of own) kinds.push(id);
    objectStarts[image + 1] = count;
    kindStarts[image + 1] = kinds.length;
  }
  const all = integers(kinds.length);
  all.set(kinds);
  return { categories: [...ids.keys()], objectStarts, kindStarts, kinds: all, category, annotation, count };
}

function refsOf(
  pool: Pool,
  annotation: Int32Array,
): Pick<RiskFacts, "expressionStarts" | "targetStarts" | "targets" | "ref"> {
  const objectOf = new Int32Array(pool.annotations.count);
  for (const [object, row] of annotation.entries()) objectOf[row] = object;
  const expressionStarts = integers(pool.refs.count + 1);
  const targetStarts = integers(pool.refs.count + 1);
  const all: number[] = [];
  for (let ref = 0; ref < pool.refs.count; ref++) {
    for (const row of pool.targetsOfRef(ref)) all.push(objectOf[row]!);
    targetStarts[ref + 1] = all.length;
    expressionStarts[ref + 1] = pool.expressionsOfRef(ref)[1];
  }
  const targets = integers(all.length);
  targets.set(all);
  const ref = integers(pool.expressions.count);
  ref.set(pool.expressions.ref);
  return { expressionStarts, targetStarts, targets, ref };
}

/** In memory that threads share. */
function integers(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

function numbers(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(8 * length));
}
