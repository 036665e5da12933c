/**
 * How completely a pool's images are annotated: whether an object that is not annotated is not there. A pool made from
 * refs alone knows only what somebody spoke of; then no estimate can say that an image lacks a thing.
 */
import type { AnnotationCoverage, Pool } from "../pool/index.ts";

/** `landmarksOf` gives for an expression the categories that each of its landmark words names. */
export function measureCoverage(
  pool: Pool,
  landmarksOf: (expression: number) => readonly ReadonlySet<string>[],
): AnnotationCoverage {
  const referred = new Uint8Array(pool.annotations.count);
  for (let ref = 0; ref < pool.refs.count; ref++) for (const row of pool.targetsOfRef(ref)) referred[row] = 1;
  const annotationsPerImage = pool.annotations.count / Math.max(1, pool.images.count);
  const referredShare = referred.reduce((total, value) => total + value, 0) / Math.max(1, pool.annotations.count);
  let [landmarks, landmarksAnnotated] = [0, 0];
  for (let expression = 0; expression < pool.expressions.count; expression++) {
    const ref = pool.expressions.ref[expression]!;
    if (pool.targetsOfRef(ref).length === 0) continue;
    for (const named of landmarksOf(expression)) {
      landmarks++;
      const annotations = pool.annotationsOfImage(pool.refs.image[ref]!);
      if (annotations.some((row) => named.has(pool.annotations.category[row] ?? ""))) landmarksAnnotated++;
    }
  }
  return {
    annotationsPerImage,
    referredShare,
    landmarks,
    landmarksAnnotated,
    ...verdictOn({ referredShare, landmarks, landmarksAnnotated }),
  };
}

function verdictOn({
  referredShare,
  landmarks,
  landmarksAnnotated,
}: Pick<AnnotationCoverage, "referredShare" | "landmarks" | "landmarksAnnotated">): {
  isComplete: boolean;
  reason: string;
} {
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  if (landmarks >= leastLandmarks) {
    const share = landmarksAnnotated / landmarks;
    return {
      isComplete: share >= leastAnnotated,
      reason: `of ${landmarks} landmarks that sentences name, ${percent(share)} are annotated in their image`,
    };
  }
  return {
    isComplete: referredShare < mostReferred,
    reason:
      referredShare < mostReferred
        ? `${percent(1 - referredShare)} of annotations are of objects that no sentence is about`
        : `${percent(referredShare)} of annotations are of objects that a sentence is about: others may be there, unannotated`,
  };
}

/** Fewer landmarks than this say too little. */
const leastLandmarks = 30;
const leastAnnotated = 0.8;
const mostReferred = 0.95;
