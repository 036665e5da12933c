import type { Band, CandidateRow } from "../band/index.ts";
import type { CounterRandom } from "../kernels/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { PlanFacts } from "./plan-facts.ts";

/**
 * `need` distinct places of a band (0 = its best) by the method of the settings, in random order of cells.
 * The band holds at least `need`.
 */
export function drawFromBand(
  facts: Pick<PlanFacts, "imageVector">,
  draw: ResolvedSettings["draw"],
  row: CandidateRow,
  band: Band,
  need: number,
  random: CounterRandom,
): number[] {
  const scoreAt = (place: number): number => row.t2i[band.survivors[place]!]!;
  switch (draw.method) {
    case "uniform":
      return random.sample(band.size, need);
    case "top":
      return random.shuffle(Array.from({ length: need }, (_, place) => place));
    case "temperature":
      return byTemperature(band.size, need, draw.temperature, scoreAt, random);
    case "mmr": {
      const vector = (place: number): Float32Array => facts.imageVector(row.ids[band.survivors[place]!]!);
      return byDiversity(band.size, need, draw.diversity, scoreAt, vector, random);
    }
  }
}

/**
 * Without replacement with chances that go as exp(score / temperature): the `need` highest of score / temperature plus
 * Gumbel noise (Kool et al., "Stochastic beams and where to find them", ICML 2019).
 */
function byTemperature(
  size: number,
  need: number,
  temperature: number,
  scoreAt: (place: number) => number,
  random: CounterRandom,
): number[] {
  const keys = Float64Array.from({ length: size }, (_, place) => {
    const noise = -Math.log(-Math.log(random.float() || Number.MIN_VALUE));
    return scoreAt(place) / temperature + noise;
  });
  const places = Array.from({ length: size }, (_, place) => place).sort((a, b) => keys[b]! - keys[a]! || a - b);
  return random.shuffle(places.slice(0, need));
}

/**
 * Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998) over a random part of the band, four times as many
 * as needed: the first at random, then each time the one with the highest (1 - diversity) · score - diversity · the
 * highest similarity to those drawn. Scores and similarities are each stretched to [0, 1] over that part.
 */
function byDiversity(
  size: number,
  need: number,
  diversity: number,
  scoreAt: (place: number) => number,
  vector: (place: number) => Float32Array,
  random: CounterRandom,
): number[] {
  const pool = random.sample(size, Math.min(size, 4 * need));
  const scores = stretchScores(pool.map(scoreAt));
  const vectors = pool.map(vector);
  const similarities = vectors.map((a) => vectors.map((b) => dot(a, b)));
  const off = similarities.flatMap((line, i) => line.filter((_, j) => j !== i));
  const [low, high] = [Math.min(...off), Math.max(...off)];
  const likeness = (i: number, j: number): number => (high > low ? (similarities[i]![j]! - low) / (high - low) : 0);
  const drawn = [0]; // the pool is in random order already
  const nearest = pool.map((_, i) => likeness(i, 0));
  while (drawn.length < need) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (let i = 1; i < pool.length; i++) {
      const value = (1 - diversity) * scores[i]! - diversity * nearest[i]!;
      if (value > bestValue && !drawn.includes(i)) [best, bestValue] = [i, value];
    }
    drawn.push(best);
    for (let i = 0; i < pool.length; i++) nearest[i] = Math.max(nearest[i]!, likeness(i, best));
  }
  return random.shuffle(drawn.map((i) => pool[i]!));
}

function stretchScores(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (high > low ? (value - low) / (high - low) : 0));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}
