import { windows1252Byte } from "./html-entities.ts";

/**
 * Repairs UTF-8 that was read as Latin-1 or Windows-1252 ("cafÃ©" → "café", "donâ€™t" → "don’t"), also when it
 * happened twice. A sequence is repaired only where the damaged spelling is unlikely as text, so that "CAFÉ”" stays.
 * Covers the usual damage; ftfy, which CLIP's own cleaning calls, knows ten code pages and weighs the whole line
 * (docs/tokens.md says where the two differ).
 */
export function repairMojibake(text: string): string {
  let current = text;
  for (;;) {
    const next = repairOnce(current);
    if (next === current) return current;
    current = next;
  }
}

function repairOnce(text: string): string {
  const isAllDamaged = isWhollyDamaged(text);
  let out = "";
  let at = 0;
  while (at < text.length) {
    const sequence = sequenceAt(text, at);
    if (sequence === undefined || !(isAllDamaged || isUnlikelyText(text, at, sequence.length))) {
      out += text[at] ?? "";
      at++;
    } else {
      out += sequence.character;
      at += sequence.length;
    }
  }
  return out;
}

/** Whether everything beyond ASCII spells UTF-8 and some of it is unlikely: then the rest was damaged with it. */
function isWhollyDamaged(text: string): boolean {
  let hasUnlikely = false;
  let at = 0;
  while (at < text.length) {
    const sequence = sequenceAt(text, at);
    if (sequence === undefined && (text[at] ?? "") >= "\u0080") return false;
    if (sequence !== undefined) hasUnlikely ||= isUnlikelyText(text, at, sequence.length);
    at += sequence?.length ?? 1;
  }
  return hasUnlikely;
}

interface Sequence {
  readonly character: string;
  /** UTF-16 units of the damaged spelling: one per byte of the UTF-8 sequence. */
  readonly length: number;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The UTF-8 sequence whose bytes, as Windows-1252 characters, stand at `at`; undefined where there is none. */
function sequenceAt(text: string, at: number): Sequence | undefined {
  const lead = byteAt(text, at);
  if (lead === undefined || lead < 0xc2 || lead > 0xf4) return undefined;
  if (lead === 0xc3 && isSpacedAGrave(text, at)) return { character: "\u00e0", length: 1 };
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > text.length) return undefined;
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const byte = byteAt(text, at + i);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  try {
    return { character: utf8.decode(bytes), length };
  } catch {
    return undefined; // not UTF-8 after all: ordinary text
  }
}

function byteAt(text: string, at: number): number | undefined {
  const character = text[at];
  return character === undefined ? undefined : windows1252Byte(character);
}

/** "voilÃ la" was "voilà la": the second byte of à is a no-break space, which programs turn into a plain one. */
function isSpacedAGrave(text: string, at: number): boolean {
  return (
    text[at] === "\u00c3" &&
    text[at + 1] === " " &&
    /\p{Ll}/u.test(text[at + 2] ?? "") &&
    !/\p{Lu}/u.test(text[at - 1] ?? "")
  );
}

/** Quotes, dashes and the like that may follow an accented letter in sound text. */
const punctuation = new Set(
  "\u00a0\u00ab\u00bb\u00b4\u00b7\u00b0\u2018\u2019\u201a\u201c\u201d\u201e\u2039\u203a\u2013\u2014\u2026\u2122\u2022",
);

function isUnlikelyText(text: string, at: number, length: number): boolean {
  const lead = text[at] ?? "";
  const rest = [...text.slice(at + 1, at + length)];
  if (rest.length === 0) return true;
  if (rest.some((character) => /[\u0080-\u009f]/.test(character))) return true;
  if (lead === "\u00c3" || lead === "\u00c2")
    return lead === "\u00c3" || rest.every((c) => c >= "\u00a0" && c <= "\u00bf");
  if (length > 2) return !rest.every((character) => punctuation.has(character));
  const isCapitalInWord = /[ÄÅ]/.test(lead) && /\p{Ll}/u.test(text[at - 1] ?? "");
  return isCapitalInWord || !rest.every((character) => punctuation.has(character));
}
