import { openDense } from "./compiled/dense.ts";
import { laneTable, laneTableBytes } from "./lane-table.ts";
import { bytesOfList, idColumn, Lists } from "./lists.ts";

/** A kernel with one list of `capacity` entries, and `extra` bytes behind it for what a test needs. */
export function openOneList(capacity: number, extra = 0) {
  const lanes = bytesOfList(capacity);
  const free = lanes + laneTableBytes;
  const kernel = openDense(free + extra);
  kernel.bytes.set(laneTable(), lanes);
  const lists = new Lists(kernel.bytes.buffer, capacity);
  const column = (which: number): number => lists.scoresAddress(0) / 4 + which * capacity;
  return {
    kernel,
    lists,
    capacity,
    /** Where the `laneTable` lies, and the extra bytes. */
    lanes,
    free,
    /** Makes a list of these entries, with `ids` 0, 1, 2, … unless they are given. */
    put(scores: readonly number[], ids: readonly number[] = [...scores.keys()]): void {
      lists.reset(0, Number.NEGATIVE_INFINITY);
      lists.count(0, scores.length);
      kernel.ints.set(ids, column(idColumn));
      lists.scores(0, 0).set(scores);
    },
    /** The list's entries as [id, score]. */
    entries: (): [id: number, score: number][] =>
      Array.from(lists.ids(0), (id, entry) => [id, lists.scores(0, 0)[entry]!]),
    /** The far list's entries. */
    farEntries(): [id: number, score: number][] {
      const far = new Lists(kernel.bytes.buffer, capacity, lists.farOffset);
      return Array.from(far.ids(0), (id, entry) => [id, far.scores(0, 0)[entry]!]);
    },
  };
}
