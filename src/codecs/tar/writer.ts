import { fail, quoteValue } from "../../model/index.ts";
import { blockBytes, padding, tarHeader } from "./header.ts";

/** What a tar entry says besides its name and bytes. */
export interface TarEntryOptions {
  /** Permissions. Default 0o644. */
  readonly mode?: number;
  /** Seconds since 1970. Default 0, so that the same files give the same archive. */
  readonly mtime?: number;
}

/**
 * Writes a tar archive piece by piece through `write`, which gets bytes that it may keep. The same entries in the same
 * order give the same bytes: owner 0, no clock. ustar headers, pax records for names and sizes beyond them.
 */
export class TarWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  #finished = false;

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /**
   * Appends a file. `name` is relative, with "/". Calls must follow each other (await each). Errors: "usage" for a name
   * that is absolute, empty, or leaves the archive by "..", and after `finish`.
   */
  async add(name: string, bytes: Uint8Array, options: TarEntryOptions = {}): Promise<void> {
    if (this.#finished) fail("usage", `expected no entry behind the end of a tar, got ${quoteValue(name)}`);
    if (
      name === "" ||
      name.startsWith("/") ||
      name.endsWith("/") ||
      name.includes("\0") ||
      name.split("/").includes("..")
    ) {
      fail("usage", `expected the name of a tar entry to be a relative path without "..", got ${quoteValue(name)}`);
    }
    const header = tarHeader(name, bytes.length, options.mode ?? 0o644, options.mtime ?? 0);
    await this.#write(header);
    if (bytes.length > 0) await this.#write(new Uint8Array(bytes));
    const zeros = padding(bytes.length);
    if (zeros > 0) await this.#write(new Uint8Array(zeros));
  }

  /** Writes the end of the archive. */
  async finish(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    await this.#write(new Uint8Array(2 * blockBytes));
  }
}
