import type { Colour } from "./colours.ts";

/** Where objects of a class may stand: the themes of scenes name the places that they draw from. */
export type SurroundingPlace = "wild" | "street" | "table" | "room" | "beach";

/** Which pixels of a sprite a hue variant repaints. */
export type RepaintBand =
  | {
      readonly kind: "hues";
      readonly from: number;
      readonly to: number;
      readonly minChroma: number;
      readonly gain: number;
    }
  | { readonly kind: "greys"; readonly minValue: number; readonly gain: number };

/** How a class looks in one colour. `tints` are colours that it shows too: neither true nor false of it. */
export interface ColourVariant {
  /** Colour words that are plainly true. May be empty for what has no one colour. */
  readonly colours: readonly Colour[];
  readonly tints: readonly Colour[];
  /** The pigment for the pixels of the class's band; undefined keeps the sprite as it is. */
  readonly repaint: Colour | undefined;
}

/** A kind of object that scenes draw. */
export interface ObjectClass {
  /** Also the sprite's file name, with "-" for blanks. */
  readonly name: string;
  readonly plural: string;
  /** Other names that are true of every object of the class and of no other: [singular, plural]. */
  readonly synonyms: readonly (readonly [singular: string, plural: string])[];
  readonly category: string;
  /** Height of the sprite's larger side relative to the middle object. */
  readonly size: number;
  readonly places: readonly SurroundingPlace[];
  readonly band: RepaintBand | undefined;
  readonly variants: readonly ColourVariant[];
}

/** What a class's row in the list states; the rest has defaults. */
export interface ClassRow {
  readonly plural?: string;
  readonly also?: readonly string[];
  readonly size?: number;
  readonly places?: readonly SurroundingPlace[];
  /** The sprite's own colours. */
  readonly colours: readonly Colour[];
  readonly tints?: readonly Colour[];
  /** Hues (degrees, from may exceed to) or "greys" that a variant repaints. */
  readonly band?: readonly [from: number, to: number] | "greys";
  /** Least saturation of a repainted pixel in a band of hues. */
  readonly minChroma?: number;
  /** Brightens a dark sprite before it is repainted. */
  readonly gain?: number;
  readonly variants?: readonly Colour[];
  /** Tints that stay when the object is repainted. */
  readonly keeps?: readonly Colour[];
}

/** Makes the classes of one category from their rows. */
export function classesOf(
  category: string,
  size: number,
  places: readonly SurroundingPlace[],
  rows: Readonly<Record<string, ClassRow>>,
): ObjectClass[] {
  return Object.entries(rows).map(([name, row]) => ({
    name,
    plural: row.plural ?? pluralOf(name),
    synonyms: (row.also ?? []).map((synonym) => [synonym, pluralOf(synonym)] as const),
    category,
    size: row.size ?? size,
    places: row.places ?? places,
    band: bandOf(row),
    variants: [
      { colours: row.colours, tints: row.tints ?? [], repaint: undefined },
      ...(row.variants ?? []).map((colour) => ({
        colours: [colour],
        tints: (row.keeps ?? []).filter((kept) => kept !== colour),
        repaint: colour,
      })),
    ],
  }));
}

/** The regular English plural. */
function pluralOf(noun: string): string {
  if (/(?:s|x|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return `${noun}s`;
}

function bandOf(row: ClassRow): RepaintBand | undefined {
  if (row.band === undefined) return undefined;
  if (row.band === "greys") return { kind: "greys", minValue: 0.3, gain: row.gain ?? 1 };
  return { kind: "hues", from: row.band[0], to: row.band[1], minChroma: row.minChroma ?? 0.22, gain: row.gain ?? 1 };
}
