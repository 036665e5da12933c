import type { Progress } from "../io/index.ts";
import type { Pool } from "../pool/index.ts";
import { checkArtefacts } from "./check-artefacts.ts";
import { checkCounts, type LeftOutExamples, type PublishedTotals } from "./check-counts.ts";
import { checkImages } from "./check-images.ts";
import { checkLeaks, checkLeaksBetween } from "./check-leaks.ts";
import { checkRecords } from "./check-records.ts";
import { type Finding, type Severity, severities } from "./finding.ts";
import { defaultAlikeBits } from "./near-duplicates.ts";

export interface ExamineOptions {
  /** Published totals of a source by its name; undefined for unknown datasets. */
  readonly published: (source: string) => PublishedTotals | undefined;
  /**
   * Given where the pool was just made of the dataset that is examined: the first messages of each reason for which the
   * import left records out. They are then the dataset's own errors, since an import would stop at them.
   */
  readonly imported?: LeftOutExamples;
  /** Another pool whose splits must not meet this one's. */
  readonly against?: Pool;
  /** Headers and file sizes instead of decoding; near-duplicates are then not looked for. */
  readonly fast: boolean;
  /** Bits of 128 by which images may differ and still count as alike. */
  readonly alikeBits?: number;
  /** Cosine from which two image vectors count as near-duplicates. */
  readonly nearDuplicate: number;
  readonly concurrency: number;
  readonly progress: Progress;
}

/** What the doctor has to say of a pool. */
export interface Examination {
  readonly pool: string;
  readonly against: string | null;
  readonly checked: {
    readonly images: number;
    readonly refs: number;
    readonly expressions: number;
    readonly decoded: boolean;
  };
  readonly totals: Readonly<Record<Severity, number>>;
  /** Errors first. */
  readonly findings: readonly Finding[];
}

/** Examines an open pool. Reads, never writes. Errors: "bad-input" only where the pool itself cannot be read. */
export async function examinePool(pool: Pool, options: ExamineOptions): Promise<Examination> {
  const { against, fast, alikeBits = defaultAlikeBits } = options;
  const images = await checkImages(pool, options);
  const findings = [
    ...checkCounts(pool, options.published, options.imported),
    ...images.findings,
    ...(await checkRecords(pool)),
    ...checkLeaks(pool, images.sketches, alikeBits),
    ...(await checkArtefacts(pool, options.nearDuplicate)),
  ];
  if (against !== undefined) {
    const others = fast ? { sketches: [] } : await checkImages(against, options);
    findings.push(...checkLeaksBetween(pool, against, images.sketches, others.sketches, alikeBits));
  }
  const ranked = severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
  const count = (severity: Severity): number => findings.filter((finding) => finding.severity === severity).length;
  return {
    pool: pool.folder,
    against: against?.folder ?? null,
    checked: { images: pool.images.count, refs: pool.refs.count, expressions: pool.expressions.count, decoded: !fast },
    totals: { error: count("error"), warning: count("warning"), info: count("info") },
    findings: ranked,
  };
}
