import { CounterRandom } from "../kernels/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { StyleRequest, StyleStream } from "../styles/index.ts";
import type { PlanFacts } from "./plan-facts.ts";

/** Independent random streams of one sample: changing one option never disturbs the draws of another. */
const streams = {
  kind: 1,
  sentence: 2,
  grid: 3,
  negatives: 4,
  placement: 5,
  leaveOut: 6,
  lines: 7,
  window: 8,
  partner: 9,
  paste: 10,
  falseSentence: 11,
  hardNegatives: 12,
} as const satisfies Record<StyleStream, number> & Record<string, number>;
export type Stream = keyof typeof streams;

/** Everything that making one mosaic depends on, with what only drawing its negatives has to know. */
export interface Request extends StyleRequest {
  readonly facts: PlanFacts;
  /** As this epoch has them. */
  readonly settings: ResolvedSettings;
  random(stream: Stream): CounterRandom;
}

/** The random numbers of one sample for one purpose. */
export function randomOf(seed: number, epoch: number, index: number, stream: Stream): CounterRandom {
  return new CounterRandom(seed, epoch, index, streams[stream]);
}
