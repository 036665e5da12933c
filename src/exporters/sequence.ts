import type { Loader } from "../loader/index.ts";
import { fail } from "../model/index.ts";
import type { ExportJob, SplitPart } from "./job.ts";

/** What one record of a split is: a sample to draw, or a ref's original image with all of its sentences. */
export type RecordKind =
  | { readonly kind: "drawn"; readonly epoch: number; readonly index: number }
  | { readonly kind: "original"; readonly ref: number; readonly expressions: readonly number[] };

/** Records of a drawn split: `epochs` × `units` samples, and after sample j (over all epochs) an original wherever ⌊(j + 1) r⌋ > ⌊j r⌋. */
export function drawnRecords(units: number, epochs: number, originals: number): number {
  return units * epochs + Math.floor(units * epochs * originals);
}

/** The refs of a split that is not drawn, in the pool's order: one record each. */
export function refsOfSplit(loader: Loader): number[] {
  const refs: number[] = [];
  const { facts } = loader;
  for (const unit of facts.units) {
    const ref = facts.unit === "ref" ? unit : facts.refOfExpression(unit);
    if (refs.at(-1) !== ref) refs.push(ref);
  }
  return refs;
}

/** The records of one split by their number in it: random access, the same in every process. */
export function recordsOfSplit(
  loader: Loader,
  split: SplitPart,
  job: Pick<ExportJob, "firstEpoch" | "originals">,
): (inSplit: number) => RecordKind {
  const { facts } = loader;
  const all = (ref: number): number[] => {
    const [start, end] = facts.expressionsOfRef(ref);
    return Array.from({ length: end - start }, (_, at) => start + at);
  };
  if (!split.drawn) {
    const refs = refsOfSplit(loader);
    return (inSplit) => {
      const ref = refs[inSplit] ?? fail("internal", `no record ${inSplit} in split "${split.name}"`);
      return { kind: "original", ref, expressions: all(ref) };
    };
  }
  // Sample j has number j + ⌊j r⌋; its originals follow it.
  const { firstEpoch, originals } = job;
  const numberOf = (sample: number): number => sample + Math.floor(sample * originals);
  return (inSplit) => {
    let sample = Math.min(inSplit, Math.floor(inSplit / (1 + originals)));
    while (numberOf(sample) > inSplit) sample--;
    while (numberOf(sample + 1) <= inSplit) sample++;
    const after = inSplit - numberOf(sample);
    if (after === 0)
      return { kind: "drawn", epoch: firstEpoch + Math.floor(sample / split.units), index: sample % split.units };
    const original = Math.floor(sample * originals) + after - 1;
    const unit =
      facts.units[original % split.units] ?? fail("internal", `no unit for record ${inSplit} of split "${split.name}"`);
    if (facts.unit === "ref") return { kind: "original", ref: unit, expressions: all(unit) };
    return { kind: "original", ref: facts.refOfExpression(unit), expressions: [unit] };
  };
}
