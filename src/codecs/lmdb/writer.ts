import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fail, quoteValue } from "../../model/index.ts";
import {
  largestPage,
  maxKeyBytes,
  maxNodeBytes,
  metaBytes,
  nodeFlags,
  nodeHeaderBytes,
  overflowPages,
  pageFlags,
  pageHeaderBytes,
} from "./layout.ts";
import { type LmdbMeta, writeMeta } from "./meta.ts";
import { PageOutput } from "./page-output.ts";
import type { LmdbEntry } from "./reader.ts";

/** How an LMDB file is written. */
export interface WriteLmdbOptions {
  /** true: `path` is a folder that gets data.mdb; false: `path` is the file itself (Python's `subdir=False`). */
  readonly subdir: boolean;
  /** Bytes that the file may grow to when LMDB opens it for writing. Default 10 MB, at least the file's size. */
  readonly mapSize?: number;
  /** 4096 (default) to 32768, a power of two. */
  readonly pageSize?: number;
}

const defaultMapSize = 10 * 2 ** 20;
const empty = new Uint8Array(0);

/**
 * Writes `entries`, which must come in bytewise order of their keys without repeats, as an LMDB file: pages are filled
 * from left to right and never read again, so that memory is bounded by one value and some pages. The same entries
 * give the same bytes. Written under `<file>.partial`, flushed, and renamed over `path`. Returns the number of entries.
 *
 * Errors: "usage" for keys out of order, of 0 or more than 511 bytes, and values of 4 GB or more; the partial file
 * is removed.
 */
export async function writeLmdb(
  path: string,
  entries: AsyncIterable<LmdbEntry> | Iterable<LmdbEntry>,
  options: WriteLmdbOptions,
): Promise<number> {
  const pageSize = options.pageSize ?? 4096;
  if (pageSize < 4096 || pageSize > largestPage || (pageSize & (pageSize - 1)) !== 0) {
    fail("usage", `expected a page size of 4096 to ${largestPage} bytes, a power of two, got ${pageSize}`);
  }
  if (options.subdir) await mkdir(path, { recursive: true });
  const file = options.subdir ? join(path, "data.mdb") : path;
  const partial = `${file}.partial`;
  const handle = await open(partial, "w");
  try {
    const output = new PageOutput(handle, pageSize);
    const tree = new TreeWriter(output, pageSize);
    for await (const { key, value } of entries) await tree.add(key, value);
    const main = await tree.finish();
    await output.flush();
    const meta = { pageSize, lastPage: output.nextPage - 1, main };
    const mapSize = Math.max(options.mapSize ?? defaultMapSize, output.nextPage * pageSize);
    const before = { depth: 0, branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0, root: undefined };
    const metas = Buffer.alloc(2 * pageSize);
    // As a new file after its first transaction: the empty state under number 0, ours under 1.
    writeMeta(metas.subarray(0, metaBytes), 0, 0, { pageSize, mapSize, lastPage: 1, main: before });
    writeMeta(metas.subarray(pageSize, pageSize + metaBytes), 1, 1, { ...meta, mapSize });
    await handle.write(metas, 0, metas.length, 0);
    await handle.sync();
    await handle.close();
    await rename(partial, file);
    return main.entries;
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw error;
  }
}

/** A child that waits for its place in a branch page. */
interface Child {
  readonly key: Uint8Array;
  readonly page: number;
}

/**
 * One level of branch pages. The page before the last is held back: the last one may end up with a single child, which
 * LMDB does not allow, and then takes one from it.
 */
interface Level {
  held: Child[];
  filling: Child[];
  fillingBytes: number;
}

class TreeWriter {
  readonly #output: PageOutput;
  readonly #pageSize: number;
  readonly #levels: Level[] = [];
  #leaf: Buffer;
  #leafCount = 0;
  #leafUpper: number;
  #firstKey: Uint8Array = empty;
  #previousKey: Uint8Array | undefined;
  #entries = 0;
  #branchPages = 0;
  #leafPages = 0;
  #overflowPages = 0;

  constructor(output: PageOutput, pageSize: number) {
    this.#output = output;
    this.#pageSize = pageSize;
    this.#leaf = Buffer.alloc(pageSize);
    this.#leafUpper = pageSize;
  }

  async add(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#checkKey(key);
    if (value.length > 0xffffffff) fail("usage", `expected a value below 4 GB, got ${value.length} bytes`);
    const outside = nodeHeaderBytes + key.length + value.length > maxNodeBytes(this.#pageSize);
    const size = even(nodeHeaderBytes + key.length + (outside ? 8 : value.length));
    if (pageHeaderBytes + 2 * (this.#leafCount + 1) > this.#leafUpper - size) await this.#closeLeaf();
    this.#leafUpper -= size;
    const leaf = this.#leaf;
    const at = this.#leafUpper;
    leaf.writeUInt16LE(at, pageHeaderBytes + 2 * this.#leafCount);
    leaf.writeUInt32LE(value.length, at);
    leaf.writeUInt16LE(outside ? nodeFlags.overflow : 0, at + 4);
    leaf.writeUInt16LE(key.length, at + 6);
    leaf.set(key, at + nodeHeaderBytes);
    if (outside) leaf.writeBigUInt64LE(BigInt(await this.#writeOverflow(value)), at + nodeHeaderBytes + key.length);
    else leaf.set(value, at + nodeHeaderBytes + key.length);
    if (this.#leafCount === 0) this.#firstKey = new Uint8Array(key);
    this.#leafCount++;
    this.#entries++;
    this.#previousKey = new Uint8Array(key);
  }

  async finish(): Promise<LmdbMeta["main"]> {
    if (this.#leafCount > 0) await this.#closeLeaf();
    let root: number | undefined;
    let depth = this.#entries === 0 ? 0 : 1;
    // A level's last pages go to the level above, which may come into being by that.
    for (let i = 0; i < this.#levels.length; i++) {
      const level = this.#levels[i];
      if (level === undefined) break;
      const [only] = level.filling;
      if (level.held.length === 0 && level.filling.length === 1 && only !== undefined) {
        root = only.page;
        break;
      }
      depth++;
      await this.#closeLevel(level, i);
    }
    return {
      depth,
      root,
      entries: this.#entries,
      branchPages: this.#branchPages,
      leafPages: this.#leafPages,
      overflowPages: this.#overflowPages,
    };
  }

  #checkKey(key: Uint8Array): void {
    if (key.length === 0 || key.length > maxKeyBytes)
      fail("usage", `expected a key of 1 to ${maxKeyBytes} bytes, got ${key.length}`);
    if (this.#previousKey !== undefined && Buffer.compare(this.#previousKey, key) >= 0) {
      const [before, now] = [this.#previousKey, key].map((bytes) => quoteValue(Buffer.from(bytes).toString("latin1")));
      fail("usage", `expected keys in bytewise order, each once, got ${now} behind ${before}: sort them first`);
    }
  }

  async #writeOverflow(value: Uint8Array): Promise<number> {
    const count = overflowPages(value.length, this.#pageSize);
    const number = this.#output.nextPage;
    // One copy: the caller may use its buffer again before the pages are flushed.
    const pages = Buffer.alloc(count * this.#pageSize);
    pages.writeBigUInt64LE(BigInt(number), 0);
    pages.writeUInt16LE(pageFlags.overflow, 10);
    pages.writeUInt32LE(count, 12);
    pages.set(value, pageHeaderBytes);
    this.#overflowPages += count;
    await this.#output.append(pages);
    return number;
  }

  async #closeLeaf(): Promise<void> {
    const page = this.#output.nextPage;
    writeHeader(this.#leaf, page, pageFlags.leaf, this.#leafCount, this.#leafUpper);
    await this.#output.append(this.#leaf);
    this.#leafPages++;
    const child = { key: this.#firstKey, page };
    this.#leaf = Buffer.alloc(this.#pageSize);
    this.#leafCount = 0;
    this.#leafUpper = this.#pageSize;
    await this.#addChild(child, 0);
  }

  async #addChild(child: Child, index: number): Promise<void> {
    this.#levels[index] ??= { held: [], filling: [], fillingBytes: 0 };
    const level = this.#levels[index];
    const size = branchNodeBytes(child) + 2;
    if (pageHeaderBytes + level.fillingBytes + size > this.#pageSize) {
      if (level.held.length > 0) await this.#writeBranch(level.held, index);
      level.held = level.filling;
      level.filling = [];
      level.fillingBytes = 0;
    }
    level.filling.push(child);
    level.fillingBytes += size;
  }

  async #closeLevel(level: Level, index: number): Promise<void> {
    if (level.held.length > 0) {
      if (level.filling.length === 1) {
        const last = level.held.pop();
        if (last !== undefined) level.filling.unshift(last);
      }
      await this.#writeBranch(level.held, index);
    }
    await this.#writeBranch(level.filling, index);
  }

  async #writeBranch(children: readonly Child[], index: number): Promise<void> {
    const page = Buffer.alloc(this.#pageSize);
    let upper = this.#pageSize;
    for (const [i, { key, page: below }] of children.entries()) {
      const shownKey = i === 0 ? empty : key;
      upper -= even(nodeHeaderBytes + shownKey.length);
      page.writeUInt16LE(upper, pageHeaderBytes + 2 * i);
      page.writeUInt32LE(below % 2 ** 32, upper);
      page.writeUInt16LE(Math.floor(below / 2 ** 32), upper + 4);
      page.writeUInt16LE(shownKey.length, upper + 6);
      page.set(shownKey, upper + nodeHeaderBytes);
    }
    const number = this.#output.nextPage;
    writeHeader(page, number, pageFlags.branch, children.length, upper);
    await this.#output.append(page);
    this.#branchPages++;
    await this.#addChild({ key: children[0]?.key ?? empty, page: number }, index + 1);
  }
}

/** Counted with its key even where it comes to stand first and loses it: moving it must always fit. */
function branchNodeBytes(child: Child): number {
  return even(nodeHeaderBytes + child.key.length);
}

function writeHeader(page: Buffer, number: number, flags: number, count: number, upper: number): void {
  page.writeBigUInt64LE(BigInt(number), 0);
  page.writeUInt16LE(flags, 10);
  page.writeUInt16LE(pageHeaderBytes + 2 * count, 12);
  page.writeUInt16LE(upper, 14);
}

function even(size: number): number {
  return (size + 1) & ~1;
}
