import type { Pool } from "../pool/index.ts";
import { Cases, type Finding, plural, type Severity } from "./finding.ts";

/** What a dataset's publication says of one split; what it does not state is left out. */
export interface SplitTotals {
  readonly refs?: number;
  readonly images?: number;
  readonly expressions?: number;
}

/** Published totals by split; "all" stands for the whole dataset. */
export type PublishedTotals = Readonly<Record<string, SplitTotals>>;

/** The first messages of each reason for which records were left out. */
export type LeftOutExamples = Readonly<Record<string, readonly string[]>>;

/**
 * Compares a pool's sources with what is published of them, and repeats what their import left out; `imported` as in
 * `ExamineOptions`.
 */
export function checkCounts(
  pool: Pool,
  published: (source: string) => PublishedTotals | undefined,
  imported: LeftOutExamples | undefined,
): Finding[] {
  const findings: Finding[] = [];
  for (const { name, skipped, warnings } of pool.manifest.sources) {
    const totals = published(name);
    if (totals !== undefined) findings.push(...compare(pool, name, totals));
    for (const [reason, count] of Object.entries(skipped))
      findings.push(describeLeftOut(name, reason, count, imported));
    for (const warning of warnings)
      findings.push({
        severity: "info",
        code: "import-warning",
        message: `${name}: ${warning}`,
        fix: "read before training",
        count: 1,
        examples: [],
      });
  }
  return findings;
}

function compare(pool: Pool, source: string, published: PublishedTotals): Finding[] {
  const cases = new Cases();
  const own = countSplits(pool, source);
  for (const [split, totals] of Object.entries(published)) {
    const got = own.get(split);
    for (const [what, want] of Object.entries(totals) as [keyof SplitTotals, number][]) {
      const have = got?.[what] ?? 0;
      if (have !== want)
        cases.add(() => `${split}: ${have} ${what}, published ${want} (${have > want ? "+" : ""}${have - want})`);
    }
  }
  const fix =
    "check that the files are the complete, original ones (sizes, --split-by) and what the import skipped; results on other data are not comparable with published ones";
  return cases.finding(
    "warning",
    "counts-differ",
    (n) => `${source}: ${plural(n, "number")} other than published`,
    fix,
  );
}

function countSplits(pool: Pool, source: string): Map<string, Required<SplitTotals>> {
  const images = new Map<string, Set<number>>();
  const counts = new Map<string, { refs: number; images: number; expressions: number }>();
  for (let ref = 0; ref < pool.refs.count; ref++) {
    if (pool.refs.source[ref] !== source) continue;
    const [start, end] = pool.expressionsOfRef(ref);
    for (const split of [pool.refs.split[ref] ?? "", "all"]) {
      const count = counts.get(split) ?? { refs: 0, images: 0, expressions: 0 };
      const seen = images.get(split) ?? new Set();
      seen.add(pool.refs.image[ref] ?? 0);
      images.set(split, seen);
      counts.set(split, { refs: count.refs + 1, images: seen.size, expressions: count.expressions + end - start });
    }
  }
  return counts;
}

/** Reasons for which a dataset on disk is broken, not merely odd in places. */
const severe = ["image missing", "image unreadable", "image of another size"];

function describeLeftOut(
  source: string,
  reason: string,
  count: number,
  imported: LeftOutExamples | undefined,
): Finding {
  const severity: Severity = imported !== undefined || severe.includes(reason) ? "error" : "warning";
  const fix = severe.includes(reason)
    ? "complete the images folder (or name the right one with --images) and import again"
    : "correct these records in the dataset and import again, or go on without them (import --on-bad skip)";
  return {
    severity,
    code: "left-out",
    message: `${source}: ${plural(count, "record")} left out when imported: ${reason}`,
    fix,
    count,
    examples: imported?.[reason] ?? [],
  };
}
