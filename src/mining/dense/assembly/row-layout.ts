/** Addresses in the memory of `quantise.ts`, read by TypeScript too. */
export const largestAt = 0;
export const errorAt = 4;
export const lengthAt = 8;
export const shiftAt = 12;
export const rowAt = 64;
