/** Bits of a weight; it and a number of a filtered row fit 16 signed bits. Read by TypeScript too. */
export const weightBits = 14;
/** Bits of a number of a filtered row beyond its byte. */
export const rowBits = 7;
