import { type FileHandle, open } from "node:fs/promises";
import { fail, NemosaicError, quoteValue } from "../model/index.ts";

/** Opens a file for reading; a missing one is "not-found", a folder "bad-input", anything else the system says "io". */
export async function openForReading(path: string, what: string): Promise<FileHandle> {
  if (path.includes("\0")) fail("bad-input", `expected a ${what}, but its name holds a NUL byte: ${quoteValue(path)}`);
  try {
    const handle = await open(path, "r");
    if (!(await handle.stat()).isDirectory()) return handle;
    await handle.close();
    fail("bad-input", `expected a ${what} at ${quoteValue(path)}, got a folder`);
  } catch (error) {
    if (error instanceof NemosaicError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ENOENT") fail("not-found", `expected a ${what} at ${quoteValue(path)}, but there is none`, error);
    fail("io", `cannot open the ${what} ${quoteValue(path)}: ${code === "" ? String(error) : code}`, error);
  }
}

/** Fills `into` from `position` on; a file that has become shorter is an error. */
export async function readFully(handle: FileHandle, into: Uint8Array, position: number, path: string): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, Math.min(into.length - done, 2 ** 30), position + done);
    if (bytesRead === 0)
      fail(
        "bad-input",
        `expected ${into.length} bytes at byte ${position} of ${quoteValue(path)}; the file ends before`,
      );
    done += bytesRead;
  }
}
