import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { fail, quoteValue } from "../model/index.ts";

/**
 * The absolute path of `file` inside `folder`, symbolic links followed; refuses whatever ends outside of it.
 * Errors: "refused" for NUL bytes, absolute names, ".." and links that leave; "not-found" where nothing is there.
 */
export async function insidePath(folder: string, file: string): Promise<string> {
  const path = insideName(folder, file);
  const [realFolder, real] = await Promise.all([
    realpath(folder).catch(() => fail("not-found", `expected the folder ${quoteValue(folder)}, found nothing there`)),
    realpath(path).catch(() =>
      fail("not-found", `expected a file ${quoteValue(file)} in "${folder}", found nothing there`),
    ),
  ]);
  if (!isInside(realFolder, real))
    fail(
      "refused",
      `${quoteValue(file)} is a link that leaves "${folder}"; --follow-links of import follows such links`,
    );
  return real;
}

/** Asserts that `name` can name a folder inside a pool: letters, digits, "." "_" "-", and no way out. Errors: "usage". */
export function artefactName(name: string, what: string): string {
  if (/^(?!\.+$)[\w.-]{1,200}$/.test(name)) return name;
  return fail("usage", `expected letters, digits, ".", "_" or "-" for ${what}, got ${quoteValue(name)}`);
}

/** As `insidePath`, by name alone: looks at no disk and follows no link. */
export function insideName(folder: string, file: string): string {
  if (file.includes("\0")) fail("refused", `a file name holds a NUL byte: ${quoteValue(file)}`);
  if (file === "" || isAbsolute(file))
    fail("refused", `expected a path relative to "${folder}", got ${quoteValue(file)}`);
  const path = resolve(folder, file);
  if (!isInside(resolve(folder), path)) fail("refused", `${quoteValue(file)} leaves the folder "${folder}"`);
  return path;
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
