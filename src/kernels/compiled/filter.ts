// Made from ../assembly/filter.ts by `npm run kernels`: change that file.
import { kernelMaker } from "../wasm-kernel.ts";

export interface FilterKernel {
  /**
   * Filters a row across: for each target pixel from `tap` to `end` its sum over its taps as three bytes from `out` on. A target
   * pixel has the address that it reads from, then `span` bytes: for every two taps a pair of lower and one of upper parts.
   */
  filterAcross(tap: number, end: number, span: number, out: number): void;
  /**
   * Filters rows down: the weighted sum of rows of bytes to bytes from `out` to `outEnd`, 16 a step. From `taps` to `end` lie, for
   * every two rows, both addresses, a pair of lower and one of upper parts.
   */
  filterDown(taps: number, end: number, out: number, outEnd: number): void;
}

export const openFilter = kernelMaker<FilterKernel>(
  [
    "AGFzbQEAAAABCAFgBH9/f38AAg8BA2VudgZtZW1vcnkCAAADAwIAAAcdAgxmaWx0ZXJBY3Jvc3MAAQpmaWx0ZXJEb3duAAAKngYCpwQCBH8New",
    "NAIAIgA0kEQP0MAAAgAAAAIAAAACAAAAAgACEI/QwAACAAAAAgAAAAIAAAACAAIQn9DAAAIAAAACAAAAAgAAAAIAAhCv0MAAAgAAAAIAAAACAA",
    "AAAgACEL/QwAAAAAAAAAAAAAAAAAAAAAIQz9DAAAAAAAAAAAAAAAAAAAAAAhDf0MAAAAAAAAAAAAAAAAAAAAACEO/QwAAAAAAAAAAAAAAAAAAA",
    "AAIQ8gACEEA0AgASAESwRAIAggBCgCACAFaiIG/QIAACIRIAQoAgQgBWoiB/0CAAAiEv0NAAEQEQIDEhMEBRQVBgcWFyITIAT9CQIIIhD9ugH9",
    "rgEhCCAMIBMgBP0JAgwiE/26Af2uASEMIAkgESAS/Q0ICRgZCgsaGwwNHB0ODx4fIhEgEP26Af2uASEJIA0gESAT/boB/a4BIQ0gCiAG/QIACC",
    "ISIAf9AgAIIhT9DQABEBECAxITBAUUFQYHFhciESAQ/boB/a4BIQogDiARIBP9ugH9rgEhDiALIBIgFP0NCAkYGQoLGhsMDRwdDg8eHyIRIBD9",
    "ugH9rgEhCyAPIBEgE/26Af2uASEPIARBEGohBAwBCwsgAiAIIAxBD/2rAf2uAUEW/awBIAkgDUEP/asB/a4BQRb9rAH9hQEgCiAOQQ/9qwH9rg",
    "FBFv2sASALIA9BD/2rAf2uAUEW/awB/YUB/Wb9CwQAIAJBEGohAiAFQRBqIQUMAQsLC/IBAgJ/A3sDQCAAIAFJBEAgACgCACEEIAIgAEEEaiIA",
    "aiEF/QwAACAAAAAgAAAAIAAAACAAIQb9DAAAAAAAAAAAAAAAAAAAAAAhBwNAIAAgBUkEQCAGIAT9XQMAIgYgBv0NAAgDCAEIBAgCCAUICAgICC",
    "IIIAD9CQIA/boB/a4BIQYgByAIIAD9CQIE/boB/a4BIQcgAEEIaiEAIARBBmohBAwBCwsgAyAGIAdBD/2rAf2uAUEW/awB/QwAAAAAAAAAAAAA",
    "AAAAAAAA/YUB/QwAAAAAAAAAAAAAAAAAAAAA/Wb9GwA2AgAgA0EDaiEDDAELCws=",
  ].join(""),
);
