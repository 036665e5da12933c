/** A mask in memory: one number a pixel, row by row. The caller owns `data`. */
export interface DecodedMask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint16Array;
  /** Bits of one pixel as stored: 1, 2, 4, 8 or 16. */
  readonly depth: 1 | 2 | 4 | 8 | 16;
  /** Whether the file's compression changes values: what was 0 and 255 comes back as 3 and 251. */
  readonly isLossy: boolean;
}
