import type { FileHandle } from "node:fs/promises";
import { fail, quoteValue } from "../../model/index.ts";
import { openForReading, readFully } from "../file.ts";
import { blockBytes, padding, readPax, readTarHeader } from "./header.ts";

/** One file of a tar archive. The caller owns `bytes`. */
export interface TarEntry {
  /** As the archive states it: it may be absolute or hold "..", so never use it as a path unchecked. */
  readonly name: string;
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** Names and pax records beyond this are damage. */
const maxRecordBytes = 2 ** 20;

/**
 * Reads the files of an uncompressed tar archive (ustar, pax, GNU long names) in order, one in memory at a time;
 * folders and links are passed over.
 *
 * Errors: "not-found"; "bad-input" with the byte for a damaged header, or an archive that ends early or without its
 * end mark; "unsupported" for gzip, and for a file of more than `maxEntryBytes` (default 1 GB), before it is read.
 */
export async function* readTar(
  path: string,
  options: { readonly maxEntryBytes?: number } = {},
): AsyncGenerator<TarEntry> {
  const maxEntryBytes = options.maxEntryBytes ?? 2 ** 30;
  const handle = await openForReading(path, "tar archive");
  try {
    const { size: fileSize } = await handle.stat();
    await refuseGzip(handle, fileSize, path);
    let position = 0;
    let longName: string | undefined;
    let longSize: number | undefined;
    for (;;) {
      const place = (): string => `at byte ${position} of ${quoteValue(path)}`;
      if (position + blockBytes > fileSize) {
        fail("bad-input", `expected the end mark of a tar archive ${place()}, but the file ends; it is cut short`);
      }
      const block = Buffer.alloc(blockBytes);
      await readFully(handle, block, position, path);
      const header = readTarHeader(block, place);
      if (header === undefined) return;
      const size = header.type === "0" ? (longSize ?? header.size) : header.size;
      const start = position + blockBytes;
      if (start + size > fileSize) {
        fail(
          "bad-input",
          `expected ${size} bytes of ${quoteValue(header.name)} ${place()}, but the file ends before; it is cut short`,
        );
      }
      if (header.type === "x" || header.type === "L") {
        if (size > maxRecordBytes)
          fail("bad-input", `expected a name of at most ${maxRecordBytes} bytes ${place()}, got ${size}`);
        const record = Buffer.from(await read(handle, start, size, path));
        if (header.type === "L") longName = record.toString("utf8").replace(/\0+$/, "");
        else {
          const pax = readPax(record, place);
          longName = pax.path ?? longName;
          longSize = pax.size;
        }
      } else {
        if (header.type === "0") {
          if (size > maxEntryBytes) {
            fail(
              "unsupported",
              `expected files of at most ${maxEntryBytes} bytes in ${quoteValue(path)}, ${quoteValue(header.name)} has ${size}`,
            );
          }
          yield { name: longName ?? header.name, size, bytes: await read(handle, start, size, path) };
        }
        if (header.type !== "g") {
          longName = undefined;
          longSize = undefined;
        }
      }
      position = start + size + padding(size);
    }
  } finally {
    await handle.close();
  }
}

async function refuseGzip(handle: FileHandle, fileSize: number, path: string): Promise<void> {
  const start = await read(handle, 0, Math.min(2, fileSize), path);
  if (start[0] === 0x1f && start[1] === 0x8b) {
    fail("unsupported", `expected an uncompressed tar archive ${quoteValue(path)}, got gzip: run gunzip first`);
  }
}

async function read(handle: FileHandle, position: number, size: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  await readFully(handle, bytes, position, path);
  return bytes;
}
