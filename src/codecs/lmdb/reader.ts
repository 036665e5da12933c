import { readSync } from "node:fs";
import { type FileHandle, stat } from "node:fs/promises";
import { join } from "node:path";
import { fail, quoteValue } from "../../model/index.ts";
import { openForReading, readFully } from "../file.ts";
import { largestPage, nodeFlags, overflowPages, pageFlags, pageHeaderBytes } from "./layout.ts";
import { type LmdbMeta, readMeta } from "./meta.ts";
import { LmdbPage } from "./page.ts";

/** One record; the caller owns both. */
export interface LmdbEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Limits of a reader. */
export interface LmdbReaderOptions {
  /** Bytes of tree pages kept in memory. Default 16 MB. */
  readonly cacheBytes?: number;
  /** A longer value is an error before memory is taken for it. Default 1 GB. */
  readonly maxValueBytes?: number;
}

/**
 * Reads the main database of an LMDB file by position: bounded memory, no memory map, no lock. The file must not be
 * written meanwhile. Holds a file descriptor until `close`. Every page is checked as it is read: a damaged file gives
 * an error that names the page, whatever its bytes.
 */
export class LmdbReader {
  readonly path: string;
  /** Records of the main database. */
  readonly entries: number;
  readonly #handle: FileHandle;
  readonly #meta: LmdbMeta;
  readonly #fileSize: number;
  readonly #maxValueBytes: number;
  readonly #maxCached: number;
  readonly #cache = new Map<number, LmdbPage>();

  private constructor(path: string, handle: FileHandle, meta: LmdbMeta, fileSize: number, options: LmdbReaderOptions) {
    this.path = path;
    this.#handle = handle;
    this.#meta = meta;
    this.entries = meta.main.entries;
    this.#fileSize = fileSize;
    this.#maxValueBytes = options.maxValueBytes ?? 2 ** 30;
    this.#maxCached = Math.max(meta.main.depth + 1, Math.floor((options.cacheBytes ?? 16 * 2 ** 20) / meta.pageSize));
  }

  /**
   * Opens a folder that holds data.mdb, or such a file under any name.
   *
   * Errors: "not-found"; "bad-input" for what is no LMDB file; "unsupported" for another format version, for 32-bit
   * and big-endian files, and for a main database of sorted duplicates, integer or reversed keys.
   */
  static async open(path: string, options: LmdbReaderOptions = {}): Promise<LmdbReader> {
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    const file = isFolder ? join(path, "data.mdb") : path;
    const handle = await openForReading(file, "LMDB file");
    try {
      const { size } = await handle.stat();
      const head = new Uint8Array(Math.min(size, largestPage * 2));
      await readFully(handle, head, 0, file);
      return new LmdbReader(file, handle, readMeta(head, quoteValue(file)), size, options);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Bytes of the file that hold anything: it may be as long as its map, up to which it is empty (`writemap`, Windows).
   */
  get usedBytes(): number {
    return Math.min(this.#fileSize, (this.#meta.lastPage + 1) * this.#meta.pageSize);
  }

  /** The value of `key`, or undefined. Errors: "bad-input" for a damaged page; "unsupported" for a named database. */
  get(key: Uint8Array): Uint8Array | undefined {
    const { main } = this.#meta;
    if (main.root === undefined) return undefined;
    let number = main.root;
    for (let level = 1; level < main.depth; level++) {
      const page = this.#page(number, "branch");
      number = page.child(page.childFor(key));
    }
    const leaf = this.#page(number, "leaf");
    const index = leaf.find(key);
    return index === undefined ? undefined : this.#value(leaf, index);
  }

  /**
   * All records in the order of their keys (bytewise). Errors as `get`, and "bad-input" where keys are out of order or
   * more or fewer than the file says.
   */
  async *entriesInOrder(): AsyncGenerator<LmdbEntry> {
    const { main } = this.#meta;
    let count = 0;
    let previous: Uint8Array | undefined;
    for (const leaf of this.#leaves()) {
      for (let index = 0; index < leaf.count; index++) {
        const key = leaf.key(index).slice();
        if (previous !== undefined && Buffer.compare(previous, key) >= 0) leaf.damaged("keys are out of order");
        if (++count > main.entries) leaf.damaged(`the tree holds more than its ${main.entries} records`);
        previous = key;
        yield { key, value: this.#value(leaf, index) };
      }
    }
    if (count !== main.entries) {
      fail(
        "bad-input",
        `expected ${main.entries} records in ${quoteValue(this.path)}, got ${count}; the file is damaged`,
      );
    }
  }

  async close(): Promise<void> {
    this.#cache.clear();
    await this.#handle.close();
  }

  /** Leaf pages from left to right. Each page of the tree is met once, or the file is damaged. */
  *#leaves(): Generator<LmdbPage> {
    const { main } = this.#meta;
    if (main.root === undefined) return;
    const budget = main.branchPages + main.leafPages;
    const open: { page: LmdbPage; next: number }[] = [];
    let visited = 0;
    let number: number | undefined = main.root;
    while (number !== undefined) {
      const level = open.length + 1;
      const page = this.#page(number, level === main.depth ? "leaf" : "branch");
      if (++visited > budget) page.damaged(`the tree holds more than its ${budget} pages`);
      if (level === main.depth) yield page;
      else open.push({ page, next: 0 });
      number = undefined;
      while (number === undefined) {
        const top = open.at(-1);
        if (top === undefined) return;
        if (top.next < top.page.count) number = top.page.child(top.next++);
        else open.pop();
      }
    }
  }

  #page(number: number, kind: "branch" | "leaf"): LmdbPage {
    const known = this.#cache.get(number);
    if (known !== undefined) {
      // Moved to the end: the first in the map is the one not used for longest.
      this.#cache.delete(number);
      this.#cache.set(number, known);
      known.checkKind(kind);
      return known;
    }
    const page = new LmdbPage(this.#bytes(number, this.#meta.pageSize), number, this.path);
    page.checkKind(kind);
    this.#cache.set(number, page);
    if (this.#cache.size > this.#maxCached) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
    return page;
  }

  #value(leaf: LmdbPage, index: number): Uint8Array {
    const flags = leaf.nodeFlags(index);
    if ((flags & (nodeFlags.database | nodeFlags.duplicates)) !== 0) {
      const key = Buffer.from(leaf.key(index)).toString("latin1");
      fail(
        "unsupported",
        `expected plain records in ${quoteValue(this.path)}, got a named database or duplicates under the key ${quoteValue(key)}`,
      );
    }
    if ((flags & nodeFlags.overflow) === 0) return leaf.inlineValue(index).slice();
    const size = leaf.valueSize(index);
    const number = leaf.overflowPage(index);
    const { pageSize } = this.#meta;
    const pages = overflowPages(size, pageSize);
    if (size > this.#maxValueBytes) {
      fail(
        "unsupported",
        `expected values of at most ${this.#maxValueBytes} bytes in ${quoteValue(this.path)}, page ${number} begins one of ${size}`,
      );
    }
    const start = number * pageSize;
    if (number < 2 || number + pages - 1 > this.#meta.lastPage || start + pageHeaderBytes + size > this.#fileSize) {
      leaf.damaged(`a value of ${size} bytes on page ${number} lies outside the file`);
    }
    const bytes = this.#bytes(number, pageHeaderBytes + size);
    const header = new LmdbPage(bytes, number, this.path);
    if (header.flags !== pageFlags.overflow || header.overflowCount < pages) {
      header.damaged(`expected ${pages} overflow pages, got flags ${header.flags} and ${header.overflowCount} pages`);
    }
    return bytes.subarray(pageHeaderBytes);
  }

  /** `length` bytes from the beginning of page `number`, read afresh. */
  #bytes(number: number, length: number): Uint8Array {
    const start = number * this.#meta.pageSize;
    if (number < 2 || number > this.#meta.lastPage || start + length > this.#fileSize) {
      fail(
        "bad-input",
        `expected page ${number} inside ${quoteValue(this.path)} of ${this.#fileSize} bytes; the file is damaged or cut short`,
      );
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#handle.fd, bytes, done, Math.min(length - done, 2 ** 30), start + done);
      if (read === 0) fail("bad-input", `expected page ${number} of ${quoteValue(this.path)}, but the file has shrunk`);
      done += read;
    }
    return bytes;
  }
}
