import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import opentype, { type Font, type Glyph } from "opentype.js";
import { fail } from "../model/index.ts";

/** Regular or semi-bold. */
export type Weight = 400 | 600;

export interface TextStyle {
  /** Pixels. */
  readonly size: number;
  readonly weight?: Weight;
  readonly fill?: string;
  /** Where x is: the text's start (default), middle or end. */
  readonly anchor?: "start" | "middle" | "end";
  /** Cuts the text with an ellipsis beyond this many pixels. */
  readonly maxWidth?: number;
}

const subsets = ["latin", "latin-ext", "greek"] as const;
const fonts = new Map<Weight, Font[]>();

/** Text as an SVG path with its baseline at (x, y), drawn from the package's own font: the same on every machine. */
export function textPath(text: string, x: number, y: number, style: TextStyle): string {
  const weight = style.weight ?? 400;
  const shown = style.maxWidth === undefined ? text : fitText(text, style.maxWidth, style.size, weight);
  const width = textWidth(shown, style.size, weight);
  let at = x - (style.anchor === "middle" ? width / 2 : style.anchor === "end" ? width : 0);
  let data = "";
  for (const { glyph, unitsPerEm } of glyphsOf(shown, weight)) {
    data += glyph.getPath(at, y, style.size).toPathData(1);
    at += ((glyph.advanceWidth ?? 0) / unitsPerEm) * style.size;
  }
  return data === "" ? "" : `<path fill="${style.fill ?? "currentColor"}" d="${data}"/>`;
}

/** Width of a text in pixels. */
export function textWidth(text: string, size: number, weight: Weight = 400): number {
  return glyphsOf(text, weight).reduce(
    (width, { glyph, unitsPerEm }) => width + ((glyph.advanceWidth ?? 0) / unitsPerEm) * size,
    0,
  );
}

/** Breaks a text into at most `lines` lines of `maxWidth` pixels; the last is cut with an ellipsis where it does not fit. */
export function wrapText(text: string, maxWidth: number, size: number, lines: number, weight: Weight = 400): string[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const result: string[] = [];
  while (words.length > 0 && result.length < lines) {
    let line = words.shift() ?? "";
    while (words.length > 0 && textWidth(`${line} ${words[0]}`, size, weight) <= maxWidth) line += ` ${words.shift()}`;
    if (result.length === lines - 1 && words.length > 0) line += ` ${words.splice(0).join(" ")}`;
    result.push(fitText(line, maxWidth, size, weight));
  }
  return result;
}

function fitText(text: string, maxWidth: number, size: number, weight: Weight): string {
  if (textWidth(text, size, weight) <= maxWidth) return text;
  const characters = [...text];
  while (characters.length > 0 && textWidth(`${characters.join("").trimEnd()}…`, size, weight) > maxWidth)
    characters.pop();
  return `${characters.join("").trimEnd()}…`;
}

interface Placed {
  readonly glyph: Glyph;
  readonly unitsPerEm: number;
}

function glyphsOf(text: string, weight: Weight): Placed[] {
  const known = fontsOf(weight);
  return [...text].flatMap((character) => {
    for (const font of known) {
      const glyph = font.charToGlyph(character);
      if (glyph.index !== 0) return [{ glyph, unitsPerEm: font.unitsPerEm }];
    }
    const fallback = known[0];
    return fallback === undefined ? [] : [{ glyph: fallback.charToGlyph(character), unitsPerEm: fallback.unitsPerEm }];
  });
}

function fontsOf(weight: Weight): Font[] {
  let known = fonts.get(weight);
  if (known === undefined) {
    known = subsets.map((subset) => {
      const path = fileURLToPath(new URL(`../../assets/fonts/inter-${subset}-${weight}-normal.woff`, import.meta.url));
      try {
        const bytes = readFileSync(path);
        return opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
      } catch (cause) {
        return fail(
          "internal",
          `expected the package's own font "${path}", could not read it: reinstall nemosaic`,
          cause,
        );
      }
    });
    fonts.set(weight, known);
  }
  return known;
}
