import { readFile } from "node:fs/promises";
import { refuseUtf16, utf8Text } from "../codecs/index.ts";
import { fail, shown } from "../model/index.ts";

/** A text file without its byte order mark. Errors: "not-found", "io", "bad-input"; `what` names the file's role. */
export async function readText(path: string, what: string): Promise<string> {
  const bytes = await readBytes(path, what);
  refuseUtf16(bytes, shown(path));
  return utf8Text(bytes, (index) => placeOf(bytes, index, path)).replace(/^\uFEFF/, "");
}

function placeOf(bytes: Buffer, index: number, path: string): string {
  let line = 1;
  for (let at = bytes.indexOf(0x0a); at >= 0 && at < index; at = bytes.indexOf(0x0a, at + 1)) line++;
  return `line ${line}, byte ${index} of ${shown(path)}`;
}

/** A file's bytes. Errors: "not-found", "io"; `what` names the file's role. */
export async function readBytes(path: string, what = "a prediction"): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT") fail("not-found", `expected ${what} at ${shown(path)}, but there is none`, error);
    return fail("io", `cannot read ${what} ${shown(path)}: ${code}`, error);
  }
}

/** Whether `value` is an object with members (no list, not null). */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
