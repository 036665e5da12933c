/**
 * LMDB's data file (data.mdb), format version 1, as 64-bit little-endian machines write it: a B+ tree of pages.
 * Page n begins at byte n * page size (4096 to 32768, from the meta page). All integers are little-endian.
 *
 *   every page      0  u64 its own number
 *                   8  u16 pad
 *                  10  u16 flags: 1 branch, 2 leaf, 4 overflow, 8 meta, 32 leaf of fixed-size keys, 64 sub-page
 *                  12  u16 lower: end of the pointers    14  u16 upper: begin of the nodes
 *                      (overflow: u32 count of pages)
 *                  16  u16 pointers to nodes, one each, in key order; nodes fill the page from its end
 *
 *   pages 0 and 1   meta; the one with the larger transaction id holds
 *                  16  u32 magic 0xBEEFC0DE    20  u32 version 1    24  u64 address    32  u64 map size
 *                  40  database record of the free list (its pad is the page size)
 *                  88  database record of the main tree
 *                 136  u64 last page           144  u64 transaction id
 *
 *   database record 0  u32 pad    4  u16 flags (2 reverse key, 4 dupsort, 8 integer key, …)    6  u16 depth
 *                   8  u64 branch pages   16  u64 leaf pages   24  u64 overflow pages   32  u64 entries
 *                  40  u64 root page (all ones: empty)
 *
 *   node            0  u16 low, u16 high, u16 flags, u16 key size, then the key, then (leaf) the value; even length
 *                      leaf: value size = low | high << 16; flags 1: the value is the u64 number of an overflow
 *                      page, 2: a named database, 4: several values of one key
 *                      branch: child page = low | high << 16 | flags << 32; the first node's key is left empty
 *
 *   overflow pages  16 bytes of page header, then the value, running on over as many pages as it takes
 *
 * Source: LMDB 0.9's mdb.c.
 */
export const pageHeaderBytes = 16;
export const nodeHeaderBytes = 8;
export const magic = 0xbeefc0de;
export const dataVersion = 1;
export const metaBytes = 152;
export const databaseRecordBytes = 48;
export const freeDatabaseAt = 40;
export const mainDatabaseAt = 88;
export const lastPageAt = 136;
export const transactionAt = 144;
/** LMDB's own limit, unless compiled otherwise. */
export const maxKeyBytes = 511;
/** LMDB's cursors keep a stack of so many pages. */
export const maxDepth = 32;
export const smallestPage = 512;
export const largestPage = 32768;
/** Root of an empty tree. */
export const noPage = 0xffffffffffffffffn;

export const pageFlags = { branch: 1, leaf: 2, overflow: 4, meta: 8, fixedLeaf: 32 } as const;
export const nodeFlags = { overflow: 1, database: 2, duplicates: 4 } as const;
export const databaseFlags = { reverseKey: 2, dupSort: 4, integerKey: 8 } as const;

/** The longest node (key, value and header) that stays inside a leaf; a longer one's value goes to overflow pages. */
export function maxNodeBytes(pageSize: number): number {
  return (((pageSize - pageHeaderBytes) >> 1) & ~1) - 2;
}

/** Pages that a value of `size` bytes takes outside its leaf. */
export function overflowPages(size: number, pageSize: number): number {
  return Math.floor((pageHeaderBytes - 1 + size) / pageSize) + 1;
}
