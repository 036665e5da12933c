import { fail } from "../../model/index.ts";
import {
  databaseFlags,
  databaseRecordBytes,
  dataVersion,
  freeDatabaseAt,
  largestPage,
  lastPageAt,
  magic,
  mainDatabaseAt,
  maxDepth,
  metaBytes,
  noPage,
  pageFlags,
  smallestPage,
  transactionAt,
} from "./layout.ts";

/** The record of one tree. */
export interface LmdbDatabase {
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  readonly overflowPages: number;
  readonly entries: number;
  /** undefined where the tree is empty. */
  readonly root: number | undefined;
}

/** What the newer of the two meta pages says. */
export interface LmdbMeta {
  readonly pageSize: number;
  readonly mapSize: number;
  readonly lastPage: number;
  readonly main: LmdbDatabase;
}

/** Reads the meta pages at the beginning of `head` (the file's first 64 KB) and takes the newer one. */
export function readMeta(head: Uint8Array, where: string): LmdbMeta {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < metaBytes) fail("bad-input", `expected an LMDB file in ${where}, got ${head.length} bytes`);
  checkMagic(view, 0, where);
  const pageSize = view.getUint32(freeDatabaseAt, true);
  if (pageSize < smallestPage || pageSize > largestPage || (pageSize & (pageSize - 1)) !== 0) {
    fail("bad-input", `expected a page size of ${smallestPage} to ${largestPage} bytes in ${where}, got ${pageSize}`);
  }
  if (head.length < pageSize + metaBytes)
    fail("bad-input", `expected two meta pages in ${where}; the file is cut short`);
  checkMagic(view, pageSize, where);
  const newer =
    view.getBigUint64(transactionAt, true) < view.getBigUint64(pageSize + transactionAt, true) ? pageSize : 0;
  const lastPage = count(view, newer + lastPageAt, where);
  return {
    pageSize,
    mapSize: count(view, newer + 32, where),
    lastPage,
    main: readDatabase(view, newer + mainDatabaseAt, lastPage, where),
  };
}

/** Writes a meta page over the first bytes of `page`. */
export function writeMeta(
  page: Uint8Array,
  number: 0 | 1,
  transaction: number,
  meta: Omit<LmdbMeta, "pageSize"> & { readonly pageSize: number },
): void {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  view.setBigUint64(0, BigInt(number), true);
  view.setUint16(10, pageFlags.meta, true);
  view.setUint32(16, magic, true);
  view.setUint32(20, dataVersion, true);
  view.setBigUint64(32, BigInt(meta.mapSize), true);
  view.setUint32(freeDatabaseAt, meta.pageSize, true);
  view.setUint16(freeDatabaseAt + 4, databaseFlags.integerKey, true);
  view.setBigUint64(freeDatabaseAt + databaseRecordBytes - 8, noPage, true);
  const { main } = meta;
  view.setUint16(mainDatabaseAt + 6, main.depth, true);
  for (const [i, value] of [main.branchPages, main.leafPages, main.overflowPages, main.entries].entries()) {
    view.setBigUint64(mainDatabaseAt + 8 + 8 * i, BigInt(value), true);
  }
  view.setBigUint64(mainDatabaseAt + 40, main.root === undefined ? noPage : BigInt(main.root), true);
  view.setBigUint64(lastPageAt, BigInt(meta.lastPage), true);
  view.setBigUint64(transactionAt, BigInt(transaction), true);
}

function checkMagic(view: DataView, at: number, where: string): void {
  const found = view.getUint32(at + 16, true);
  if (found !== magic) {
    if (view.getUint32(at + 16, false) === magic)
      fail("unsupported", `expected a little-endian LMDB file in ${where}, got a big-endian one`);
    if (view.getUint32(at + 12, true) === magic) {
      fail("unsupported", `expected an LMDB file of a 64-bit machine in ${where}, got one of a 32-bit machine`);
    }
    fail("bad-input", `expected an LMDB file in ${where}: its meta page at byte ${at} is none`);
  }
  const version = view.getUint32(at + 20, true);
  if (version !== dataVersion)
    fail("unsupported", `expected LMDB data version ${dataVersion} in ${where}, got ${version}`);
  if ((view.getUint16(at + 10, true) & pageFlags.meta) === 0) {
    fail("bad-input", `expected a meta page at byte ${at} of ${where}; the file is damaged`);
  }
}

function readDatabase(view: DataView, at: number, lastPage: number, where: string): LmdbDatabase {
  const flags = view.getUint16(at + 4, true);
  if ((flags & databaseFlags.dupSort) !== 0)
    fail("unsupported", `expected one value a key in ${where}, got a database of sorted duplicates`);
  if ((flags & (databaseFlags.integerKey | databaseFlags.reverseKey)) !== 0) {
    fail("unsupported", `expected keys in bytewise order in ${where}, got integer or reversed keys`);
  }
  const rootField = view.getBigUint64(at + 40, true);
  const database = {
    depth: view.getUint16(at + 6, true),
    branchPages: count(view, at + 8, where),
    leafPages: count(view, at + 16, where),
    overflowPages: count(view, at + 24, where),
    entries: count(view, at + 32, where),
    root: rootField === noPage ? undefined : Number(rootField),
  };
  const { depth, root, entries } = database;
  const sound = root === undefined ? entries === 0 : root >= 2 && root <= lastPage && depth >= 1 && depth <= maxDepth;
  if (!sound) {
    fail(
      "bad-input",
      `expected a sound tree in ${where}, got root ${root ?? "none"}, depth ${depth} and ${entries} records; damaged`,
    );
  }
  return database;
}

function count(view: DataView, at: number, where: string): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value))
    fail("bad-input", `expected a count at byte ${at} of ${where}, got ${value}; the file is damaged`);
  return value;
}
