import type { FileHandle } from "node:fs/promises";
import { fail, quoteValue } from "../../model/index.ts";
import { openForReading } from "../file.ts";
import { JsonScanner } from "./scanner.ts";
import { failJson } from "./syntax-error.ts";

/** One element of one of the arrays of a JSON object. */
export interface JsonArrayElement {
  /** The member of the object that the array is. */
  readonly key: string;
  /** Place in the array, from 0. */
  readonly index: number;
  readonly value: unknown;
}

/** Limits of the element-wise readers. */
export interface JsonArrayOptions {
  /** Bytes of one element. Default 256 MB. */
  readonly maxValueBytes?: number;
}

const defaultMaxValueBytes = 256 * 2 ** 20;

/**
 * Reads a JSON file that is one object of arrays, such as COCO's instances.json, of any size: yields the elements of
 * the arrays `keys` (of every member that is an array, where undefined) one at a time, in the file's order. Other
 * members are skipped unparsed; a key that is missing yields nothing, one that stands twice is read twice.
 *
 * Errors: "not-found"; "bad-input" with the element and the byte where the file stops being JSON, ends early, is no
 * object, or one of `keys` is no array.
 */
export async function* readJsonArrays(
  path: string,
  keys?: readonly string[],
  options: JsonArrayOptions = {},
): AsyncGenerator<JsonArrayElement> {
  const handle = await openForReading(path, "JSON file");
  try {
    const scanner = await open(handle, path, options);
    await expectByte(scanner, "{", path, "an object at the top");
    if ((await scanner.peek()) === code("}")) scanner.take();
    else {
      do {
        const key = await readKey(scanner, path);
        if (keys !== undefined && !keys.includes(key)) await scanner.value(false);
        else if ((await scanner.peek()) === code("[")) {
          for await (const { index, value } of elements(scanner, path, key)) yield { key, index, value };
        } else if (keys === undefined) await scanner.value(false);
        else
          fail(
            "bad-input",
            `expected ${quoteValue(key)} to be an array at byte ${scanner.offset} of ${quoteValue(path)}`,
          );
      } while (await continues(scanner, "}", path));
    }
    await expectEnd(scanner, path);
  } finally {
    await handle.close();
  }
}

/**
 * Reads a JSON file that is one array, of any size, element by element. Errors as `readJsonArrays`.
 */
export async function* readJsonList(
  path: string,
  options: JsonArrayOptions = {},
): AsyncGenerator<{ readonly index: number; readonly value: unknown }> {
  const handle = await openForReading(path, "JSON file");
  try {
    const scanner = await open(handle, path, options);
    if ((await scanner.peek()) !== code("[")) await expectByte(scanner, "[", path, "an array at the top");
    yield* elements(scanner, path, "");
    await expectEnd(scanner, path);
  } finally {
    await handle.close();
  }
}

async function open(handle: FileHandle, path: string, options: JsonArrayOptions): Promise<JsonScanner> {
  const scanner = new JsonScanner(handle, path, options.maxValueBytes ?? defaultMaxValueBytes);
  await scanner.skipByteOrderMark();
  return scanner;
}

async function* elements(
  scanner: JsonScanner,
  path: string,
  key: string,
): AsyncGenerator<{ readonly index: number; readonly value: unknown }> {
  scanner.take();
  if ((await scanner.peek()) === code("]")) {
    scanner.take();
    return;
  }
  let index = 0;
  do {
    if (scanner.peekNow() === undefined) await scanner.peek();
    const offset = scanner.offset;
    const text = await scanner.value(true);
    yield { index, value: parse(text, () => `in ${key}[${index}] at byte ${offset} of ${quoteValue(path)}`) };
    index++;
  } while (await continues(scanner, "]", path));
}

async function readKey(scanner: JsonScanner, path: string): Promise<string> {
  if ((await scanner.peek()) !== code('"')) await expectByte(scanner, '"', path, "a key in quotes");
  const offset = scanner.offset;
  const key = parse(await scanner.value(true), () => `at byte ${offset} of ${quoteValue(path)}`);
  await expectByte(scanner, ":", path, "a colon behind a key");
  await scanner.peek();
  return String(key);
}

/** Whether a comma follows (and is taken) rather than `closer` (taken as well). */
async function continues(scanner: JsonScanner, closer: string, path: string): Promise<boolean> {
  const byte = scanner.peekNow() ?? (await scanner.peek());
  if (byte !== code(",") && byte !== code(closer)) await expectByte(scanner, closer, path, `a comma or "${closer}"`);
  scanner.take();
  return byte === code(",");
}

async function expectByte(scanner: JsonScanner, char: string, path: string, what: string): Promise<void> {
  const byte = await scanner.peek();
  if (byte === code(char)) return scanner.take();
  const got = byte === undefined ? "the file ends: it is cut short" : `got ${quoteValue(String.fromCharCode(byte))}`;
  fail(
    "bad-input",
    `expected ${what} at byte ${scanner.offset} of ${quoteValue(path)}, ${byte === undefined ? "but " : ""}${got}`,
  );
}

async function expectEnd(scanner: JsonScanner, path: string): Promise<void> {
  if ((await scanner.peek()) !== undefined) {
    fail("bad-input", `expected nothing more at byte ${scanner.offset} of ${quoteValue(path)}; the file is damaged`);
  }
}

function parse(text: string, place: () => string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    failJson(text, place, error);
  }
}

function code(char: string): number {
  return char.charCodeAt(0);
}
