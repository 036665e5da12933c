/** The colour words of the expressions. */
export const colourWords = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
  "black",
  "white",
  "gray",
] as const;

/** A colour word. */
export type Colour = (typeof colourWords)[number];

/** Other words for the same colours, as an expression may spell them. */
export const colourSynonyms: Readonly<Record<string, Colour>> = { grey: "gray", golden: "yellow", violet: "purple" };

/**
 * Pairs between which people's words differ: an object of one of them is neither said to be the other nor denied it.
 */
const neighbours: readonly (readonly [Colour, Colour])[] = [
  ["red", "pink"],
  ["red", "orange"],
  ["orange", "yellow"],
  ["orange", "brown"],
  ["brown", "black"],
  ["yellow", "brown"],
  ["red", "brown"],
  ["blue", "purple"],
  ["purple", "pink"],
  ["purple", "black"],
  ["gray", "white"],
  ["gray", "black"],
];

/** Whether a person may call by the one word what another calls by the other. */
export function areNeighbours(a: Colour, b: Colour): boolean {
  return neighbours.some(([first, second]) => (first === a && second === b) || (first === b && second === a));
}

/**
 * Where a hue variant takes its pixels: hue in degrees; `chroma` and `value` are what a fully coloured and a bright
 * pixel get (HSV's saturation and value, 0 … 1); `lift` > 1 darkens the middle tones, < 1 brightens them.
 */
export interface Pigment {
  readonly hue: number;
  readonly chroma: number;
  readonly value: number;
  readonly lift: number;
}

/** The pigments, tuned by eye on the sprites. */
export const pigments: Readonly<Record<Colour, Pigment>> = {
  red: { hue: 356, chroma: 0.92, value: 0.93, lift: 1.05 },
  orange: { hue: 24, chroma: 0.92, value: 1, lift: 0.85 },
  yellow: { hue: 49, chroma: 0.85, value: 1, lift: 0.6 },
  green: { hue: 136, chroma: 0.75, value: 0.78, lift: 1 },
  blue: { hue: 213, chroma: 0.82, value: 0.95, lift: 0.95 },
  purple: { hue: 270, chroma: 0.68, value: 0.8, lift: 1 },
  pink: { hue: 332, chroma: 0.48, value: 1, lift: 0.55 },
  brown: { hue: 22, chroma: 0.62, value: 0.55, lift: 1 },
  black: { hue: 250, chroma: 0.14, value: 0.27, lift: 1.1 },
  white: { hue: 240, chroma: 0.03, value: 0.99, lift: 0.35 },
  gray: { hue: 240, chroma: 0.05, value: 0.64, lift: 0.8 },
};
