import { readFile } from "node:fs/promises";
import { wholeUtf8Text } from "../codecs/index.ts";
import { fail, quoteValue } from "../model/index.ts";

/** A text file without its byte order mark. Errors: "not-found", "io", "bad-input"; `what` names the file's role. */
export async function readText(path: string, what: string): Promise<string> {
  return wholeUtf8Text(await readBytes(path, what), quoteValue(path));
}

/** A file's bytes. Errors: "not-found", "io"; `what` names the file's role. */
export async function readBytes(path: string, what = "a prediction"): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT") fail("not-found", `expected ${what} at ${quoteValue(path)}, but there is none`, error);
    return fail("io", `cannot read ${what} ${quoteValue(path)}: ${code}`, error);
  }
}

/** Whether `value` is an object with members (no list, not null). */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
