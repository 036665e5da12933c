import { unescapeClosedHtml, unescapeHtml, windows1252 } from "./html-entities.ts";
import { repairMojibake } from "./mojibake.ts";

/**
 * The cleaning that open_clip does before byte pairs: ftfy's repairs, HTML unescaped twice, white space folded, lower
 * case. Plain ASCII without "&" takes a short way with the same result.
 */
export function cleanText(text: string): string {
  return foldSpace(basicClean(text)).toLowerCase();
}

/** open_clip's basic_clean: ftfy's repairs, and HTML unescaped twice. */
export function basicClean(text: string): string {
  const repaired = /^[\t\n\r\x20-\x25\x27-\x7e]*$/.test(text) ? text : repairText(text);
  return unescapeHtml(unescapeHtml(repaired));
}

/**
 * What ftfy.fix_text does by default, line by line until nothing changes: HTML references (not in a text with "<"),
 * mojibake (see mojibake.ts for its bounds), C1 controls, Latin ligatures, full and half width, curly quotes, line
 * breaks, lone surrogates, terminal colours, control characters, NFC.
 */
export function repairText(text: string): string {
  let isMarkup = false;
  return text
    .split(/(?<=\n)/)
    .map((line) => {
      isMarkup ||= line.includes("<");
      return repairLine(line, isMarkup);
    })
    .join("");
}

function repairLine(line: string, isMarkup: boolean): string {
  let current = line;
  for (;;) {
    const next = repairLineOnce(current, !isMarkup);
    if (next === current) return current;
    current = next;
  }
}

function repairLineOnce(line: string, mayUnescape: boolean): string {
  const encoded = repairMojibake(mayUnescape ? unescapeClosedHtml(line) : line);
  return encoded
    .replace(/[\x80-\x9f]/g, (control) => windows1252(control.charCodeAt(0)))
    .replace(/[ĲĳŉǄ-ǌǱ-ǳﬀ-ﬆ]/g, (ligature) => ligatures[ligature] ?? ligature)
    .replace(/[\u3000\uff01-\uffef]/g, (wide) => (wide === "\u3000" ? " " : wide.normalize("NFKC")))
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/[\u02bc\u2018-\u201b]/g, "'")
    .replace(/\r\n|[\r\u2028\u2029\u0085]/g, "\n")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(terminalColour, "")
    .replace(controls, "")
    .normalize("NFC");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject here
const terminalColour = /\u001b\[[\d;]*[a-zA-Z]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject here
const controls = /[\u0000-\u0008\u000b\u000e-\u001f\u007f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;

const ligatures: Readonly<Record<string, string>> = {
  Ĳ: "IJ",
  ĳ: "ij",
  ŉ: "\u02bcn",
  Ǆ: "DŽ",
  ǅ: "Dž",
  ǆ: "dž",
  Ǉ: "LJ",
  ǈ: "Lj",
  ǉ: "lj",
  Ǌ: "NJ",
  ǋ: "Nj",
  ǌ: "nj",
  Ǳ: "DZ",
  ǲ: "Dz",
  ǳ: "dz",
  ﬀ: "ff",
  ﬁ: "fi",
  ﬂ: "fl",
  ﬃ: "ffi",
  ﬄ: "ffl",
  ﬅ: "ſt",
  ﬆ: "st",
};

/** Python's idea of white space, which differs from JavaScript's in U+001C–U+001F, U+0085 and U+FEFF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject here
const space = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** Runs of white space as one space, none at the ends. */
export function foldSpace(text: string): string {
  return text.replace(space, " ").replace(/^ | $/g, "");
}
