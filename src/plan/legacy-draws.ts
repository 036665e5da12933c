import type { Band, CandidateRow } from "../band/index.ts";
import type { CounterRandom } from "../kernels/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { PlanFacts } from "./plan-facts.ts";

/**
 * Negatives as the released loader draws mined ones, where `legacy` switches ask for it: with replacement for K ≥ 20,
 * and from the end of the list where no candidate survives. Undefined where the usual draw applies, also where the
 * released loader would crash (fewer survivors than needed, K below 20). Sets nothing else aside: no guards.
 */
export function legacyMined(
  settings: ResolvedSettings,
  row: CandidateRow,
  band: Band,
  need: number,
  random: CounterRandom,
): number[] | undefined {
  const { repeats, lastOfList } = settings.legacy;
  const { k } = settings.band;
  const falls = band.survivors.length === 0 && lastOfList > 0;
  if (!repeats && !falls) return undefined;
  const n = row.ids.length;
  const start = Math.max(0, n - lastOfList);
  const withReplacement = repeats && k >= leastForReplacement;
  // The fallback is cut to K only where it draws without replacement.
  const size = falls ? (withReplacement ? n - start : Math.min(k, n - start)) : band.size;
  const positionAt = (place: number): number => (falls ? start + place : band.survivors[place]!);
  if (size === 0 || (!withReplacement && size < need)) return undefined;
  const places = withReplacement ? Array.from({ length: need }, () => random.below(size)) : random.sample(size, need);
  return places.map((place) => row.ids[positionAt(place)]!);
}

/** Images of distinct refs, whatever they hold: images with many refs weigh more, the own image is among them. */
export function legacyRandom(facts: Pick<PlanFacts, "refs" | "ref">, need: number, random: CounterRandom): number[] {
  if (facts.refs.length < need) return [];
  return random.sample(facts.refs.length, need).map((at) => facts.ref(facts.refs[at]!).image);
}

/** From this K on the released loader draws with replacement. */
const leastForReplacement = 20;
