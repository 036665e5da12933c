import type { BandContext } from "../band/index.ts";
import type { ProgressTask } from "../io/index.ts";

/** The bands that a statistic is made of. */
export interface BandSelection {
  /** Expression rows to look at. */
  readonly rows: ArrayLike<number>;
  /** Negatives that a mosaic takes. */
  readonly need: number;
  readonly contextOf: (expression: number) => BandContext;
  readonly task?: ProgressTask;
}
