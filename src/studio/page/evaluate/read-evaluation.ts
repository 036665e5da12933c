/** A value with its 95 % interval; of a comparison, the gain with its own. */
export interface Measured {
  readonly value: number;
  /** null where too few images stand behind the value. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface Bin {
  readonly label: string;
  readonly samples: number;
  readonly metrics: Readonly<Record<string, Measured>>;
}

export interface Breakdown {
  readonly name: string;
  readonly title: string;
  readonly bins: readonly Bin[];
}

/** What the page shows of an evaluator's JSON: docs/formats/evaluation.md. */
export interface Evaluation {
  readonly kind: "evaluation" | "comparison";
  readonly preset: string;
  readonly splits: readonly string[];
  readonly samples: number;
  readonly images: number;
  readonly metrics: Readonly<Record<string, Measured>>;
  readonly breakdowns: readonly Breakdown[];
}

/** One line of `evaluate --samples`. */
export interface SampleScore {
  readonly key: string;
  readonly text: string;
  readonly iou: number;
  readonly areaShare: number | undefined;
  readonly noTarget: boolean;
  readonly predictedNoTarget: boolean;
  /** As they were compared; undefined in files that hold no masks. */
  readonly masks: CaseMasks | undefined;
  /** Of a comparison: the first model's IoU, and what the second gains over it. */
  readonly firstIou: number | undefined;
  readonly gain: number | undefined;
}

/** COCO run lengths over one raster. */
export interface CaseMasks {
  readonly height: number;
  readonly width: number;
  readonly truth: string;
  readonly prediction: string;
  /** The first model's, of a comparison. */
  readonly first: string | undefined;
}

export type Opened =
  | { readonly kind: "evaluation"; readonly evaluation: Evaluation }
  | { readonly kind: "samples"; readonly samples: readonly SampleScore[] };

type Tree = Readonly<Record<string, unknown>>;

/** Tells a result from its samples by content. Throws with what was expected and what came. */
export function readEvaluatorFile(text: string): Opened {
  const whole = jsonOf(text);
  if (whole === undefined || (isTree(whole) && typeof whole.key === "string" && whole.format === undefined))
    return { kind: "samples", samples: readSamples(text) };
  if (!isTree(whole)) throw new Error("Expected an object from `nemosaic evaluate --json`.");
  if (whole.format === "nemosaic-evaluation") {
    refuseNewer(whole);
    return { kind: "evaluation", evaluation: evaluationOf(whole) };
  }
  if (whole.format === "nemosaic-comparison") {
    refuseNewer(whole);
    return { kind: "evaluation", evaluation: comparisonOf(whole) };
  }
  throw new Error(
    `Expected the format "nemosaic-evaluation" or "nemosaic-comparison", got ${JSON.stringify(whole.format ?? null)}. Write one with nemosaic evaluate --json.`,
  );
}

function readSamples(text: string): SampleScore[] {
  return text.split("\n").flatMap((line, at) => {
    if (line.trim() === "") return [];
    const value = jsonOf(line);
    if (!isTree(value) || typeof value.key !== "string" || typeof value.iou !== "number")
      throw new Error(
        `Expected a sample with "key" and "iou" in line ${at + 1}. Write the file with nemosaic evaluate --samples.`,
      );
    return {
      key: value.key,
      text: typeof value.text === "string" ? value.text : "",
      iou: value.iou,
      areaShare: typeof value.area_share === "number" ? value.area_share : undefined,
      noTarget: value.no_target === true,
      predictedNoTarget: value.predicted_no_target === true,
      masks: masksOf(value),
      firstIou: numberOrNothing(value.first_iou),
      gain: numberOrNothing(value.gain),
    };
  });
}

function masksOf(value: Tree): CaseMasks | undefined {
  const [height, width] = Array.isArray(value.mask_size) ? (value.mask_size as unknown[]) : [];
  const { truth, prediction, first_prediction: first } = value;
  if (typeof height !== "number" || typeof width !== "number") return undefined;
  if (typeof truth !== "string" || typeof prediction !== "string") return undefined;
  return { height, width, truth, prediction, first: typeof first === "string" ? first : undefined };
}

function numberOrNothing(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What a second file of samples gains over a first: the expressions that both have, as one file of a comparison. */
export function pairSamples(first: readonly SampleScore[], second: readonly SampleScore[]): SampleScore[] {
  const before = new Map(first.map((sample) => [sample.key, sample]));
  return second.flatMap((sample) => {
    const other = before.get(sample.key);
    if (other === undefined) return [];
    const isAlike = sample.masks?.height === other.masks?.height && sample.masks?.width === other.masks?.width;
    const masks = sample.masks && { ...sample.masks, first: isAlike ? other.masks?.prediction : undefined };
    return [{ ...sample, masks, firstIou: other.iou, gain: sample.iou - other.iou }];
  });
}

function evaluationOf(tree: Tree): Evaluation {
  return {
    kind: "evaluation",
    preset: presetOf(tree),
    splits: stringsOf(tree.splits),
    samples: numberOf(tree.samples, "samples"),
    images: numberOf(tree.images, "images"),
    metrics: worthShowing(metricsOf(tree.metrics), tree),
    breakdowns: breakdownsOf(tree.breakdowns, "metrics"),
  };
}

function comparisonOf(tree: Tree): Evaluation {
  const comparison = tree.comparison;
  if (!isTree(comparison)) throw new Error('Expected the member "comparison".');
  return {
    kind: "comparison",
    preset: presetOf(isTree(tree.a) ? tree.a : {}),
    splits: stringsOf(isTree(tree.a) ? tree.a.splits : []),
    samples: numberOf(comparison.samples, "comparison.samples"),
    images: numberOf(comparison.images, "comparison.images"),
    metrics: worthShowing(metricsOf(comparison.gains), isTree(tree.b) ? tree.b : {}),
    breakdowns: breakdownsOf(comparison.breakdowns, "gains"),
  };
}

function breakdownsOf(value: unknown, member: "metrics" | "gains"): Breakdown[] {
  if (!Array.isArray(value)) throw new Error('Expected a list of "breakdowns".');
  return value.filter(isTree).map((breakdown) => ({
    name: String(breakdown.name),
    title: String(breakdown.title),
    bins: (Array.isArray(breakdown.bins) ? breakdown.bins : []).filter(isTree).map((bin) => ({
      label: String(bin.label),
      samples: numberOf(bin.samples, `samples of ${String(bin.label)}`),
      metrics: metricsOf(bin[member]),
    })),
  }));
}

function metricsOf(value: unknown): Record<string, Measured> {
  if (!isTree(value)) throw new Error("Expected metrics with their intervals.");
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, measured]): [string, Measured][] => {
      if (!isTree(measured)) return [];
      const middle = measured.gain ?? measured.value;
      const { low, high } = measured;
      const isBound = (bound: unknown): bound is number | null => bound === null || typeof bound === "number";
      return typeof middle === "number" && isBound(low) && isBound(high) ? [[name, { value: middle, low, high }]] : [];
    }),
  );
}

/**
 * The metrics that say something of this set: N-acc without a no-target sample is an empty 0, and gIoU and cIoU are mIoU
 * and oIoU under the names of GRES. The file lists them; older ones without the list are read by the same rule.
 */
function worthShowing(metrics: Record<string, Measured>, tree: Tree): Record<string, Measured> {
  const listed = Array.isArray(tree.metricsShown) ? new Set(tree.metricsShown.map(String)) : undefined;
  const isPlain = tree.noTargets === 0 && isTree(tree.preset) && tree.preset.noTarget === "ignored";
  const isShown = (name: string): boolean => listed?.has(name) ?? (!isPlain || /^(oIoU|mIoU|P@)/.test(name));
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => isShown(name)));
}

function refuseNewer(tree: Tree): void {
  if (tree.version !== 1) throw new Error(`Expected version 1, got ${JSON.stringify(tree.version ?? null)}.`);
}

function presetOf(tree: Tree): string {
  return isTree(tree.preset) && typeof tree.preset.name === "string" ? tree.preset.name : "";
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function numberOf(value: unknown, what: string): number {
  if (typeof value !== "number") throw new Error(`Expected a number for "${what}".`);
  return value;
}

function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
