import { fail } from "../../model/index.ts";

/**
 * Strings of a pickle: three spellings (UTF-8, Python's raw-unicode-escape, the repr of a Python 2 str) and the
 * guess that Python 2's byte strings need.
 */

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes [start, end) as UTF-8, or undefined where they are not. Lone surrogates (ED A0 80 …) are let through, as
 * Python's "surrogatepass" does.
 */
export function utf8(bytes: Buffer, start: number, end: number): string | undefined {
  let ascii = true;
  for (let i = start; i < end; i++) {
    if ((bytes[i] ?? 0) >= 0x80) {
      ascii = false;
      break;
    }
  }
  if (ascii) return bytes.toString("latin1", start, end);
  const part = bytes.subarray(start, end);
  try {
    return strictUtf8.decode(part);
  } catch {
    return utf8WithSurrogates(part);
  }
}

/** A Python 2 `str`: UTF-8 where the bytes are UTF-8, else latin-1, decided for each string by itself and told. */
export function python2Text(bytes: Buffer, onLatin1?: (text: string) => void): string {
  const text = utf8(bytes, 0, bytes.length);
  if (text !== undefined) return text;
  const latin1 = bytes.toString("latin1");
  onLatin1?.(latin1);
  return latin1;
}

/** Undoes Python's raw-unicode-escape: \uXXXX and \UXXXXXXXX behind an odd run of backslashes; else latin-1. */
export function rawUnicodeEscape(line: string, where: string): string {
  if (!line.includes("\\")) return line;
  return line.replace(/(\\+)(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[uU])/g, (whole, slashes: string, tail: string) => {
    if (slashes.length % 2 === 0) return whole;
    const code = tail.length === 1 ? Number.NaN : Number.parseInt(tail.slice(1), 16);
    if (!(code <= 0x10ffff)) fail("bad-input", `expected \\uXXXX or \\UXXXXXXXX in a unicode string ${where}`);
    return slashes.slice(1) + String.fromCodePoint(code);
  });
}

const escapes: Readonly<Record<string, number>> = {
  "\\": 0x5c,
  "'": 0x27,
  '"': 0x22,
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

/** The bytes behind the repr of a Python 2 str, such as `'it\'s \xe9'`; `line` is latin-1 text, quotes included. */
export function unquote(line: string, where: string): Buffer {
  const text = line.trimEnd();
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) {
    fail("bad-input", `expected a string in quotes ${where}`);
  }
  const body = text.slice(1, -1);
  if (!body.includes("\\")) return Buffer.from(body, "latin1");
  const out = Buffer.alloc(body.length);
  let length = 0;
  for (let i = 0; i < body.length; ) {
    if (body[i] !== "\\") {
      out[length++] = body.charCodeAt(i++);
      continue;
    }
    const next = body[i + 1];
    if (next === undefined) fail("bad-input", `a string ends inside an escape ${where}`);
    const simple = escapes[next];
    const digits =
      next === "x" ? /^[0-9a-fA-F]{2}/.exec(body.slice(i + 2, i + 4)) : /^[0-7]{1,3}/.exec(body.slice(i + 1, i + 4));
    if (simple !== undefined) {
      out[length++] = simple;
      i += 2;
    } else if (digits !== null) {
      out[length++] = Number.parseInt(digits[0], next === "x" ? 16 : 8);
      i += (next === "x" ? 2 : 1) + digits[0].length;
    } else if (next === "x") {
      fail("bad-input", `expected two hexadecimal digits behind \\x in a string ${where}`);
    } else {
      // Python keeps an unknown escape, backslash and all.
      out[length++] = 0x5c;
      out[length++] = next.charCodeAt(0);
      i += 2;
    }
  }
  return out.subarray(0, length);
}

/** UTF-8 in which surrogates may be encoded by themselves; undefined where it is not even that. */
function utf8WithSurrogates(bytes: Uint8Array): string | undefined {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] ?? 0;
    const extra = first < 0x80 ? 0 : first >= 0xc2 && first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    if (extra < 0 || (first >= 0x80 && first < 0xc2) || i + extra >= bytes.length) return undefined;
    let code = extra === 0 ? first : first & (0x3f >> extra);
    for (let k = 1; k <= extra; k++) {
      const byte = bytes[i + k] ?? 0;
      if ((byte & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (byte & 0x3f);
    }
    if ((extra === 2 && code < 0x800) || (extra === 3 && (code < 0x10000 || code > 0x10ffff))) return undefined;
    parts.push(String.fromCodePoint(code));
    i += extra + 1;
  }
  return parts.join("");
}
