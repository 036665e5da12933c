import { chmod, lstat, rm, rmdir } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { makeFolder, temporaryFolder } from "../io/index.ts";
import { fail } from "../model/index.ts";

/** Linux allows 107 bytes in a socket's name, macOS 103. */
const maxPathBytes = 103;

/**
 * A socket's place where none is named: a folder of this user alone, in XDG_RUNTIME_DIR or, where that is missing or another
 * user's, in the folder for temporary files. Errors: "io" where there is neither.
 */
export function defaultSocketPath(): string {
  const user = process.getuid?.() ?? 0;
  const folder = `nemosaic-${user}`;
  const name = `${process.pid}.sock`;
  const path = join(temporaryFolder([process.env.XDG_RUNTIME_DIR]), folder, name);
  return Buffer.byteLength(path) <= maxPathBytes ? path : join("/tmp", folder, name);
}

/**
 * Makes the way free for a socket at `path`: its folder exists (made with mode 0700) and no dead server's socket is
 * there. Errors: "usage" for a path that is too long; "exists" where a server answers or something else is there;
 * "refused" for a folder that others may write to.
 */
export async function prepareSocketPath(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path);
  if (bytes > maxPathBytes)
    fail(
      "usage",
      `a socket's path holds at most ${maxPathBytes} bytes, got ${bytes}: "${path}"; choose a shorter one with --socket`,
    );
  const folder = dirname(path);
  await makeFolder(folder, 0o700);
  const { mode, uid } = await lstat(folder);
  const own = process.getuid?.();
  const openToOthers = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  if (openToOthers || (own !== undefined && own !== 0 && uid !== own && uid !== 0)) {
    fail("refused", `"${folder}" belongs to or can be changed by other users; choose a private folder with --socket`);
  }
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) fail("exists", `expected no file at "${path}", found one that is no socket`);
  if (await answers(path)) fail("exists", `a server listens on "${path}" already`);
  await rm(path, { force: true });
}

/** Restricts a socket to its owner. */
export function makePrivate(path: string): Promise<void> {
  return chmod(path, 0o600);
}

/** Removes the socket, and its folder where that is empty and is one of nemosaic's own. */
export async function removeSocket(path: string): Promise<void> {
  await rm(path, { force: true });
  if (/^nemosaic-/.test(dirname(path).split("/").at(-1) ?? "")) await rmdir(dirname(path)).catch(() => undefined); // not empty
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const end = (isAlive: boolean): void => {
      probe.destroy();
      resolve(isAlive);
    };
    probe.once("connect", () => end(true));
    probe.once("error", () => end(false));
  });
}
