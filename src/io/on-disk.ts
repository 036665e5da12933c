import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fail, NemosaicError } from "../model/index.ts";

const diskProblems: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and run the same command again",
  EDQUOT: "the disk quota is used up; free some space and run the same command again",
  EROFS: "the file system is read-only",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EMFILE: "too many open files; raise `ulimit -n`",
  ENFILE: "too many open files on this machine",
  EIO: "the disk reports an error",
  ENAMETOOLONG: "the name is too long for this file system",
};

/** These callers handle themselves where they write: a person sees them where nobody did. */
const otherProblems: Readonly<Record<string, string>> = {
  EISDIR: "expected a file, found a folder",
  ENOTDIR: "expected a folder, found a file",
  ENOENT: "there is no such file",
};

/** What the operating system's refusal means, for a person; undefined for a code that is none of the usual ones. */
export function diskProblem(code: string): string | undefined {
  return diskProblems[code] ?? otherProblems[code];
}

/** Runs a disk operation on `path`; turns the operating system's refusals into a NemosaicError with code "io". */
export async function onDisk<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof NemosaicError) throw error;
    const code = await trueCode(error as NodeJS.ErrnoException);
    const problem = diskProblems[code];
    if (problem !== undefined) fail("io", `cannot write "${basename(path)}" in "${dirname(path)}": ${problem}`, error);
    throw error;
  }
}

/** Making folders on a read-only disk is reported as if the folder above were missing. */
async function trueCode({ code = "", syscall, path }: NodeJS.ErrnoException): Promise<string> {
  if (code !== "ENOENT" || syscall !== "mkdir" || path === undefined) return code;
  const isThere = (folder: string): Promise<boolean> =>
    access(folder, constants.F_OK).then(
      () => true,
      () => false,
    );
  let above = dirname(path);
  while (!(await isThere(above)) && dirname(above) !== above) above = dirname(above);
  return access(above, constants.W_OK).then(
    () => code,
    (error: NodeJS.ErrnoException) => error.code ?? code,
  );
}
