import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";
import { npyHeader } from "../../codecs/index.ts";
import { onDisk, openAtomic } from "../../io/index.ts";

/*
 * A matrix in the making, which survives a killed run:
 *
 *   <name>.npy.partial   the .npy file as it will be, as far as it is written
 *   <name>.npy.journal   JSON lines: first {format, version, key}, then {rows, skipped} for each batch whose rows are
 *                        on disk; a line cut short by a kill does not count, and neither do the rows behind the last line
 *
 * `key` is a hash of everything that decides the numbers; under another key the run starts over.
 */

/** A row that has no vector (it is all zeros), and why. */
export interface SkippedRow {
  readonly row: number;
  readonly name: string;
  readonly reason: string;
}

interface Batch {
  readonly rows: number;
  readonly skipped: readonly SkippedRow[];
}

const format = "nemosaic-embeddings-journal";
const version = 1;

/** Rows of float32 appended batch by batch. Holds two open files until `finish` or `close`. */
export class PartialRows {
  private readonly path: string;
  private readonly count: number;
  private readonly dimension: number;
  private readonly data: FileHandle;
  private readonly journal: FileHandle;
  private readonly batches: Batch[];

  private constructor(
    path: string,
    count: number,
    dimension: number,
    data: FileHandle,
    journal: FileHandle,
    batches: Batch[],
  ) {
    this.path = path;
    this.count = count;
    this.dimension = dimension;
    this.data = data;
    this.journal = journal;
    this.batches = batches;
  }

  /** Opens what an earlier run with the same `key` left for `path`, or starts anew. The folder has to exist. */
  static async open(path: string, key: string, count: number, dimension: number): Promise<PartialRows> {
    const header = npyHeader("float32", [count, dimension]);
    const known = await readJournal(`${path}.journal`, key);
    return onDisk(path, async () => {
      const data = await open(`${path}.partial`, known.length > 0 ? "r+" : "w+").catch(() =>
        open(`${path}.partial`, "w+"),
      );
      let journal: FileHandle | undefined;
      try {
        const { size } = await data.stat();
        const batches = fitting(known, (size - header.length) / (dimension * 4));
        journal = await open(`${path}.journal`, "w");
        await data.write(header, 0, header.length, 0);
        await data.truncate(header.length + rowsOf(batches) * dimension * 4);
        const lines = [{ format, version, key }, ...batches].map((line) => `${JSON.stringify(line)}\n`);
        await journal.appendFile(lines.join(""));
        await journal.datasync();
        return new PartialRows(path, count, dimension, data, journal, batches);
      } catch (error) {
        await Promise.all([data.close(), journal?.close()]);
        throw error;
      }
    });
  }

  /** Rows that are safely on disk. */
  get rows(): number {
    return rowsOf(this.batches);
  }

  /** Numbers in a row. */
  get width(): number {
    return this.dimension;
  }

  get skipped(): SkippedRow[] {
    return this.batches.flatMap((batch) => batch.skipped);
  }

  /** Appends whole rows and notes them once they are on disk. */
  async append(vectors: Float32Array, skipped: readonly SkippedRow[] = []): Promise<void> {
    const batch = { rows: vectors.length / this.dimension, skipped };
    const start = npyHeader("float32", [this.count, this.dimension]).length + this.rows * this.dimension * 4;
    await onDisk(this.path, async () => {
      const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
      for (let done = 0; done < bytes.length; ) {
        done += (await this.data.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
      }
      await this.data.datasync();
      await this.journal.appendFile(`${JSON.stringify(batch)}\n`);
    });
    this.batches.push(batch);
  }

  /** Makes the matrix visible at its path. With `order`, row i of the result is row order[i] of what was appended. */
  async finish(order?: Int32Array): Promise<void> {
    await onDisk(this.path, async () => {
      if (order === undefined) {
        await this.data.sync();
        await rename(`${this.path}.partial`, this.path);
      } else {
        await this.copyRows(order);
        await rm(`${this.path}.partial`, { force: true });
      }
      await this.close();
      await rm(`${this.path}.journal`, { force: true });
    });
  }

  async close(): Promise<void> {
    await this.data.close();
    await this.journal.close();
  }

  private async copyRows(order: Int32Array): Promise<void> {
    const rowBytes = this.dimension * 4;
    const start = npyHeader("float32", [this.count, this.dimension]).length;
    const out = await openAtomic(this.path);
    await out.write(npyHeader("float32", [order.length, this.dimension]));
    const rowsAtOnce = Math.max(1, Math.floor((4 << 20) / rowBytes));
    for (let from = 0; from < order.length; from += rowsAtOnce) {
      const some = order.subarray(from, from + rowsAtOnce);
      const block = new Uint8Array(some.length * rowBytes);
      for (let i = 0; i < some.length; i++) {
        await this.data.read(block, i * rowBytes, rowBytes, start + (some[i] ?? 0) * rowBytes);
      }
      await out.write(block);
    }
    await out.commit();
  }
}

function rowsOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + batch.rows, 0);
}

/** The first batches whose rows the file really holds: after a power cut the journal may know more than the disk. */
function fitting(batches: readonly Batch[], rowsOnDisk: number): Batch[] {
  let rows = 0;
  const kept: Batch[] = [];
  for (const batch of batches) {
    rows += batch.rows;
    if (rows > rowsOnDisk) break;
    kept.push(batch);
  }
  return kept;
}

async function readJournal(path: string, key: string): Promise<Batch[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  const [first, ...lines] = text.split("\n").slice(0, -1);
  const head = parsed(first);
  if (head?.format !== format || head.version !== version || head.key !== key) return [];
  const batches: Batch[] = [];
  for (const line of lines) {
    const batch = parsed(line);
    if (typeof batch?.rows !== "number" || !Array.isArray(batch.skipped)) break;
    batches.push({ rows: batch.rows, skipped: batch.skipped as SkippedRow[] });
  }
  return batches;
}

function parsed(line: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // a line cut short
  }
}
