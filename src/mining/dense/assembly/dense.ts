/** What a miner's memory is worked on with, in the order of mining: see `dense/index.ts`. */
import { cut, cutToMargin } from "./cut.ts";
import { dequantise } from "./dequantise.ts";
import { rank } from "./rank.ts";
import { rescore } from "./rescore.ts";
import { reachedBy } from "./scores.ts";
import { offer, shortlist, shortlistBytes } from "./shortlist.ts";
import { merge, prune, split } from "./split.ts";

export {
  cut,
  cutToMargin,
  dequantise,
  merge,
  offer,
  prune,
  rank,
  reachedBy,
  rescore,
  shortlist,
  shortlistBytes,
  split,
};
