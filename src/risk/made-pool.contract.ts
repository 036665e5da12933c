import type { AnnotationMeasures, Pool } from "../pool/index.ts";

/** A thing in a picture of 100 × 100: its category, what is said of it, and its box. */
export interface Thing {
  readonly category: string;
  readonly sentences?: readonly string[];
  readonly box?: readonly [x: number, y: number, width: number, height: number];
}

/** Refs beside those of single things: the image, the places of their targets in it (none: no-target), what is said. */
export interface MoreRef {
  readonly image: number;
  readonly things: readonly number[];
  readonly sentences: readonly string[];
}

export interface MadePool {
  readonly pool: Pool;
  readonly measures: AnnotationMeasures;
  /** The row of an expression, the first that reads so. */
  expression(sentence: string): number;
}

/** As much of a pool as the estimate reads, made of the things in each image. */
export function poolOf(images: readonly (readonly Thing[])[], more: readonly MoreRef[] = []): MadePool {
  const flat = images.flatMap((things, image) => things.map((thing, place) => ({ ...thing, image, place })));
  const rowOf = (image: number, place: number): number =>
    flat.findIndex((thing) => thing.image === image && thing.place === place);
  const single = flat.flatMap(({ image, place, sentences = [] }) =>
    sentences.length > 0 ? [{ image, things: [place], sentences }] : [],
  );
  const refs = [...single, ...more];
  const sent = refs.flatMap(({ sentences }) => sentences);
  const starts = [0];
  for (const { sentences } of refs) starts.push(starts.at(-1)! + sentences.length);
  const size = new Array<number>(images.length).fill(100);
  const pool = {
    expressions: { count: sent.length, sent, ref: refs.flatMap(({ sentences }, ref) => sentences.map(() => ref)) },
    refs: { count: refs.length, image: refs.map(({ image }) => image) },
    annotations: {
      count: flat.length,
      image: Int32Array.from(flat, ({ image }) => image),
      category: flat.map(({ category }) => category),
    },
    images: { count: images.length, width: size, height: size },
    expressionsOfRef: (ref: number) => [starts[ref]!, starts[ref + 1]!],
    targetsOfRef: (ref: number) => refs[ref]!.things.map((place) => rowOf(refs[ref]!.image, place)),
    annotationsOfImage: (image: number) => flat.flatMap((thing, row) => (thing.image === image ? [row] : [])),
  } as unknown as Pool;
  return {
    pool,
    measures: {
      area: new Float64Array(flat.length),
      box: (row) => {
        const [x, y, width, height] = flat[row]!.box ?? [45, 45, 10, 10];
        return [x, y, width, height];
      },
    },
    expression: (sentence) => sent.indexOf(sentence),
  };
}
