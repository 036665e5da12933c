// Made from ../assembly/shrink.ts by `npm run kernels`: change that file.
import { kernelMaker } from "../wasm-kernel.ts";

export interface ShrinkKernel {
  /**
   * Filters rows down: the weighted sum of rows of bytes as numbers of 16 bits from `out` to `outEnd`, 16 a step. From `taps` to
   * `end` lie, for every two rows, both addresses and a pair of weights.
   */
  filterDown(taps: number, end: number, out: number, outEnd: number): void;
  /**
   * Filters a row across: for each target pixel from `tap` to `end` its sum over its taps as three bytes from `out` on. A target pixel
   * has the address that it reads from, then `span` bytes of pairs of weights. At `starts` lies what the sums of R, G and B begin with.
   */
  filterAcross(tap: number, end: number, span: number, starts: number, out: number): void;
}

export const openShrink = kernelMaker<ShrinkKernel>(
  [
    "AGFzbQEAAAABEAJgBH9/f38AYAV/f39/fwACDwEDZW52Bm1lbW9yeQIAAAMDAgABBx0CCmZpbHRlckRvd24AAAxmaWx0ZXJBY3Jvc3MAAQqqBA",
    "LtAgIEfwd7A0AgAiADSQRA/QxAAAAAQAAAAEAAAABAAAAAIQj9DEAAAABAAAAAQAAAAEAAAAAhCf0MQAAAAEAAAABAAAAAQAAAACEK/QxAAAAA",
    "QAAAAEAAAABAAAAAIQsgACEEA0AgASAESwRAIAggBCgCACAFaiIG/QIAACINIAQoAgQgBWoiB/0CAAAiDv0NAAEQEQIDEhMEBRQVBgcWFyAE/Q",
    "kCCCIM/boB/a4BIQggCSANIA79DQgJGBkKCxobDA0cHQ4PHh8gDP26Af2uASEJIAogBv0CAAgiDSAH/QIACCIO/Q0AARARAgMSEwQFFBUGBxYX",
    "IAz9ugH9rgEhCiALIA0gDv0NCAkYGQoLGhsMDRwdDg8eHyAM/boB/a4BIQsgBEEMaiEEDAELCyACIAhBB/2sASAJQQf9rAH9hQH9CwQAIAIgCk",
    "EH/awBIAtBB/2sAf2FAf0LBBAgAkEgaiECIAVBEGohBQwBCwsLuAECAnsBfyAD/QAEACEGA0AgACABSQRAIAAoAgAhAyACIABBBGoiAGohByAG",
    "IQUDQCAAIAdJBEAgBSAD/QAEACIFIAX9DQABBgcCAwgJBAUKCwwNDg8gAP0JAgD9ugH9rgEhBSAAQQRqIQAgA0EMaiEDDAELCyAEIAVBFf2sAf",
    "0MAAAAAAAAAAAAAAAAAAAAAP2FAf0MAAAAAAAAAAAAAAAAAAAAAP1m/RsANgIAIARBA2ohBAwBCwsL",
  ].join(""),
);
