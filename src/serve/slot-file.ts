import { writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { fail, quoteValue } from "../model/index.ts";
import type { SlotsOffer } from "./messages.ts";

/**
 * Memory that a client shares with the server: a file without a name (O_TMPFILE in /dev/shm, or memfd), reached through
 * the client's own descriptor, /proc/<pid>/fd/<n>. As it never has a name, nothing is left when either end is killed.
 * Batch parts are written to slot · slotBytes + offset; the client maps the same pages.
 */
export interface SlotFile {
  readonly slots: number;
  readonly slotBytes: number;
  /** Writes all of `bytes` at `offset` of a slot, on this thread: it is a copy within memory. Errors: "io". */
  write(slot: number, offset: number, bytes: Uint8Array): void;
  close(): Promise<void>;
}

/**
 * Opens what a client offers, but nothing else: a nameless regular file of the size stated that begins with the token
 * stated. Anything else (a path in another PID namespace, say) is "refused", and the client then reads from the socket.
 */
export async function openSlotFile(offer: SlotsOffer): Promise<SlotFile> {
  const { path, slots, slotBytes, token } = offer;
  if (!/^\/proc\/\d{1,10}\/fd\/\d{1,10}$/.test(path))
    fail("refused", `expected shared memory as /proc/<pid>/fd/<n>, got ${quoteValue(path)}`);
  const handle = await open(path, "r+").catch((error: Error) =>
    fail("refused", `the shared memory ${path} cannot be opened: ${error.message}`, error),
  );
  try {
    const info = await handle.stat();
    if (!info.isFile() || info.nlink !== 0)
      fail("refused", `expected a nameless file at ${path}, found one that has a name`);
    if (info.size < slots * slotBytes)
      fail("refused", `expected ${slots * slotBytes} bytes of shared memory at ${path}, found ${info.size}`);
    const head = Buffer.alloc(token.length / 2);
    await handle.read(head, 0, head.length, 0);
    if (head.toString("hex") !== token) fail("refused", `the shared memory at ${path} is not this client's`);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    slots,
    slotBytes,
    write: (slot, offset, bytes) => writeFully(handle, bytes, slot * slotBytes + offset),
    close: () => handle.close(),
  };
}

function writeFully({ fd }: FileHandle, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const written = writeSync(fd, bytes, done, bytes.length - done, position + done);
    if (written === 0) fail("io", "the shared memory takes no more bytes");
    done += written;
  }
}
