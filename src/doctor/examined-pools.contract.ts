import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { silentProgress } from "../io/index.ts";
import { CounterRandom } from "../kernels/index.ts";
import type { Box, DatasetRecord, Segmentation } from "../model/index.ts";
import { importPool, Pool } from "../pool/index.ts";
import { type Examination, type ExamineOptions, examinePool } from "./index.ts";

export const examineOptions: ExamineOptions = {
  published: () => undefined,
  fast: false,
  nearDuplicate: 0.97,
  concurrency: 4,
  progress: silentProgress,
};
export const codes = ({ findings }: Examination, severity?: string): string[] =>
  findings.filter((finding) => severity === undefined || finding.severity === severity).map(({ code }) => code);
export const found = (examination: Examination, code: string) =>
  examination.findings.find((finding) => finding.code === code);

export interface Ref {
  readonly image: string;
  readonly split: string;
  readonly parts?: readonly (readonly number[])[];
  readonly segmentation?: Segmentation;
  readonly sentences?: readonly string[];
  readonly box?: Box;
  readonly area?: number;
}

/** Noise with a few broad shapes, so that pictures differ as photographs do. */
export function picture(seed: number, width = 60, height = 50): ReturnType<typeof sharp> {
  const random = new CounterRandom(seed, 0, 0, 1);
  const blobs = Array.from(
    { length: 12 },
    () => [random.below(width), random.below(height), random.below(256), 5 + random.below(20)] as const,
  );
  const data = new Uint8Array(width * height * 3);
  for (let at = 0; at < data.length; at++) {
    const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    const inside = blobs.filter(([bx, by, , radius]) => Math.hypot(x - bx, y - by) < radius).at(-1);
    data[at] = inside?.[2] ?? 30;
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

export const square = [5, 5, 25, 5, 25, 25, 5, 25];

/** A pool below `home` of refs on images that lie in `home`/images already, unless `place` says otherwise. */
export async function poolOf(
  home: string,
  name: string,
  refs: readonly Ref[],
  place?: { folder?: string; images?: string; splitBy?: string },
): Promise<string> {
  const folder = place?.folder ?? (await mkdtemp(join(home, "pool-")));
  const images = place?.images ?? join(home, "images");
  async function* records(): AsyncGenerator<DatasetRecord> {
    const seen = new Set<string>();
    for (const { image } of refs) {
      if (seen.has(image)) continue;
      seen.add(image);
      yield { type: "image", id: image, file: image };
    }
    for (const [at, ref] of refs.entries()) {
      const segmentation = ref.segmentation ?? { kind: "polygons", parts: ref.parts ?? [square] };
      const box = { ...(ref.box && { box: ref.box }), ...(ref.area && { area: ref.area }) };
      yield {
        type: "annotation",
        id: `a${at}`,
        imageId: ref.image,
        category: "thing",
        segmentation,
        isCrowd: false,
        ...box,
      };
      yield { type: "ref", id: `r${at}`, imageId: ref.image, annotationIds: [`a${at}`], split: ref.split };
      for (const [n, sent] of (ref.sentences ?? [`thing ${at}`]).entries())
        yield { type: "expression", id: `${at}-${n}`, refId: `r${at}`, raw: sent, sent };
    }
  }
  const source = {
    format: "test",
    name,
    imagesFolder: images,
    files: [],
    warnings: [],
    records,
    ...(place?.splitBy === undefined ? {} : { splitBy: place.splitBy }),
  };
  await importPool(folder, source, { onBad: "fail", pack: false, force: false, progress: silentProgress });
  return folder;
}

export async function picturesAt(folder: string, seeds: readonly number[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const seed of seeds)
    await picture(seed)
      .jpeg({ quality: 95 })
      .toFile(join(folder, `${seed}.jpg`));
}

export async function examineFolder(folder: string, more: Partial<ExamineOptions> = {}): Promise<Examination> {
  const pool = await Pool.open(folder);
  try {
    return await examinePool(pool, { ...examineOptions, ...more });
  } finally {
    await pool.close();
  }
}

export const healthy: readonly Ref[] = [1, 2, 3]
  .map((seed) => ({ image: `${seed}.jpg`, split: "train" }))
  .concat([{ image: "4.jpg", split: "val" }]);
