import { readTextAsset } from "./assets.ts";

/**
 * Unescapes HTML character references the way Python's `html.unescape` does (the HTML standard's rules: the longest
 * known name wins even without a semicolon, numbers outside Unicode become U+FFFD, control numbers vanish).
 */
export function unescapeHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu,
    (whole, body: string) => numericReference(body) ?? namedReference(body) ?? whole,
  );
}

/**
 * ftfy's stricter unescaping: only references closed by a semicolon, and also all-capitals spellings of lower-case
 * names (`&EACUTE;`) that HTML does not know.
 */
export function unescapeClosedHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#?[0-9A-Za-z]{1,24};)/g, (whole, body: string) => {
    const { named, capitals } = entityTables();
    const known = named.get(body) ?? capitals.get(body);
    if (known !== undefined) return known;
    if (!body.startsWith("#")) return whole;
    const decoded = unescapeHtml(whole);
    return decoded.includes(";") ? whole : decoded;
  });
}

interface EntityTables {
  /** Name with its ";" where it has one → characters. */
  readonly named: ReadonlyMap<string, string>;
  readonly capitals: ReadonlyMap<string, string>;
}

let tables: EntityTables | undefined;

function entityTables(): EntityTables {
  if (tables === undefined) {
    const named = new Map(Object.entries(JSON.parse(readTextAsset("html-entities.json.gz")) as Record<string, string>));
    const capitals = new Map<string, string>();
    for (const [name, characters] of named) {
      if (!name.endsWith(";") || name !== name.toLowerCase()) continue;
      const upper = name.toUpperCase();
      if (longestPrefix(named, upper) === undefined) capitals.set(upper, characters.toUpperCase());
    }
    tables = { named, capitals };
  }
  return tables;
}

function namedReference(body: string): string | undefined {
  return longestPrefix(entityTables().named, body);
}

/** The characters of the longest known name that `body` starts with, followed by the rest of `body`. */
function longestPrefix(named: ReadonlyMap<string, string>, body: string): string | undefined {
  for (let length = body.length; length > 1; length--) {
    const known = named.get(body.slice(0, length));
    if (known !== undefined) return known + body.slice(length);
  }
  return undefined;
}

function numericReference(body: string): string | undefined {
  if (!body.startsWith("#")) return undefined;
  const digits = body.replace(/^#[xX]?|;$/g, "");
  const code = Number.parseInt(digits, /^#[xX]/.test(body) ? 16 : 10);
  if (code === 0) return "\ufffd";
  if (code === 0x0d) return "\r";
  if (code >= 0x80 && code <= 0x9f) return windows1252(code);
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return "\ufffd";
  const isNonCharacter = (code & 0xfffe) === 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
  const isControl = code < 0x09 || code === 0x0b || (code >= 0x0e && code <= 0x1f) || code === 0x7f;
  return isNonCharacter || isControl ? "" : String.fromCodePoint(code);
}

/** Characters of the bytes 0x80–0x9F in Windows-1252; unassigned ones are the C1 control of the same number. */
const windows1252High =
  "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
  "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

/** The character that Windows-1252 gives a byte (0–255). */
export function windows1252(byte: number): string {
  return byte >= 0x80 && byte <= 0x9f ? (windows1252High[byte - 0x80] ?? "") : String.fromCharCode(byte);
}

/** The byte of a character in Windows-1252 or Latin-1, or undefined where neither has it. */
export function windows1252Byte(character: string): number | undefined {
  const code = character.charCodeAt(0);
  if (code < 0x100) return code;
  const at = windows1252High.indexOf(character);
  return at < 0 ? undefined : 0x80 + at;
}
