import { fail, quoteValue } from "../../model/index.ts";

/** Where a text stops being JSON, and what is wrong there. `index` counts UTF-16 units from 0. */
export interface JsonSyntaxError {
  readonly index: number;
  readonly reason: string;
}

const word = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const space = /[ \t\n\r]*/y;

/**
 * The place at which `text` stops being JSON, or undefined where it is JSON. V8 does not always say. Slow beside
 * `JSON.parse`: only for texts that it refused.
 */
export function findJsonError(text: string): JsonSyntaxError | undefined {
  const closers: string[] = [];
  let index = skipSpace(text, 0);
  let expectsValue = true;
  for (;;) {
    const char = text[index];
    const inObject = closers.at(-1) === "}";
    if (expectsValue) {
      if (char === "{" || char === "[") {
        const closer = char === "{" ? "}" : "]";
        index = skipSpace(text, index + 1);
        if (text[index] !== closer) {
          closers.push(closer);
          if (closer === "}") {
            const after = skipKey(text, index);
            if (typeof after !== "number") return after;
            index = after;
          }
          continue;
        }
        index++;
      } else {
        const end = char === '"' ? skipString(text, index) : matchEnd(word, text, index);
        if (end === undefined) return { index, reason: `expected a value, got ${found(text, index)}` };
        if (typeof end !== "number") return end;
        index = end;
      }
      expectsValue = false;
    } else if (closers.length === 0) {
      return index < text.length ? { index, reason: `expected nothing more, got ${found(text, index)}` } : undefined;
    } else if (char === ",") {
      index = skipSpace(text, index + 1);
      expectsValue = true;
      if (inObject) {
        const after = skipKey(text, index);
        if (typeof after !== "number") return after;
        index = after;
      }
      continue;
    } else if (char === closers.at(-1)) {
      closers.pop();
      index++;
    } else {
      return { index, reason: `expected "," or "${closers.at(-1)}", got ${found(text, index)}` };
    }
    index = skipSpace(text, index);
  }
}

/** Throws "bad-input" for a text that `JSON.parse` refused with `cause`; `place` turns an index into words. */
export function failJson(text: string, place: (index: number) => string, cause: unknown): never {
  const error = findJsonError(text);
  const reason = error?.reason ?? (cause instanceof Error ? cause.message : String(cause));
  fail("bad-input", `expected JSON ${place(error?.index ?? 0)}: ${reason}`, cause);
}

function skipKey(text: string, start: number): number | JsonSyntaxError {
  if (text[start] !== '"') return { index: start, reason: `expected a key in quotes, got ${found(text, start)}` };
  const end = skipString(text, start);
  if (typeof end !== "number") return end;
  const colon = skipSpace(text, end);
  if (text[colon] !== ":") return { index: colon, reason: `expected ":" behind a key, got ${found(text, colon)}` };
  return skipSpace(text, colon + 1);
}

function skipString(text: string, start: number): number | JsonSyntaxError {
  for (let index = start + 1; ; ) {
    const char = text[index];
    if (char === '"') return index + 1;
    if (char === undefined) return { index: start, reason: "expected the string's closing quote, but the text ends" };
    if (char < " ")
      return { index, reason: `expected control characters in a string to be escaped, got ${quoteValue(char)}` };
    if (char === "\\") {
      const after = matchEnd(escapeSequence, text, index);
      if (after === undefined) return { index, reason: `expected an escape, got ${found(text, index)}` };
      index = after;
    } else index++;
  }
}

function found(text: string, index: number): string {
  const rest = /^(?:NaN|-?Infinity)/.exec(text.slice(index, index + 9));
  if (rest !== null) return `${rest[0]}, which is not JSON (Python writes it unless allow_nan=False)`;
  const char = text[index];
  return char === undefined ? "the end: the text is cut short" : quoteValue(text.slice(index, index + 20));
}

function skipSpace(text: string, index: number): number {
  return matchEnd(space, text, index) ?? index;
}

function matchEnd(pattern: RegExp, text: string, index: number): number | undefined {
  pattern.lastIndex = index;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
