import type { FileHandle } from "node:fs/promises";

const flushBytes = 8 * 2 ** 20;

/** Pages appended to a file from page 2 on, gathered into large writes. */
export class PageOutput {
  /** The number that the next page appended gets. */
  nextPage = 2;
  readonly #handle: FileHandle;
  readonly #pageSize: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #position: number;

  constructor(handle: FileHandle, pageSize: number) {
    this.#handle = handle;
    this.#pageSize = pageSize;
    this.#position = 2 * pageSize;
  }

  /** Appends whole pages, which it keeps until they are written. */
  async append(pages: Uint8Array): Promise<void> {
    this.#pending.push(pages);
    this.#pendingBytes += pages.length;
    this.nextPage += pages.length / this.#pageSize;
    if (this.#pendingBytes >= flushBytes) await this.flush();
  }

  async flush(): Promise<void> {
    const [only] = this.#pending;
    const bytes = this.#pending.length === 1 && only !== undefined ? only : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(bytes.length - done, 2 ** 30);
      const { bytesWritten } = await this.#handle.write(bytes, done, length, this.#position);
      this.#position += bytesWritten;
      done += bytesWritten;
    }
  }
}
