/**
 * The estimate as it reads in estimate.ts's map, slowly: maps and lists by name, all worked out anew for each expression.
 * What the fast loops are held against, bit by bit.
 */
import type { AnnotationMeasures, Pool } from "../pool/index.ts";
import { closeColours } from "./colours.ts";
import { type Choice, choiceOf } from "./meant-objects.ts";
import { isPersonWord, synonymsOf } from "./names.ts";
import { contentWords } from "./sentences.ts";

interface Possible {
  readonly chance: number;
  readonly x: number;
  readonly y: number;
  readonly share: number;
}

export function plainEstimate(pool: Pool, measures: AnnotationMeasures) {
  const sentences = pool.expressions.sent.map(contentWords);
  const words = [...new Set(sentences.flat())];
  const categories = [...new Set(pool.annotations.category)];
  const refs = Array.from({ length: pool.refs.count }, (_, ref) => {
    const [start, end] = pool.expressionsOfRef(ref);
    const targets = Array.from(pool.targetsOfRef(ref));
    const own = [...new Set(targets.map((row) => pool.annotations.category[row]!))];
    return { own, targets, said: sentences.slice(start, end) };
  });
  const counted = (said: readonly string[][], word: string) => said.filter((some) => some.includes(word)).length;
  const about = (category: string) => refs.filter(({ own }) => own.includes(category));
  const saying = (word: string) => refs.filter(({ said }) => said.flat().includes(word));
  const sayingIn = (some: typeof refs, word: string) => sum(some.map(({ said }) => counted(said, word)));
  const sentencesIn = (some: typeof refs) => sum(some.map(({ said }) => said.length));

  const asked = words.map((word) => sum(refs.map(({ said }) => counted(said, word) * (said.length - 1))));
  const agreed = words.map((word) => sum(refs.map(({ said }) => counted(said, word) * (counted(said, word) - 1))));
  const mean = sum(asked) < 50 ? 0.4 : Math.max(0.05, sum(agreed) / sum(asked));
  const rate = (word: string): number => {
    const at = words.indexOf(word);
    return Math.min(0.98, (agreed[at]! + mean * 10) / (asked[at]! + 10));
  };

  function share(word: string, category: string, ref: (typeof refs)[number], weight: number): number {
    const others = refs.filter((each) => each !== ref);
    const overall = sayingIn(others, word) / Math.max(1, sentencesIn(others));
    const some = about(category).filter((each) => each !== ref);
    const total = sentencesIn(some) + weight;
    return total === 0 ? 0 : (sayingIn(some, word) + overall * weight) / total;
  }

  function evidence(word: string): Map<string, number> {
    const together = new Map<string, number>();
    const expected = new Map<string, number>();
    const add = (to: Map<string, number>, v: string, value: number) => to.set(v, Math.fround((to.get(v) ?? 0) + value));
    for (const { said } of saying(word))
      for (const [row, some] of said.entries())
        if (some.includes(word)) for (const other of said.toSpliced(row, 1)) for (const v of other) add(together, v, 1);
    for (const category of new Set(saying(word).flatMap(({ own }) => own))) {
      const some = about(category);
      const count = sentencesIn(some);
      const pairs = sum(some.map(({ said }) => said.length * (said.length - 1)));
      const often = sayingIn(some, word) / count;
      for (const v of words) add(expected, v, (often * pairs * sayingIn(some, v)) / count);
    }
    const ratio = (v: string) => Math.fround(((together.get(v) ?? 0) + 3) / ((expected.get(v) ?? 0) + 3));
    const close = closeColours(word);
    return new Map(words.map((v) => [v, close.has(v) ? Math.max(0.5, ratio(v)) : ratio(v)]));
  }

  const known = new Map<string, ReadonlyMap<string, number>>();
  const exact = new Map<string, Set<string>>();
  const named = new Map<string, Set<string>>();
  for (const category of categories) {
    const own = contentWords(category);
    const some = about(category);
    const learnt = words.filter((word) => {
      const count = sayingIn(some, word);
      const isOwn = sentencesIn(some) >= 10 && count >= 5 && count >= 0.9 * sayingIn(refs, word);
      return isOwn && count / sentencesIn(some) / rate(word) >= 0.75;
    });
    exact.set(category, new Set([...own.flatMap(synonymsOf), ...learnt]));
    const people = own.includes("person") ? words.filter(isPersonWord) : [];
    named.set(category, new Set([...exact.get(category)!, ...people]));
  }
  const isNoun = (word: string, category: string): boolean => {
    const all = about(category)
      .flatMap(({ said }) => said)
      .filter((some) => some.includes(word));
    const other = all.filter((some) => some.some((each) => each !== word && named.get(category)!.has(each)));
    return all.length >= 2 && other.length <= 0.15 * all.length;
  };

  const boxOf = (row: number) => {
    const [x, y, width, height] = measures.box(row)!;
    const [bx, by, w, h] = [x / 100, y / 100, width / 100, height / 100];
    return { x: bx + w / 2, y: by + h / 2, share: w * h };
  };

  return {
    showsKind(expression: number, image: number): boolean {
      const { own } = refs[pool.expressions.ref[expression]!]!;
      return Array.from(pool.annotationsOfImage(image)).some((row) => own.includes(pool.annotations.category[row]!));
    },
    /** The chances of all images. */
    chances(expression: number): number[] {
      const ref = refs[pool.expressions.ref[expression]!]!;
      const images = Array.from({ length: pool.images.count }, (_, image) => image);
      if (ref.targets.length === 0) return images.map(() => Number.NaN);
      const names = (word: string) => categories.filter((category) => named.get(category)!.has(word));
      const isLandmark = (word: string) =>
        names(word).length > 0 && !names(word).some((name) => ref.own.includes(name));
      const landmarks = sentences[expression]!.filter(isLandmark);
      const own = sentences[expression]!.filter((word) => !isLandmark(word));
      const tables = own.map((word) => {
        if (!known.has(word)) known.set(word, evidence(word));
        return known.get(word)!;
      });
      const priorOf = (category: string): number[] | undefined => {
        const isOfKind = ref.own.includes(category);
        const chances = own.map((word) => {
          if (exact.get(category)!.has(word)) return 1;
          if (!isOfKind && ref.own.some((target) => exact.get(target)!.has(word))) return 0;
          return Math.min(1, share(word, category, ref, isOfKind ? 20 : 0) / rate(word));
        });
        return isOfKind || (own.length > 0 && !chances.includes(0)) ? chances : undefined;
      };
      const priors = new Map(categories.map((category) => [category, priorOf(category)]));
      const choice = choiceOf(pool.expressions.sent[expression]!);
      const ownShare = ref.targets.length === 1 ? boxOf(ref.targets[0]!).share : undefined;
      return images.map((image) => {
        const rows = Array.from(pool.annotationsOfImage(image));
        const there = rows.map((row) => pool.annotations.category[row]!);
        let landmark = 1;
        for (const word of landmarks)
          landmark *= there.some((category) => named.get(category)!.has(word))
            ? 1
            : there.some((category) => !ref.own.includes(category))
              ? 0.2
              : 0;
        const possible = rows.flatMap((row) => {
          const prior = priors.get(pool.annotations.category[row]!);
          if (prior === undefined) return [];
          const chance = landmark * chanceOfWords(row, own, prior, tables);
          return chance > 0 ? [{ chance, ...boxOf(row) }] : [];
        });
        return plainChanceOfAny(possible, ownShare === undefined ? choice : { ...choice, ownShare });
      });
    },
  };

  function chanceOfWords(
    row: number,
    own: readonly string[],
    prior: readonly number[],
    tables: readonly ReadonlyMap<string, number>[],
  ): number {
    const said = refs.filter(({ targets }) => targets.length === 1 && targets[0] === row).flatMap((each) => each.said);
    const unlike = new Set(said.flat());
    let all = 1;
    for (const [at, word] of own.entries()) {
      const chance = prior[at]!;
      if (chance === 0) return 0;
      if (chance === 1 || unlike.has(word)) continue;
      if (said.length === 0) {
        all *= chance;
        continue;
      }
      const ratios = [...unlike].map((v) => tables[at]!.get(v)!);
      const unsaid = isNoun(word, pool.annotations.category[row]!) ? 1 : (1 - rate(word)) ** said.length;
      const odds =
        (chance / (1 - chance)) *
        unsaid *
        Math.max(0.03, Math.min(1, ...ratios)) *
        Math.min(10, Math.max(1, ...ratios));
      all *= odds / (1 + odds);
    }
    return all;
  }
}

export function plainChanceOfAny(objects: readonly Possible[], choice: Choice): number {
  const { least, horizontal, vertical, compares, ownShare = Number.NaN } = choice;
  if (objects.length < least) return 0;
  if (least > 1) return atLeast(objects, least);
  const placed = horizontal === undefined && vertical === undefined ? objects : atPlace(objects, choice);
  const noneOf = (some: readonly Possible[]) => some.reduce((none, { chance }) => none * (1 - chance), 1);
  if (compares === undefined) return 1 - noneOf(placed);
  let alone = 0;
  for (const object of placed) {
    const ratio = object.share / ownShare;
    const isOutdone = compares === "large" ? ratio < 1 / 1.25 : ratio > 1.25;
    alone += object.chance * noneOf(placed.filter((other) => other !== object)) * (isOutdone ? 0 : 0.5);
  }
  return (placed.length > 1 ? atLeast(placed, 2) : 0) + alone;
}

/** counts[n]: the chance that n of the objects so far are meant; the last one, that many or more. */
function atLeast(objects: readonly Possible[], least: number): number {
  let counts = [1, ...new Array<number>(least).fill(0)];
  for (const { chance } of objects)
    counts = counts.map((now, n) => {
      const stays = n === least ? now : now * (1 - chance);
      return n === 0 ? stays : stays + counts[n - 1]! * chance;
    });
  return counts[least]!;
}

function atPlace(objects: readonly Possible[], { horizontal, vertical, isExtreme }: Choice): Possible[] {
  const highest = Math.max(...objects.map(({ chance }) => chance));
  const like = objects.filter(({ chance }) => chance >= highest / 2);
  if (isExtreme === true && like.length === 1) return [...objects];
  const weight = (axis: "x" | "y", side: Choice["horizontal"] | Choice["vertical"], object: Possible): number => {
    const places = like.map((each) => each[axis]).sort((a, b) => a - b);
    const half = (places[0]! + places.at(-1)!) / 2;
    const [first, last] = places.length > 1 ? [half, half] : [1 / 3, 2 / 3];
    const place = object[axis];
    if (side === undefined) return 1;
    if (side === "left" || side === "top") return place <= last ? 1 : 0;
    if (side === "right" || side === "bottom") return place >= first ? 1 : 0;
    const isMiddle = Math.abs(place - 0.5) < 1 / 6 || (places.length > 2 && place === places[places.length >> 1]);
    return isMiddle ? 1 : places.length === 1 ? 0.25 : 0;
  };
  return objects.flatMap((object) => {
    const chance = object.chance * weight("x", horizontal, object) * weight("y", vertical, object);
    return chance > 0 ? [{ ...object, chance }] : [];
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
