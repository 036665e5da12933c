// Made from ../assembly/dense.ts by `npm run kernels`: change that file.
import { kernelMaker } from "../../../kernels/index.ts";

export interface DenseKernel {
  /** Cuts a list to `depth` entries and a few more (at most a sixteenth of the depth); ties keep the earlier ones. Moves scores and ids. */
  cut(list: number, capacity: number, depth: number): void;
  /** Leaves only what is within the margin of the `depth` best. Moves scores and ids. */
  cutToMargin(list: number, capacity: number, depth: number, margin: number): void;
  /** Turns `count` (a multiple of 4) int32 at `scores` into floats, in place: value · scales[i] · scale + offsets[i]. */
  dequantise(scores: number, count: number, scales: number, offsets: number, scale: number): void;
  /** Moves the far entries that reach the list's threshold exactly into the list, where their ids belong. */
  merge(list: number, capacity: number): void;
  /**
   * Offers `count` scores at `scores`, with ids from `firstId` on: the `depth` best are kept. An empty list first takes its threshold from
   * the scores themselves.
   */
  offer(list: number, capacity: number, depth: number, scores: number, count: number, firstId: number): void;
  /**
   * Takes T, a score that at least `depth` of the near entries reach, keeps it as the list's threshold, and drops the far ones that score
   * less than (T - slack) · scale approximately, but none of 255 or more. A list without far ones stays as it is.
   */
  prune(list: number, capacity: number, depth: number, slack: number, scale: number): void;
  /**
   * Writes the ids of the `depth` best of a list, best first, ties in order, to `ids`, and two of its columns to `first` and `second`;
   * returns 1. The list has at least `depth` entries, all of them numbers. Where scores crowd it writes nothing and returns 0.
   */
  rank(list: number, capacity: number, depth: number, work: number, ids: number, first: number, second: number, firstColumn: number, secondColumn: number): number;
  /**
   * A score that at least `wanted` of the `count` (a multiple of 4) scores at `scores` reach, and few more do unless they are
   * equal; the lowest where there are fewer than that.
   */
  reachedBy(scores: number, count: number, wanted: number): number;
  /**
   * Scores entries of `lists` lists, one after the other from `list` on, those with ids from `firstId` up to `endId`: the dot products of
   * their candidates' vectors, of `stride` bytes (a multiple of 32) from `candidates` on, with the vector of each list, whose
   * address is in the int32s at `vectors`; into `column` (0 the scores, 2 and 3 the others). Ranges of ids must follow each
   * other, the first one beginning at 0. `table` has the bytes that `tableBytes` tells.
   */
  rescore(list: number, lists: number, capacity: number, firstId: number, endId: number, candidates: number, stride: number, vectors: number, column: number, table: number): void;
  /** As `offer`, of approximate scores: keeps what is within `margin` of the `depth` best, or marks the list as overflowed. */
  shortlist(list: number, capacity: number, depth: number, margin: number, scores: number, count: number, firstId: number): void;
  /**
   * As `shortlist`, of `count` scores that are bytes, 64 a step, for a list that began with a guess: bytes that exceed the threshold,
   * and never those of 0. Of 64 bytes one or two exceed the threshold: one jump that is guessed wrong for all of them.
   */
  shortlistBytes(list: number, capacity: number, depth: number, margin: number, bytes: number, count: number, firstId: number): void;
  /**
   * Leaves in a list the near entries, those that reach a score which at least `depth` reach and few more do, and makes a list of the far
   * ones, which are within the margin. `lanes` is where the `laneTable` lies. Four entries at a time: each vector is stored whole,
   * and what follows writes over the rest of it.
   */
  split(list: number, capacity: number, depth: number, margin: number, lanes: number): void;
}

export const openDense = kernelMaker<DenseKernel>(
  [
    "AGFzbQEAAAABcA1gB39/f31/f38AYAN/f38BfWAFf39/fX8AYAR/f39/AX1gBX9/f397AX1gBH9/f30AYAN/f38AYAV/f399fQBgAn9/AGAGf3",
    "9/f39/AGAKf39/f39/f39/fwBgCX9/f39/f39/fwF/YAV/f39/fQACDwEDZW52Bm1lbW9yeQIAAAMSEQECAwAEBQYCBwgAAAkBCgsMB3wMA2N1",
    "dAAGC2N1dFRvTWFyZ2luAAUKZGVxdWFudGlzZQAQBW1lcmdlAAkFb2ZmZXIADAVwcnVuZQAIBHJhbmsADwlyZWFjaGVkQnkADQdyZXNjb3JlAA",
    "4Jc2hvcnRsaXN0AAsOc2hvcnRsaXN0Qnl0ZXMACgVzcGxpdAAHCv8jEegBAwJ/A3sBfSAAIAFBAnRqIgQhAyAAIAFBA2pBfHFBAnRqIQEgACoC",
    "ACEIA0AgASADSwRAIAMgCDgCACADQQRqIQMMAQsLIAD9AAQAIgUhBiAAQRBqIQMDQCABIANLBEAgBSAD/QAEACIH/egBIQUgBiAH/ekBIQYgA0",
    "EQaiEDDAELCyAF/R8AIAX9HwGWIAX9HwIgBf0fA5aW/RMgBv0fACAG/R8BlyAG/R8CIAb9HwOXl/0gASEFA0AgASAESwRAIARDAACA/zgCACAE",
    "QQRqIQQMAQsLIAAgASACIAIgAkEEdWogBRAEC0cAIANDAACAv1sEQCAAIAEgAhAGDwsgACABIAIgAxAFIAAoAgAgASAEa0wEQA8LIABBATYCCC",
    "AAQwAAgH84AgQgAEEANgIAC4ABAgN7AX8gAP0ABAAiBCEFIABBEGohBwNAIAEgB0sEQCAEIAf9AAQAIgb96AEhBCAFIAb96QEhBSAHQRBqIQcM",
    "AQsLIAAgASACIAMgBP0fACAE/R8BliAE/R8CIAT9HwOWlv0TIAX9HwAgBf0fAZcgBf0fAiAF/R8Dl5f9IAEQBAv9AgMHfwV7An0gAUECdCEIIA",
    "BBEGohCSAEIAVBAnRqIQogBCAFQXBxQQJ0aiELIAAoAgAhBSAAKgIEIhP9EyEOA0AgBCALSQRAIAT9AAQAIA79RCIPIAT9AAQQIA79RCIQ/VAg",
    "BP0ABCAgDv1EIhEgBP0ABDAgDv1EIhL9UP1Q/VMEQCAPIBD9hQEgESAS/YUB/WX9ZCEHA0AgCSAFQQJ0aiIMIAQgB2giDUECdGoqAgA4AgAgCC",
    "AMaiAGIA1qNgIAIAVBAWohBSAHIAdBAWtxIgcNAAsgBSABQRBrSgRAIAAgBTYCACAAIAEgAiADQRAQASAAKgIEIhP9EyEOIAAoAgAhBQsLIAZB",
    "EGohBiAEQUBrIQQMAQsLA0AgBCAKSQRAIAQqAgAiFCATXgRAIAkgBUECdGoiByAUOAIAIAcgCGogBjYCACAFQQFqIQULIARBBGohBCAGQQFqIQ",
    "YMAQsLIAAgBTYCACAFIAFBEGtKBEAgACABIAIgA0EQEAELC4oDAwF/A30BeyAE/R8AIQYgACEFIAT9HwEiB/0TIQQDQCABIAVLBEAgCSAF/QAE",
    "ACAE/Ub9sQEhCSAFQRBqIQUMAQsLIAcgBiACIAn9GwIgCf0bA2ogCf0bACAJ/RsBampMGyIGIAdD//9/f5YiCF0EfyAAIQUgCP0TIQT9DAAAAA",
    "AAAAAAAAAAAAAAAAAhCQNAIAEgBUsEQCAJIAX9AAQAIAT9Rv2xASEJIAVBEGohBQwBCwsgAiAJ/RsCIAn9GwNqIAn9GwAgCf0bAWpqTAVBAAsE",
    "fSAIBSAGCyIHQwAAAD+UIAhDAAAAP5SSIQYDQCAGIAhdIAYgB15xBEACQCAAIQUgBv0TIQT9DAAAAAAAAAAAAAAAAAAAAAAhCQNAIAEgBUsEQC",
    "AJIAX9AAQAIAT9Rv2xASEJIAVBEGohBQwBCwsgCf0bAiAJ/RsDaiAJ/RsAIAn9GwFqaiIFIAJIBEAgBiEIBSAGIQcgAyAFTg0BCyAHQwAAAD+U",
    "IAhDAAAAP5SSIQYMAgsLCyAHC44BAgR/AX0gACgCACIFIAJMBEAPCyABQQJ0IQYgAEEQaiIEIAVBAnRqIQcgBCAFIAIQACADkyEDIAQiASECA0",
    "AgAiAHSQRAIAEgAioCACIIOAIAIAEgBmogAiAGaigCADYCACABIAMgCF1BAnRqIQEgAkEEaiECDAELCyAAIAEgBGtBAnY2AgAgACADOAIEC8cB",
    "AgV/An0gACgCACIEIAJMBEAPCyABQQJ0IQUgAEEQaiIDIARBAnRqIQYgAyAEIAIQACEIIAMhAQNAIAEgBkkEQCACIAEqAgAgCF5rIQIgAUEEai",
    "EBDAELCyADIgEhBANAIAQgBkkEQCAEKgIAIgkgCFshByABIAk4AgAgASAFaiAEIAVqKAIANgIAIAEgByACQQBKcSAIIAldckECdGohASACIAdr",
    "IQIgBEEEaiEEDAELCyAAIAEgA2tBAnY2AgAgACAIOAIEC6cCAwd/BnsBfSAAIAFBA3RqIghBEGoiCSEGIAAoAgAiCiACSgRAIAFBAnQhByAAQR",
    "BqIgUgCiACEAAiEiADkyEDIBL9EyENIAP9EyEOIAUgCkEDakF8cUECdGohCiAFIgEhAgNAIAIgCkkEQCACIAdq/QAEACEMIAQgAv0ABAAiESAN",
    "/UYiD/2kASILQQR0av0ABAAhECABIBEgEP0O/QsEACABIAdqIAwgEP0O/QsEACABIAtpQQJ0aiEBIAYgESAEIBEgDv1EIA/9T/2kASILQQR0av",
    "0ABAAiD/0O/QsEACAGIAdqIAwgD/0O/QsEACAGIAtpQQJ0aiEGIAJBEGohAgwBCwsgACABIAVrQQJ2NgIAIAAgAzgCBAsgCCAGIAlrQQJ2NgIA",
    "C6cBAgN/AX0gACABQQN0aiIFKAIARQRADwsgACAAQRBqIAAoAgAgAhAAIgg4AgQgAUECdCEGIAggA5MgBJRDAAB/Q5YhAyAFQRBqIgIgBSgCAE",
    "ECdGohByACIgEhAANAIAAgB0kEQCABIAAqAgAiBDgCACABIAZqIAAgBmooAgA2AgAgASADIAReRUECdGohASAAQQRqIQAMAQsLIAUgASACa0EC",
    "djYCAAukAgIFfwJ9IAAgAUEDdGoiBSgCAEUEQA8LIAFBAnQhBCAAKgIEIQcgBUEQaiIDIAUoAgBBAnRqIQYgAyIBIQIDQCACIAZJBEAgASACKg",
    "IAIgg4AgAgASAEaiACIARqKAIANgIAIAEgByAIXkVBAnRqIQEgAkEEaiECDAELCyAFIAEgA2tBAnY2AgAgACAFKAIAIgEgACgCACICajYCACAF",
    "QQxqIgUgAUECdCIDaiEBIAMgAEEMaiIGIAJBAnRqIgJqIQMDQCABIAVLBEAgASEAIAIgBksEfyACIARqKAIAIAEgBGooAgBKBUEACwRAIAIiAE",
    "EEayECBSABQQRrIQELIAMgACoCADgCACADIARqIAAgBGooAgA2AgAgA0EEayEDDAELCwutAgMBewF+BH8gAUECdCEKIABBEGohCSAEIAVqIQsg",
    "ACgCACEFIAAqAgRDAAAAAJdDAAB/Q5b8AP0PIQcDQCAEIAtJBEAgBP0ABAAgB/0o/WQgBP0ABBAgB/0o/WRBEHRyrSAEQSBq/QAEACAH/Sj9ZC",
    "AE/QAEMCAH/Sj9ZEEQdHKtQiCGhCIIQgBSBEAgCSAFQQJ0aiEFA0AgBSAIeqciDCAEai0AALI4AgAgBSAKaiAGIAxqNgIAIAVBBGohBSAIIAhC",
    "AX2DIghCAFINAAsgBSAJa0ECdiIFIAFBQGpKBEAgACAFNgIAIAAgASACIANBwAAQASAAKgIEQwAAAACXQwAAf0OW/AD9DyEHIAAoAgAhBQsLIA",
    "ZBQGshBiAEQUBrIQQMAQsLIAAgBTYCAAtWACAAKgIEQwAAgP9bBH8gACgCAAVBAQtFIAUgAkEBdEpxBEAgACAEIAQgBUF8cUECdGogAiACIAJB",
    "BHVqEAIgA5M4AgQLIAAgASACIAMgBCAFIAYQAwt8AgF9AX8gACgCAEUgBCACQQF0SnEEQCADIAMgBEF8cUECdGogAiACIAJBBHVqEAIiBkMAAI",
    "D/XgRAIAAgBkMAAAAAWwR9QwEAAIAFIAa8IgdBAWsgB0EBaiAGQwAAAABeG74LOAIECwsgACABIAJDAACAvyADIAQgBRADCxUAIAAgACABQQJ0",
    "aiACIAJBAmoQAgvCBgQMfwF9CHsBfiACQQJ0IRUgCSAEIANrQQN0aiEKIAkhCwNAIAogC0sEQCALQX82AgAgC0EIaiELDAELCwNAIAFBAEoEQC",
    "AAQRBqIgsgFWoiFCAAKAIAQQJ0aiEPIAcoAgAhDiALIAggFWxqIAMEfyAAKAIMQQJ0BUEACyAUaiIRIBRraiELIAohDQNAIBEoAgAiDCAESCAP",
    "IBFLcQRAIAkgDCADa0EDdGoiDCgCACAORgRAIAsgDCoCBDgCAAUgDCAONgIAIA0gDDYCACANIAs2AgQgDUEIaiENCyARQQRqIREgC0EEaiELDA",
    "ELCyANIAoiC0cEQCANIA1BCGspAwAiHzcDACANIB83AwggBiAOaiEPA0AgCyANSQRAIAUgCygCACAJa0EDdiAGbGohECAFIAsoAgggCWtBA3Yg",
    "BmxqIRIgBSALKAIQIAlrQQN2IAZsaiET/QwAAAAAAAAAAAAAAAAAAAAAIRj9DAAAAAAAAAAAAAAAAAAAAAAhGf0MAAAAAAAAAAAAAAAAAAAAAC",
    "Ea/QwAAAAAAAAAAAAAAAAAAAAAIRv9DAAAAAAAAAAAAAAAAAAAAAAhHP0MAAAAAAAAAAAAAAAAAAAAACEdIA4hDANAIBggDP0ABAAiHiAQ/QAE",
    "AP3mAf3kASEYIBkgDP0ABBAiFyAQ/QAEEP3mAf3kASEZIBogHiAS/QAEAP3mAf3kASEaIBsgFyAS/QAEEP3mAf3kASEbIBwgHiAT/QAEAP3mAf",
    "3kASEcIB0gFyAT/QAEEP3mAf3kASEdIBBBIGohECASQSBqIRIgE0EgaiETIA8gDEEgaiIMSw0ACyALKAIAIBggGf3kASIX/R8AIBf9HwGSIBf9",
    "HwIgF/0fA5KSIhY4AgQgCygCBCAWOAIAIAtBCGooAgAgGiAb/eQBIhf9HwAgF/0fAZIgF/0fAiAX/R8DkpIiFjgCBCALKAIMIBY4AgAgC0EQai",
    "gCACAcIB395AEiF/0fACAX/R8BkiAX/R8CIBf9HwOSkiIWOAIEIAsoAhQgFjgCACALQRhqIQsMAQsLCyAAIBEgFGtBAnY2AgwgACACQQR0QRBq",
    "aiEAIAdBBGohByABQQFrIQEMAQsLC7IGAwh/A3sCfSABQQJ0Ig4gA2oiCiAOakEQaiEBIAMhCSAAKAIAIQ0gAEEQaiILIgAgDUEDakF8cUECdG",
    "ohDyAAIA1BAnRqIQwgACoCACEUA0AgDCAPSQRAIAwgFDgCACAMQQRqIQwMAQsLIAD9AAQAIhIhESAAQRBqIQwDQCAMIA9JBEAgEiAM/QAEACIT",
    "/egBIRIgESAT/ekBIREgDEEQaiEMDAELCyAS/R8CIBL9HwOWIBL9HwAgEv0fAZaW/RMgEf0fAiAR/R8DlyAR/R8AIBH9HwGXl/0gASIR/R8BIh",
    "X9EyESIA2yIhRDAAAAv5IgFSAR/R8Ak5X9EyERIBRDAACAv5L9EyETA0AgACAPSQRAIAkgEiAA/QAEAP3lASAR/eYBIBP96AH9+AH9CwQAIAlB",
    "EGohCSAAQRBqIQAMAQsLIAogDUECdGohECAKIQADQCAAIBBJBEAgAP0MAAAAAAAAAAAAAAAAAAAAAP0LBAAgAEEQaiEADAELCyADIA1BAnRqIQ",
    "kgAyEAA0AgACAJSQRAIAogACgCAEECdGoiDCAMKAIAQQFqNgIAIABBBGohAAwBCwsgASEJQQAhDCAKIQADQCAAIBBJBEAgDCAAKAIAIg9BGEpy",
    "IQwgACAJNgIAIAkgD0ECdGohCSAAQQRqIQAMAQsLIAwEQEEADwsgCyEAIAMgDUECdGohCQNAIAMgCUkEQCAKIAMoAgBBAnRqIgwoAgAiDyAANg",
    "IAIAwgD0EEajYCACAAQQRqIQAgA0EEaiEDDAELCyABIA1BAnRqIQkgAUEEayALNgIAIAFBBGohAwNAIAMgCUkEQCADIgBBBGsoAgAqAgAgACgC",
    "ACIKKgIAIhRdBEADQCAAIABBBGsiACgCADYCACAAIAFLIABBBGsoAgAqAgAgFF1xDQALIAAgCjYCAAsgA0EEaiEDDAELCyABIAJBAnRqIQAgBy",
    "AObCECIAggDmwhAwNAIAAgAUsEQCAEIAEoAgAiByAOaigCADYCACAFIAIgB2ooAgA2AgAgBiADIAdqKAIANgIAIARBBGohBCAFQQRqIQUgBkEE",
    "aiEGIAFBBGohAQwBCwtBAQtcAQF7IAAgAUECdGohASAE/RMhBQNAIAAgAUkEQCAAIAD9AAQA/foBIAL9AAQA/eYBIAX95gEgA/0ABAD95AH9Cw",
    "QAIABBEGohACACQRBqIQIgA0EQaiEDDAELCws=",
  ].join(""),
);
