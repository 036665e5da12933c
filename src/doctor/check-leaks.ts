import { isTrainingSplit, type Pool, photographNumber } from "../pool/index.ts";
import { Cases, type Finding, plural } from "./finding.ts";
import { type AlikePair, findSimilarPairs } from "./near-duplicates.ts";
import type { ImageSketch } from "./perceptual-hash.ts";

/** How an image is used: the sources that train on it and those that evaluate on it. */
interface ImageUse {
  readonly train: ReadonlySet<string>;
  readonly evaluate: ReadonlySet<string>;
}

/** Looks for images that are trained on and evaluated on, in one pool. */
export function checkLeaks(pool: Pool, sketches: readonly (ImageSketch | undefined)[], maxBits: number): Finding[] {
  const uses = usesOf(pool);
  return [
    ...leaksWithin(pool, uses),
    ...numbersWithin(pool, uses),
    ...alikeWithin(pool, uses, findSimilarPairs(sketches, undefined, maxBits)),
  ];
}

/** Looks for images that one pool trains on and the other evaluates on, either way round. */
export function checkLeaksBetween(
  pool: Pool,
  other: Pool,
  sketches: readonly (ImageSketch | undefined)[],
  otherSketches: readonly (ImageSketch | undefined)[],
  maxBits: number,
): Finding[] {
  const [uses, otherUses] = [usesOf(pool), usesOf(other)];
  const byHash = new Map(other.images.hash.map((hash, row) => [hash, row]));
  const byNumber = new Map(other.images.path.flatMap((path, row) => numbered(path, row)));
  const same = new Cases();
  const named = new Cases();
  const alike = new Cases();
  const clash = (row: number, otherRow: number): string | undefined => {
    const [use, otherUse] = [uses[row], otherUses[otherRow]];
    if (use === undefined || otherUse === undefined) return undefined;
    if (use.train.size > 0 && otherUse.evaluate.size > 0)
      return `trained on here (${listNames(use.train)}), evaluated on there (${listNames(otherUse.evaluate)})`;
    if (use.evaluate.size > 0 && otherUse.train.size > 0)
      return `evaluated on here (${listNames(use.evaluate)}), trained on there (${listNames(otherUse.train)})`;
    return undefined;
  };
  const found = new Set<string>();
  const report = (cases: Cases, row: number, otherRow: number): void => {
    const what = clash(row, otherRow);
    if (what === undefined || found.has(`${row} ${otherRow}`)) return;
    found.add(`${row} ${otherRow}`);
    cases.add(() => `${pool.imageName(row)} and ${other.imageName(otherRow)}: ${what}`);
  };
  pool.images.hash.forEach((hash, row) => {
    const otherRow = byHash.get(hash);
    if (otherRow !== undefined) report(same, row, otherRow);
  });
  pool.images.path.forEach((path, row) => {
    for (const [number] of numbered(path, row)) {
      const otherRow = byNumber.get(number);
      if (otherRow !== undefined) report(named, row, otherRow);
    }
  });
  for (const { a, b } of findSimilarPairs(sketches, otherSketches, maxBits)) report(alike, a, b);
  const fix =
    "leave these images out of training (or of the evaluation), or do not report one pool's model on the other's splits";
  return [
    ...same.finding(
      "error",
      "leak-between-pools",
      (n) => `${plural(n, "image")} trained on in one pool and evaluated on in the other`,
      fix,
    ),
    ...named.finding(
      "warning",
      "leak-between-pools-by-id",
      (n) => `${plural(n, "image")} of the same number, trained on in one pool and evaluated on in the other`,
      fix,
    ),
    ...alike.finding(
      "warning",
      "leak-between-pools-alike",
      (n) => `${plural(n, "pair")} of images that look alike, trained on in one pool and evaluated on in the other`,
      fix,
    ),
  ];
}

function usesOf(pool: Pool): ImageUse[] {
  const uses = Array.from({ length: pool.images.count }, () => ({
    train: new Set<string>(),
    evaluate: new Set<string>(),
  }));
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const split = pool.refs.split[ref] ?? "";
    const source = pool.refs.source[ref] ?? "";
    const use = uses[pool.refs.image[ref] ?? 0];
    if (isTrainingSplit(split)) use?.train.add(source);
    else use?.evaluate.add(`${source} ${split}`);
  }
  return uses;
}

function leaksWithin(pool: Pool, uses: readonly ImageUse[]): Finding[] {
  const across = new Cases();
  const inside = new Cases();
  const known = new Cases();
  const byObject = new Set(
    pool.manifest.sources
      .filter(({ splitBy, name }) => splitBy === "google" || name.endsWith("-google"))
      .map(({ name }) => name),
  );
  uses.forEach(({ train, evaluate }, row) => {
    if (train.size === 0 || evaluate.size === 0) return;
    const sources = new Set([...evaluate].map((entry) => entry.slice(0, entry.lastIndexOf(" "))));
    const describe = (): string =>
      `${pool.imageName(row)}: trained on by ${listNames(train)}, evaluated on by ${listNames(evaluate)}`;
    const others = [...sources].some((source) => [...train].some((name) => name !== source));
    if (others) across.add(describe);
    else if ([...sources].every((source) => byObject.has(source))) known.add(describe);
    else inside.add(describe);
  });
  return [
    ...across.finding(
      "error",
      "leak-between-sources",
      (n) =>
        `${plural(n, "image")} that one source trains on and another evaluates on; they can also become negatives in training`,
      "import again with --without-leaks, or train on one of the sources at a time: results on the evaluation splits are not comparable otherwise",
    ),
    ...inside.finding(
      "error",
      "leak-between-splits",
      (n) => `${plural(n, "image")} both in train and in an evaluation split of one source`,
      "correct the splits so that no image is in both, or import again with --without-leaks",
    ),
    ...known.finding(
      "warning",
      "leak-by-design",
      (n) =>
        `${plural(n, "image")} both in train and in an evaluation split: splits by google divide objects, not images`,
      "use the split by unc or umd if results must hold for new images",
    ),
  ];
}

/** Files of different content whose names end in one number, as COCO's do: the same photograph, saved again. */
function numbersWithin(pool: Pool, uses: readonly ImageUse[]): Finding[] {
  const cases = new Cases();
  const rows = new Map<string, number[]>();
  pool.images.path.forEach((path, row) => {
    for (const [number] of numbered(path, row)) rows.set(number, [...(rows.get(number) ?? []), row]);
  });
  for (const [number, same] of rows) {
    const train = same.filter((row) => (uses[row]?.train.size ?? 0) > 0);
    const evaluate = same.filter((row) => (uses[row]?.evaluate.size ?? 0) > 0);
    if (same.length > 1 && train.length > 0 && evaluate.some((row) => train.some((other) => other !== row))) {
      cases.add(() => `number ${number}: ${same.map((row) => pool.imageName(row)).join(", ")}`);
    }
  }
  return cases.finding(
    "warning",
    "leak-by-id",
    (n) =>
      `${plural(n, "image number")} in train and in an evaluation split, though the files differ: probably the same photograph`,
    "use one copy of the images for all sources, or leave these out of training",
  );
}

function alikeWithin(pool: Pool, uses: readonly ImageUse[], pairs: readonly AlikePair[]): Finding[] {
  const leaks = new Cases();
  const others = new Cases();
  for (const { a, b, bits } of pairs) {
    const crosses = (x: number, y: number): boolean =>
      (uses[x]?.train.size ?? 0) > 0 && (uses[y]?.evaluate.size ?? 0) > 0;
    const cases = crosses(a, b) || crosses(b, a) ? leaks : others;
    cases.add(() => `${pool.imageName(a)} and ${pool.imageName(b)} (${bits} of 128 bits differ)`);
  }
  return [
    ...leaks.finding(
      "warning",
      "near-duplicate-leak",
      (n) => `${plural(n, "pair")} of images that look alike, one in train and one in an evaluation split`,
      "look at them; if they show the same scene, leave the one in train out",
    ),
    ...others.finding(
      "info",
      "near-duplicate",
      (n) => `${plural(n, "pair")} of images that look alike`,
      "as negatives of each other they would be false ones: keep guards.nearDuplicate on, or judge them in the studio",
    ),
  ];
}

function numbered(path: string, row: number): [string, number][] {
  const number = photographNumber(path);
  return number === undefined ? [] : [[number, row]];
}

function listNames(names: ReadonlySet<string>): string {
  return [...names].sort().join(", ");
}
