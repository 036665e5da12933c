import type { HubCuts } from "./hub-cuts.ts";

/** What the rules need to know of the expression itself. */
export interface BandContext {
  /** Row of the expression's own image. */
  readonly ownImage: number;
  /** Image rows that a person judged to be false negatives of this expression. */
  readonly judged?: ReadonlySet<number>;
  /** Its score with its own image; absent where that image does not hold what it names (no-target) or is not known. */
  readonly ownScore?: number;
  /** Image rows of which the same sentence is said. */
  readonly sameSentence?: ReadonlySet<number>;
  /** How many objects it names: 1 unless given; several or none tighten the text filters. */
  readonly targets?: number;
  /**
   * Where what shows the target's kind comes first: the band holds at least so many where there are, and at most so many times as
   * what shows it. 10 and 2 unless given.
   */
  readonly kindShare?: { readonly least: number; readonly times: number };
  /** Its row, and the images' hub cap, where there is one. */
  readonly expression?: number;
  readonly hubs?: HubCuts;
}
