import { rleArea, rleToString } from "../../kernels/index.ts";
import { fail } from "../../model/index.ts";
import type { Pool } from "../../pool/index.ts";
import type { ExpressionDetail, ImageDetail, ImageFacts } from "../page/contract.ts";

const shownExpressions = 12;

/** All that the page shows of one expression and its target. Errors: "usage" for a row that the pool lacks. */
export function expressionDetail(pool: Pool, row: number): ExpressionDetail {
  const { expressions, refs, annotations } = pool;
  const ref = expressions.ref[row] ?? fail("usage", `expected an expression row, got ${row}`);
  const image = refs.image[ref]!;
  const targets = pool.targetsOfRef(ref);
  const pixels = (pool.images.width[image] ?? 1) * (pool.images.height[image] ?? 1);
  const [start, end] = pool.expressionsOfRef(ref);
  return {
    row,
    key: pool.expressionKey(row),
    raw: expressions.raw[row] ?? "",
    sent: expressions.sent[row] ?? "",
    split: refs.split[ref] ?? "",
    source: refs.source[ref] ?? "",
    image: imageFacts(pool, image),
    siblings: Array.from({ length: end - start }, (_, at) => start + at)
      .filter((other) => other !== row)
      .slice(0, shownExpressions)
      .map((other) => ({ row: other, sent: expressions.sent[other] ?? "" })),
    targets: Array.from(targets, (target) => ({
      category: annotations.category[target] ?? "",
      areaShare: rleArea(pool.mask(image, [target])) / pixels,
    })),
    mask: rleToString(pool.mask(image, targets)),
  };
}

/** What people said of an image, and what is in it. Errors: "usage" for a row that the pool lacks. */
export function imageDetail(pool: Pool, row: number, refsOfImage: (image: number) => Int32Array): ImageDetail {
  const facts = imageFacts(pool, row);
  const rows = Array.from(refsOfImage(row)).flatMap((ref) => {
    const [start, end] = pool.expressionsOfRef(ref);
    return Array.from({ length: end - start }, (_, at) => start + at);
  });
  const categories = new Map<string, number>();
  for (const annotation of pool.annotationsOfImage(row)) {
    const name = pool.annotations.category[annotation] ?? "";
    categories.set(name, (categories.get(name) ?? 0) + 1);
  }
  return {
    ...facts,
    expressions: rows.slice(0, shownExpressions).map((at) => ({ row: at, sent: pool.expressions.sent[at] ?? "" })),
    expressionCount: rows.length,
    categories: [...categories].sort((a, b) => b[1] - a[1]).map(([name, count]) => ({ name, count })),
  };
}

function imageFacts(pool: Pool, row: number): ImageFacts {
  const [width, height] = [pool.images.width[row], pool.images.height[row]];
  if (width === undefined || height === undefined) fail("usage", `expected an image row, got ${row}`);
  return { row, name: pool.imageName(row), width, height };
}

/** Refs by image, grouped once. */
export function refsByImage(pool: Pool): (image: number) => Int32Array {
  const offsets = new Int32Array(pool.images.count + 1);
  for (const image of pool.refs.image) offsets[image + 1] = offsets[image + 1]! + 1;
  for (let at = 0; at < pool.images.count; at++) offsets[at + 1] = offsets[at + 1]! + offsets[at]!;
  const next = offsets.slice();
  const refs = new Int32Array(pool.refs.count);
  pool.refs.image.forEach((image, ref) => {
    refs[next[image]!] = ref;
    next[image] = next[image]! + 1;
  });
  return (image) => refs.subarray(offsets[image], offsets[image + 1]);
}
