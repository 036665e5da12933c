// Made from ../assembly/linear.ts by `npm run kernels`: change that file.
import { kernelMaker } from "../wasm-kernel.ts";

export interface LinearKernel {
  /**
   * Stretches a row: for each tap from `tap` to `end` (12 bytes: the addresses of two pixels, two weights of 16 bits) three
   * numbers of 32 bits from `out` on.
   */
  stretch(tap: number, end: number, out: number): void;
  /** Blends the stretched rows at `upper` and `lower` into bytes from `out` to `end`, 16 a step. */
  blend(upper: number, lower: number, above: number, below: number, out: number, end: number): void;
}

export const openLinear = kernelMaker<LinearKernel>(
  [
    "AGFzbQEAAAABEAJgA39/fwBgBn9/f39/fwACDwEDZW52Bm1lbW9yeQIAAAMDAgABBxMCB3N0cmV0Y2gAAAVibGVuZAABCo0DAlUAA0AgACABSQ",
    "RAIAIgACgCAP1cAgAgACgCBP1cAgD9DQAEEAQBBBEEAgQSBAQEBAQgAP0JAgj9ugFBBP2sAf0LBAAgAEEMaiEAIAJBDGohAgwBCwsLtAIBAnsg",
    "Av0RIQYgA/0RIQcDQCAEIAVJBEAgBCAA/QAEACAG/bUBQRD9rAEgAf0ABAAgB/21AUEQ/awB/a4B/QwCAAAAAgAAAAIAAAACAAAA/a4BQQL9rA",
    "EgAP0ABBAgBv21AUEQ/awBIAH9AAQQIAf9tQFBEP2sAf2uAf0MAgAAAAIAAAACAAAAAgAAAP2uAUEC/awB/YUBIAD9AAQgIAb9tQFBEP2sASAB",
    "/QAEICAH/bUBQRD9rAH9rgH9DAIAAAACAAAAAgAAAAIAAAD9rgFBAv2sASAA/QAEMCAG/bUBQRD9rAEgAf0ABDAgB/21AUEQ/awB/a4B/QwCAA",
    "AAAgAAAAIAAAACAAAA/a4BQQL9rAH9hQH9Zv0LBAAgAEFAayEAIAFBQGshASAEQRBqIQQMAQsLCw==",
  ].join(""),
);
