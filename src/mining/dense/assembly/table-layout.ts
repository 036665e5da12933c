/** What `rescore` works in, read by TypeScript too: bytes of a candidate's cell, and of a product that is to be computed. */
export const cellBytes = 8;
export const taskBytes = 8;
