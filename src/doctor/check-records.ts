import { rleArea, rleOverlapArea, rleUnion } from "../kernels/index.ts";
import { NemosaicError, type Segmentation } from "../model/index.ts";
import { type AnnotationMeasures, type Pool, readMeasures } from "../pool/index.ts";
import { checkBoxes } from "./check-boxes.ts";
import { Cases, type Finding, plural } from "./finding.ts";

/** Pixels by which published polygons stray over an image's border without harm. */
const harmlessPx = 1;

/** Looks at sentences, ids and the masks of every target. */
export async function checkRecords(pool: Pool): Promise<Finding[]> {
  const measures = await readMeasures(pool);
  return [...checkIds(pool), ...checkSentences(pool), ...checkMasks(pool, measures), ...checkBoxes(pool, measures)];
}

function checkIds(pool: Pool): Finding[] {
  const found: Finding[] = [];
  const kinds: readonly [noun: string, keys: string[]][] = [
    ["ref", pool.refs.id.map((id, row) => `${pool.refs.source[row]}/${id}`)],
    ["sentence", Array.from({ length: pool.expressions.count }, (_, row) => pool.expressionKey(row))],
    ["annotation", Array.from({ length: pool.annotations.count }, (_, row) => pool.annotationKey(row))],
  ];
  for (const [noun, keys] of kinds) {
    const cases = new Cases();
    const seen = new Set<string>();
    for (const key of keys) {
      if (seen.has(key)) cases.add(() => key);
      seen.add(key);
    }
    found.push(
      ...cases.finding(
        "error",
        `duplicate-${noun}`,
        (n) => `${plural(n, `${noun} id`)} used twice`,
        "give each its own id in the dataset and import again; plans and judgements name records by id",
      ),
    );
  }
  return found;
}

function checkSentences(pool: Pool): Finding[] {
  const empty = new Cases();
  const ambiguous = new Cases();
  const silent = new Cases();
  const meant = new Map<string, number>();
  for (let row = 0; row < pool.expressions.count; row++) {
    const text = (pool.expressions.sent[row] ?? "").trim();
    if (text === "") empty.add(() => pool.expressionKey(row));
    const ref = pool.expressions.ref[row] ?? 0;
    const key = `${pool.refs.source[ref]}\n${pool.refs.image[ref]}\n${text.toLowerCase()}`;
    const other = meant.get(key);
    if (other === undefined) meant.set(key, ref);
    else if (text !== "" && targetsText(pool, other) !== targetsText(pool, ref)) {
      ambiguous.add(
        () =>
          `"${text}" in ${pool.imageName(pool.refs.image[ref] ?? 0)}: refs ${pool.refs.id[other]} and ${pool.refs.id[ref]}`,
      );
    }
  }
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const [start, end] = pool.expressionsOfRef(ref);
    if (start === end) silent.add(() => `${pool.refs.source[ref]}/${pool.refs.id[ref]}`);
  }
  return [
    ...empty.finding(
      "error",
      "empty-sentence",
      (n) => `${plural(n, "sentence")} without a word`,
      "remove them from the dataset and import again; a model would learn from the mask alone",
    ),
    ...silent.finding(
      "error",
      "ref-without-sentence",
      (n) => `${plural(n, "ref")} without a sentence`,
      "remove them from the dataset and import again",
    ),
    ...ambiguous.finding(
      "warning",
      "ambiguous-sentence",
      (n) => `${plural(n, "sentence")} in the words that name another object of the same image`,
      "no reader could tell which is meant; consider leaving these refs out",
    ),
  ];
}

function targetsText(pool: Pool, ref: number): string {
  return Array.from(pool.targetsOfRef(ref))
    .sort((a, b) => a - b)
    .join(",");
}

function checkMasks(pool: Pool, measures: AnnotationMeasures): Finding[] {
  const broken = new Cases();
  const outside = new Cases();
  const boxes = new Cases();
  const empty = new Cases();
  const overlap = new Cases();
  let overlapPixels = 0;
  const looked = new Set<number>();
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const targets = Array.from(pool.targetsOfRef(ref));
    if (targets.length === 0) continue;
    const image = pool.refs.image[ref] ?? 0;
    const [height, width] = [pool.images.height[image] ?? 0, pool.images.width[image] ?? 0];
    const name = `${pool.refs.source[ref]}/${pool.refs.id[ref]}`;
    try {
      for (const target of targets) {
        if (looked.has(target)) continue;
        looked.add(target);
        const strays = strayPx(pool.segmentation(target), width, height);
        if (strays > harmlessPx)
          outside.add(
            () => `annotation ${pool.annotationKey(target)}: ${strays.toFixed(1)} px outside ${width}×${height}`,
          );
        const box = measures.box(target);
        if (box !== null && boxStrayPx(box, width, height) > harmlessPx)
          boxes.add(() => `annotation ${pool.annotationKey(target)}: box [${box.join(", ")}] in ${width}×${height}`);
      }
      const parts = targets.flatMap((target) => pool.maskParts(target));
      if (rleArea(rleUnion(parts, height, width)) === 0) empty.add(() => `ref ${name}`);
      const shared = rleOverlapArea(parts);
      if (shared > 0) overlap.add(() => `ref ${name}: ${plural(shared, "pixel")}`);
      overlapPixels += shared;
    } catch (error) {
      if (!(error instanceof NemosaicError) && !(error instanceof RangeError)) throw error;
      broken.add(() => `ref ${name}: ${error.message}`);
    }
  }
  return [
    ...broken.finding(
      "error",
      "mask-broken",
      (n) => `${plural(n, "ref")} whose mask cannot be read`,
      "correct the segmentation in the dataset and import again",
    ),
    ...empty.finding(
      "error",
      "mask-empty",
      (n) => `${plural(n, "ref")} with a target but not one pixel of mask`,
      "correct the segmentation, or import the ref as one without target",
    ),
    ...outside.finding(
      "warning",
      "mask-outside",
      (n) => `${plural(n, "target")} with polygons that leave the image`,
      "check that image and annotation belong together; what is outside is cut off",
    ),
    ...boxes.finding(
      "info",
      "box-outside",
      (n) => `${plural(n, "target")} with a box that leaves the image`,
      "nothing to do: nemosaic takes boxes from masks",
    ),
    ...overlap.finding(
      "info",
      "mask-overlap",
      (n) =>
        `${plural(n, "ref")} with parts that overlap, in ${plural(overlapPixels, "pixel")}: loaders that sum polygons make holes there`,
      "nothing to do: nemosaic unites parts, and its exports have none that overlap",
    ),
  ];
}

function strayPx(segmentation: Segmentation, width: number, height: number): number {
  if (segmentation.kind !== "polygons") return 0;
  let most = 0;
  for (const part of segmentation.parts) {
    part.forEach((value, at) => {
      most = Math.max(most, -value, value - (at % 2 === 0 ? width : height));
    });
  }
  return most;
}

function boxStrayPx(
  [x, y, boxWidth, boxHeight]: readonly [number, number, number, number],
  width: number,
  height: number,
): number {
  return Math.max(-x, -y, x + boxWidth - width, y + boxHeight - height);
}
