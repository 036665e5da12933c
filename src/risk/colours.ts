/**
 * Colours that people, and lights, mix up: an object called "brown" is often black in part. A sentence that names one of
 * a pair says little against the other.
 */
const close: readonly (readonly [string, string])[] = [
  ["black", "brown"],
  ["black", "grey"],
  ["black", "blue"],
  ["black", "dark"],
  ["black", "navy"],
  ["blue", "navy"],
  ["blue", "green"],
  ["blue", "grey"],
  ["blue", "purple"],
  ["brown", "beige"],
  ["brown", "dark"],
  ["brown", "gold"],
  ["brown", "orange"],
  ["brown", "red"],
  ["brown", "tan"],
  ["beige", "tan"],
  ["beige", "white"],
  ["cream", "white"],
  ["cream", "beige"],
  ["cream", "yellow"],
  ["gold", "yellow"],
  ["gold", "orange"],
  ["grey", "silver"],
  ["grey", "white"],
  ["light", "white"],
  ["orange", "red"],
  ["orange", "yellow"],
  ["pink", "purple"],
  ["pink", "red"],
  ["purple", "maroon"],
  ["red", "maroon"],
  ["silver", "white"],
  ["green", "teal"],
  ["blue", "teal"],
  ["turquoise", "teal"],
  ["turquoise", "blue"],
  ["turquoise", "green"],
  ["yellow", "green"],
];

const neighbours = new Map<string, Set<string>>();
for (const [one, other] of [...close, ...close.map(([one, other]) => [other, one] as const)])
  neighbours.set(one, (neighbours.get(one) ?? new Set()).add(other));

/** The colours close to a colour word, "gray" read as "grey"; empty for any other word. */
export function closeColours(word: string): ReadonlySet<string> {
  return neighbours.get(word === "gray" ? "grey" : word) ?? new Set();
}
