import { open } from "node:fs/promises";
import { join } from "node:path";
import { NpyReader } from "../codecs/index.ts";
import { onDisk, writeFully } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";
import { type Column, chunkBytes, layoutOf, writeRows } from "./columns.ts";
import { requirePartHash } from "./parts.ts";
import type { ShardFolder } from "./shard-folders.ts";
import type { Staging } from "./staging.ts";

/** A part's share of a column. */
export interface ColumnShare {
  readonly part: ShardFolder;
  /** Of the column's rows, in the order in which they are made. */
  readonly rows: readonly [start: number, end: number];
  /** SHA-256 of the part's file. */
  readonly hash: string;
}

/**
 * Joins the shares of a column to the whole in a staging. Row i in the order of the parts becomes row `at[i]` of the whole, row
 * i without `at`. Each file is compared with the hash that its shard left. Errors: "checksum"; "bad-input" for another type or
 * shape.
 */
export async function joinColumn(
  staging: Staging,
  column: Column,
  shares: readonly ColumnShare[],
  at?: Int32Array,
): Promise<void> {
  const path = staging.path(column.file);
  const layout = layoutOf(path, column);
  const out = await onDisk(path, () => open(path, "w+"));
  try {
    await writeFully(out, layout.header, 0, path);
    for (const share of shares) {
      const [start, end] = share.rows;
      const reader = await openShare(share, column);
      try {
        const some = Math.max(1, Math.floor(chunkBytes / layout.stride));
        for (let row = start; row < end; row += some) {
          const count = Math.min(some, end - row);
          await writeRows(out, layout, await reader.rows(row - start, count), at?.subarray(row, row + count) ?? row);
        }
      } finally {
        await reader.close();
      }
    }
    await onDisk(path, () => out.sync());
  } finally {
    await out.close();
  }
}

async function openShare({ part, rows: [start, end], hash }: ColumnShare, column: Column): Promise<NpyReader> {
  const path = join(part.folder, column.file);
  await requirePartHash(path, hash, part);
  const reader = await NpyReader.open(path);
  const expected = [end - start, ...column.shape.slice(1)];
  if (reader.dtype === column.dtype && reader.shape.join() === expected.join()) return reader;
  await reader.close();
  return fail(
    "bad-input",
    `expected ${column.dtype} of shape ${quoteValue(expected)} in "${path}", got ${reader.dtype} of ${quoteValue(reader.shape)}; remove its folder and run the shard again`,
  );
}
