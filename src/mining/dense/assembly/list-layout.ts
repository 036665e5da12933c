/**
 * A list in a miner's memory, read by TypeScript too:
 *
 *   0 length (int32) · 4 threshold (float32) · 8 overflowed (int32) · 12 next (int32) · 16 four columns of `capacity` entries:
 *   scores (float32) · ids (int32) · two more of scores (float32)
 *
 * Later candidates must exceed the threshold. Entries are in order of their ids. `next` is the entry that rescoring goes on at.
 */
export const thresholdAt = 4;
export const overflowedAt = 8;
export const nextAt = 12;
export const listHeaderBytes = 16;
/** Shifts that turn a capacity into the bytes of one, two and all four columns. */
export const columnShift = 2;
export const twoColumnsShift = 3;
export const fourColumnsShift = 4;
