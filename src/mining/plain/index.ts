/** Mining by any scores, without vectors: every block of scores is looked at. */

export { type Best, BestLists } from "./best.ts";
export { PlainMiner, type PlainMinerOptions } from "./plain-miner.ts";
