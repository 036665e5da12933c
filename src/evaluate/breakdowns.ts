import { countWords, expressionFeatures } from "../language/index.ts";
import type { Truth } from "./truth.ts";

/** What a breakdown looks at: the truth and its target's share of the image, 0 … 1. */
export interface BinInput {
  readonly truth: Truth;
  readonly areaShare: number;
  readonly noTarget: boolean;
}

/** A way to sort samples into bins. */
export interface Breakdown {
  readonly name: string;
  readonly title: string;
  /** Bins in the order of tables; bins that are not listed follow, by name. */
  readonly bins: readonly string[];
  /** The bin of a sample; undefined where the question does not arise (the area of no target). */
  readonly binOf: (input: BinInput) => string | undefined;
}

/** Bounds in % of the image, as the paper bins them; its last bin ends at 97, ours at 100. */
const areaBounds = [0, 3, 4, 5, 6, 8, 10, 12, 17, 24, 100];
const areaBins = areaBounds.slice(1).map((high, i) => `${areaBounds[i]}-${high} %`);
const lengthBins = [
  { label: "1-5", longest: 5 },
  { label: "6-7", longest: 7 },
  { label: "8-10", longest: 10 },
  { label: "11-20", longest: 20 },
] as const;

/** The paper's four breakdowns, and by category, split, number of targets and source. */
export const breakdowns: readonly Breakdown[] = [
  {
    name: "similar",
    title: "Other objects of the target's category in the image",
    bins: ["0", "1", "2", "3+"],
    binOf: ({ truth }) => {
      const count = truth.similarObjects;
      return count === undefined ? undefined : count >= 3 ? "3+" : String(count);
    },
  },
  {
    name: "area",
    title: "Mask area, % of the image",
    bins: areaBins,
    binOf: ({ areaShare, noTarget }) => (noTarget ? undefined : areaBin(areaShare)),
  },
  {
    name: "length",
    title: "Words in the expression",
    bins: ["0", ...lengthBins.map((bin) => bin.label), "21+"],
    binOf: ({ truth }) => lengthBin(countWords(truth.text)),
  },
  {
    name: "position",
    title: "Position words in the expression",
    bins: ["with", "without"],
    binOf: ({ truth }) => (expressionFeatures(truth.text).hasPositionWord ? "with" : "without"),
  },
  {
    name: "targets",
    title: "Targets of the expression",
    bins: ["single", "several", "none"],
    binOf: ({ truth, noTarget }) => (noTarget ? "none" : truth.segmentations.length > 1 ? "several" : "single"),
  },
  { name: "split", title: "Split", bins: [], binOf: ({ truth }) => truth.split },
  { name: "source", title: "Source", bins: [], binOf: ({ truth }) => truth.source },
  { name: "category", title: "Category of the target", bins: [], binOf: ({ truth }) => truth.category },
];

/** The bin of a mask that covers `share` (0 … 1) of its image: lower bounds belong to a bin, upper ones to the next. */
export function areaBin(share: number): string | undefined {
  const percent = share * 100;
  const next = areaBounds.findIndex((bound, i) => i > 0 && percent < bound);
  return areaBins[next < 0 ? areaBins.length - 1 : next - 1];
}

function lengthBin(words: number): string {
  if (words === 0) return "0";
  return lengthBins.find((bin) => words <= bin.longest)?.label ?? "21+";
}

/** Sorts the labels that occur: listed bins first, in their order, then the others by name. */
export function binOrder(breakdown: Breakdown, labels: Iterable<string>): string[] {
  const rank = (label: string): number => {
    const at = breakdown.bins.indexOf(label);
    return at < 0 ? breakdown.bins.length : at;
  };
  return [...new Set(labels)].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
