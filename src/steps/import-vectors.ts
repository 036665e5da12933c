import { formatCount, formatNumber } from "../io/index.ts";
import { quoteValue } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import {
  type ImportedMatrix,
  type ImportVectorsReport,
  importVectors as importInto,
  type VectorFiles,
} from "../relevance/index.ts";
import { fullListener, type Listener, withPool } from "./listener.ts";

/** Which vectors to import, and what made them. */
export interface ImportVectorsStepOptions {
  readonly images: VectorFiles;
  readonly expressions: VectorFiles;
  /** Whether images may have several vectors, whose best counts; the whole picture's comes first. */
  readonly many?: boolean | undefined;
  /** The folder under embeddings/; default "vectors". */
  readonly name?: string | undefined;
  /** What made the vectors, for the manifests: `model` {id, hash} and more; default: the files themselves. */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
  /** An image without a usable vector ends the run ("fail", default) or is no candidate. */
  readonly onBad?: "fail" | "skip" | undefined;
  /** Replace finished vectors; they stay until the new ones are whole. */
  readonly force?: boolean | undefined;
}

/**
 * Takes vectors that another program made as embeddings/<name>: .npy files with a file of keys each. What was scaled to length 1 and
 * which keys are not of this pool are remarks. Errors: see `importVectors` of the room `relevance`.
 */
export function importVectors(
  pool: string | Pool,
  options: ImportVectorsStepOptions,
  listener: Listener = {},
): Promise<ImportVectorsReport> {
  return withPool(pool, async (opened) => {
    const { images, expressions, many, name = "vectors", about, onBad = "fail", force = false } = options;
    const { progress, onRemark, onWarning } = fullListener(listener);
    const report = await importInto(opened, { images, expressions, many, name, about, onBad, force, progress });
    for (const unit of ["images", "expressions"] as const)
      for (const line of remarksOn(unit, report[unit])) onRemark(line);
    const [first] = report.images.skipped;
    if (first !== undefined)
      onWarning(
        `no vector for ${formatCount(report.images.skipped.length, "image")}: not among the candidates, such as ${quoteValue(first.name)}: ${first.reason}`,
      );
    return report;
  });
}

function remarksOn(unit: string, { scaled, unknown, lostParts }: ImportedMatrix): string[] {
  const lines: string[] = [];
  if (lostParts > 0)
    lines.push(
      `${unit}: ${formatNumber(lostParts)} vectors beside the first of an image cannot be used and do not count`,
    );
  if (scaled.count > 0) {
    const range = [scaled.least, scaled.most].map((length) => length.toPrecision(3)).join(" to ");
    lines.push(`${unit}: scaled ${formatCount(scaled.count, "vector")} of length ${range} to length 1`);
  }
  if (unknown.count > 0)
    lines.push(
      `${unit}: ${formatNumber(unknown.count)} keys are not of this pool and were passed over, such as ${quoteValue(unknown.first)}`,
    );
  return lines;
}
