import { bandOf } from "../band/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";
import type { BandSelection } from "./band-selection.ts";

/** A candidate in an expression's band, and how often training meets it. */
export interface WorthJudging {
  readonly expression: number;
  readonly image: number;
  /** Expected draws in an epoch in which every sample is a mosaic, drawing uniformly from the band. */
  readonly draws: number;
  readonly t2i: number;
  /** Estimated chance that the expression is true of the image; undefined where it is not known. */
  readonly risk?: number | undefined;
  /** Another judge's score; undefined where there is none. */
  readonly judge?: number | undefined;
}

export interface WorthJudgingOptions {
  readonly unit: "ref" | "expression";
  /** Pairs to leave out. */
  readonly isJudged: (expression: number, image: number) => boolean;
  /** Pairs to return. */
  readonly most: number;
}

/**
 * The pairs whose verdict matters most: those in the bands, most drawn first, of equals the likeliest to be true
 * (risk, then text-to-image score), then by row. A pair of a small band is drawn again and again; one that is a false negative
 * there does the most harm.
 */
export function worthJudging(
  pool: Pool,
  mined: Mined,
  settings: ResolvedSettings,
  { rows, need, contextOf, task }: BandSelection,
  { unit, isJudged, most }: WorthJudgingOptions,
): WorthJudging[] {
  let found: WorthJudging[] = [];
  const cut = (): void => {
    found.sort(
      (a, b) =>
        b.draws - a.draws ||
        (b.risk ?? 0) - (a.risk ?? 0) ||
        b.t2i - a.t2i ||
        a.expression - b.expression ||
        a.image - b.image,
    );
    found = found.slice(0, most);
  };
  for (let at = 0; at < rows.length; at++) {
    const expression = rows[at]!;
    task?.advance();
    const row = mined.row(expression);
    const { size, survivors } = bandOf(row, contextOf(expression), settings);
    if (size === 0) continue;
    const [start, end] = pool.expressionsOfRef(pool.expressions.ref[expression]!);
    const draws = Math.min(1, need / size) / (unit === "ref" ? end - start : 1);
    for (let member = 0; member < size; member++) {
      const place = survivors[member]!;
      const image = row.ids[place]!;
      if (isJudged(expression, image)) continue;
      const t2i = row.t2i[place]!;
      found.push({ expression, image, draws, t2i, risk: known(row.risk?.[place]), judge: known(row.judge?.[place]) });
    }
    if (found.length > 4 * most + 4096) cut();
  }
  cut();
  return found;
}

function known(value: number | undefined): number | undefined {
  return value === undefined || Number.isNaN(value) ? undefined : value;
}
