import { rleFromMask } from "../kernels/index.ts";
import type { Pool } from "../pool/index.ts";

export interface Thing {
  readonly category: string;
  readonly box: readonly [x: number, y: number, width: number, height: number];
  readonly isCrowd?: boolean;
}
export interface Ref {
  readonly image: number;
  /** Things by their place in the image. */
  readonly targets: readonly number[];
  readonly sentences: readonly string[];
}

/** As much of a pool as edits look at, in memory. */
export function poolOf(
  images: readonly (readonly Thing[])[],
  refs: readonly Ref[],
  [width, height] = [100, 100],
): Pool {
  const all = images.flatMap((things, image) => things.map((thing) => ({ image, ...thing })));
  const firstOf = images.map((_, image) => all.findIndex((thing) => thing.image === image));
  const starts = refs.map((_, at) => refs.slice(0, at).reduce((sum, ref) => sum + ref.sentences.length, 0));
  return {
    annotations: {
      count: all.length,
      image: all.map(({ image }) => image),
      category: all.map(({ category }) => category),
      isCrowd: all.map(({ isCrowd }) => (isCrowd === true ? 1 : 0)),
    },
    refs: { count: refs.length, image: refs.map(({ image }) => image) },
    expressions: {
      sent: refs.flatMap(({ sentences }) => sentences),
      ref: refs.flatMap(({ sentences }, ref) => sentences.map(() => ref)),
    },
    images: { width: images.map(() => width), height: images.map(() => height) },
    expressionsOfRef: (ref: number) => [starts[ref], (starts[ref] ?? 0) + (refs[ref]?.sentences.length ?? 0)],
    targetsOfRef: (ref: number) =>
      (refs[ref]?.targets ?? []).map((place) => (firstOf[refs[ref]?.image ?? 0] ?? 0) + place),
    annotationsOfImage: (image: number) => all.flatMap((thing, row) => (thing.image === image ? [row] : [])),
    mask: (_: number, rows: readonly number[]) => {
      const mask = new Uint8Array(width * height);
      for (const row of rows) {
        const [x, y, w, h] = all[row]?.box ?? [0, 0, 0, 0];
        for (let line = y; line < y + h; line++) mask.fill(1, line * width + x, line * width + x + w);
      }
      return rleFromMask(mask, height, width);
    },
  } as unknown as Pool;
}
