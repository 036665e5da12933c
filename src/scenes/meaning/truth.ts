/**
 * Three truth values (Kleene): 0 plainly false, 1 in doubt, 2 plainly true. A condition is in doubt where people would
 * differ: two mugs side by side within the margin, a tomato called a fruit.
 */
export type Truth = 0 | 1 | 2;

/** Both. */
export function andTruth(a: Truth, b: Truth): Truth {
  return a < b ? a : b;
}

/** At least one. */
export function orTruth(a: Truth, b: Truth): Truth {
  return a > b ? a : b;
}

/** The opposite; doubt stays doubt. */
export function negateTruth(a: Truth): Truth {
  return a === 2 ? 0 : a === 0 ? 2 : 1;
}

/** True from `yes` on, false up to `no`, in doubt between; `yes` > `no`. */
export function gradeTruth(value: number, no: number, yes: number): Truth {
  return value >= yes ? 2 : value <= no ? 0 : 1;
}

/**
 * Judges a comparison among `members` of which some are in doubt: true (or false) only where it is so however the doubts
 * are settled. `compare` gets one way of settling them and returns a value for each position (0 outside of it).
 */
export function resolveDoubts(
  members: readonly Truth[],
  compare: (isMember: readonly boolean[]) => readonly Truth[],
): Truth[] {
  const doubtful = members.flatMap((truth, position) => (truth === 1 ? [position] : []));
  if (doubtful.length > maxDoubts) return members.map((truth) => (truth === 0 ? 0 : 1));
  let lowest: Truth[] | undefined;
  let highest: Truth[] = [];
  for (let choice = 0; choice < 2 ** doubtful.length; choice++) {
    const isMember = members.map((truth, position) => {
      const place = doubtful.indexOf(position);
      return place < 0 ? truth === 2 : ((choice >> place) & 1) === 1;
    });
    const judged = compare(isMember).map((truth, position): Truth => (isMember[position] ? truth : 0));
    lowest = lowest?.map((truth, position) => andTruth(truth, judged[position] ?? 0)) ?? judged;
    highest = judged.map((truth, position) => orTruth(truth, highest[position] ?? 0));
  }
  return members.map((_, position) => {
    const low = lowest?.[position] ?? 0;
    return low === highest[position] ? low : 1;
  });
}

/** Beyond so many doubts (2^n ways to settle them) everything is in doubt. */
const maxDoubts = 9;
