import { closeSync, fstatSync, open, read } from "node:fs";

/** Gives memory of a length, to be read into. */
export type TakeMemory = (length: number) => Uint8Array;

/**
 * Reads a file whole into memory that `take` gives for its size. Only opening and reading, which may wait for a disk, leave
 * the thread: each step that does waits in line with images that are being decoded. Rejects with the system's error.
 */
export async function readFileInto(path: string, take: TakeMemory): Promise<Uint8Array> {
  const descriptor = await opened(path);
  try {
    const bytes = take(fstatSync(descriptor).size);
    for (let done = 0; done < bytes.length; ) {
      const count = await readAt(descriptor, bytes, done);
      // A file that became shorter is what it is now.
      if (count === 0) return bytes.subarray(0, done);
      done += count;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function opened(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, "r", (error, descriptor) => (error === null ? resolve(descriptor) : reject(error)));
  });
}

function readAt(descriptor: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, bytes, at, bytes.length - at, at, (error, count) =>
      error === null ? resolve(count) : reject(error),
    );
  });
}
