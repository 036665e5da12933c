/**
 * Decoded cells of one size, by image content:
 *
 *   tiles.json   format, version, producer, width, height, stride, resample { name, version }
 *   cells.raw    slot i at byte i · stride: width · height · 3 bytes, row by row, R G B
 *   index.bin    64 bytes a slot: SHA-256 of the image file, SHA-256 of the slot's pixels
 *
 * A slot counts once its 64 bytes are in the index, which are written after its pixels are on disk: a killed run leaves
 * whole slots, and the next one writes over what it had begun.
 */
import { readSync } from "node:fs";
import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  exists,
  hashBytes,
  ifMissing,
  makeFolder,
  onDisk,
  producer,
  writeFileAtomic,
  writeFully,
} from "../io/index.ts";
import { fail, type Resample } from "../model/index.ts";

/** The size of a file's tiles, and how they were resized. */
export interface TileShape {
  readonly width: number;
  readonly height: number;
  readonly resample: Resample;
}

export const tilesFormat = "nemosaic-tiles";
export const tilesVersion = 1;
const recordBytes = 64;
/** Slots between two syncs to disk. */
const slotsPerSync = 256;
const recordsPerRead = 2 ** 14;

/** The folder of one size and kernel: tiles/<width>x<height>-<resample>. */
export function tilesFolder(poolFolder: string, { width, height, resample }: TileShape): string {
  return join(poolFolder, "tiles", `${width}x${height}-${resample.name}`);
}

/** Bytes of one tile. */
export function tileBytes({ width, height }: Pick<TileShape, "width" | "height">): number {
  return width * height * 3;
}

/** Decoded cells of one size, open for reading and, by one process at a time, for adding. Close it when done. */
export class TileFile {
  readonly shape: TileShape;
  readonly folder: string;
  readonly stride: number;
  readonly #cells: FileHandle;
  readonly #index: FileHandle;
  readonly #slots = new Map<string, number>();
  readonly #adding = new Set<string>();
  #records = 0;
  #next = 0;
  /** Slots whose pixels could not be written: taken again first, for no slot behind a gap counts. */
  readonly #gaps: number[] = [];
  #pending: { readonly slot: number; readonly record: Uint8Array }[] = [];
  #syncing: Promise<void> = Promise.resolve();
  #isClosed = false;

  /**
   * Opens what is there for reading; undefined where there is nothing, or tiles of another version of the kernel, or a file
   * of them is gone.
   */
  static async open(poolFolder: string, shape: TileShape): Promise<TileFile | undefined> {
    const folder = tilesFolder(poolFolder, shape);
    if (!(await isCurrent(folder, shape))) return undefined;
    return TileFile.#opened(folder, shape, "r");
  }

  /**
   * Opens for adding, under the folder's lock; starts over where the tiles are of another version of the kernel, or with
   * `afresh`, or a file of them is gone. Errors: "io" where the disk refuses.
   */
  static async create(poolFolder: string, shape: TileShape, afresh = false): Promise<TileFile> {
    const folder = tilesFolder(poolFolder, shape);
    await makeFolder(folder);
    if (afresh || !(await isCurrent(folder, shape))) {
      for (const name of ["tiles.json", "index.bin", "cells.raw"]) await rm(join(folder, name), { force: true });
      for (const name of ["cells.raw", "index.bin"])
        await onDisk(folder, async () => (await open(join(folder, name), "w")).close());
      await writeFileAtomic(join(folder, "tiles.json"), `${JSON.stringify(manifestOf(shape), undefined, 2)}\n`);
    }
    return TileFile.#opened(folder, shape, "r+");
  }

  static async #opened(folder: string, shape: TileShape, mode: "r" | "r+"): Promise<TileFile> {
    const handles: FileHandle[] = [];
    const opened = async (name: string): Promise<FileHandle> => {
      const handle = await onDisk(folder, () => open(join(folder, name), mode));
      handles.push(handle);
      return handle;
    };
    try {
      const file = new TileFile(folder, shape, await opened("cells.raw"), await opened("index.bin"));
      await file.refresh();
      return file;
    } catch (error) {
      await Promise.all(handles.map((handle) => handle.close()));
      throw error;
    }
  }

  private constructor(folder: string, shape: TileShape, cells: FileHandle, index: FileHandle) {
    this.folder = folder;
    this.shape = shape;
    this.stride = tileBytes(shape);
    this.#cells = cells;
    this.#index = index;
  }

  /** Tiles that can be read. */
  get count(): number {
    return this.#slots.size;
  }

  /** Whether there is a tile of the image with this content hash. */
  has(image: string): boolean {
    return this.#slots.has(image);
  }

  /** Sees what another process has added since. */
  async refresh(): Promise<void> {
    const [{ size }, cells] = await Promise.all([this.#index.stat(), this.#cells.stat()]);
    // An index that is longer than its cells is one whose disk lost them.
    const records = Math.min(Math.floor(size / recordBytes), Math.floor(cells.size / this.stride));
    const block = Buffer.alloc(Math.min(Math.max(0, records - this.#records), recordsPerRead) * recordBytes);
    for (let first = this.#records; first < records; ) {
      const { bytesRead } = await this.#index.read(block, 0, block.length, first * recordBytes);
      const end = Math.min(records, first + Math.floor(bytesRead / recordBytes));
      if (end === first) break; // shorter than it was a moment ago
      for (let slot = first; slot < end; slot++) {
        const at = (slot - first) * recordBytes;
        this.#slots.set(block.toString("hex", at, at + 32), slot);
      }
      first = end;
      this.#records = Math.max(this.#records, end);
    }
    this.#next = Math.max(this.#next, this.#records);
  }

  /** Reads the tile of an image, or some of its bytes, into `into`, on this thread; false where there is none. */
  read(image: string, into: Uint8Array, { from, length } = { from: 0, length: this.stride }): boolean {
    const slot = this.#slots.get(image);
    if (slot === undefined) return false;
    return readSync(this.#cells.fd, into, 0, length, slot * this.stride + from) === length;
  }

  /** Adds the tile of an image; can then be read, and counts on disk after the next `sync`. */
  async add(image: string, pixels: Uint8Array): Promise<void> {
    if (pixels.length !== this.stride)
      fail("internal", `expected a tile of ${this.stride} bytes, got ${pixels.length}`);
    if (this.#slots.has(image) || this.#adding.has(image)) return;
    const record = Buffer.from(image + hashBytes(pixels), "hex");
    if (record.length !== recordBytes) fail("internal", `expected a SHA-256 in hex, got "${image}"`);
    const slot = this.#gaps.shift() ?? this.#next++;
    this.#adding.add(image);
    try {
      await writeFully(this.#cells, pixels, slot * this.stride, join(this.folder, "cells.raw"));
    } catch (error) {
      this.#gaps.push(slot);
      throw error;
    } finally {
      this.#adding.delete(image);
    }
    this.#slots.set(image, slot);
    this.#pending.push({ slot, record });
    if (this.#pending.length >= slotsPerSync) await this.sync();
  }

  /** Makes what was added last: pixels first, then their place in the index. What fails is tried again by the next call. */
  sync(): Promise<void> {
    // One at a time: a later run of records must not be in the index before an earlier one.
    const done = this.#syncing.then(() => this.#syncRun());
    this.#syncing = done.catch(() => undefined);
    return done;
  }

  async #syncRun(): Promise<void> {
    // Slots are taken in order, but their writes may end in another: only an unbroken run can go to the index.
    const added = this.#pending.sort((a, b) => a.slot - b.slot);
    let run = 0;
    while (added[run]?.slot === this.#records + run) run++;
    if (run === 0) return;
    const records = Buffer.concat(added.slice(0, run).map(({ record }) => record));
    const path = join(this.folder, "index.bin");
    await onDisk(path, async () => {
      await this.#cells.datasync();
      await writeFully(this.#index, records, this.#records * recordBytes, path);
      await this.#index.datasync();
    });
    const end = this.#records + run;
    this.#pending = this.#pending.filter(({ slot }) => slot >= end);
    this.#records = end;
  }

  /** Content hashes of images whose tile is not what was written. Reads everything. */
  async damaged(): Promise<string[]> {
    const found: string[] = [];
    for await (const { image, isSound } of this.tiles()) if (!isSound) found.push(image);
    return found;
  }

  /** All tiles in the order of their slots: `pixels` holds until the next, `isSound` where they are what was written. */
  async *tiles(): AsyncGenerator<{ readonly image: string; readonly pixels: Uint8Array; readonly isSound: boolean }> {
    const pixels = new Uint8Array(this.stride);
    const record = Buffer.alloc(recordBytes);
    for (const [image, slot] of this.#slots) {
      await this.#index.read(record, 0, recordBytes, slot * recordBytes);
      const isSound = this.read(image, pixels) && hashBytes(pixels) === record.toString("hex", 32);
      yield { image, pixels, isSound };
    }
  }

  /** Makes what was added last, as far as the disk takes it, and closes the files in any case; harmless when closed. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      if (this.#pending.length > 0) await this.sync();
    } finally {
      await this.#syncing;
      await Promise.all([this.#cells.close(), this.#index.close()]);
    }
  }
}

function manifestOf({ width, height, resample }: TileShape) {
  return { format: tilesFormat, version: tilesVersion, producer, width, height, stride: width * height * 3, resample };
}

async function isCurrent(folder: string, { width, height, resample }: TileShape): Promise<boolean> {
  const text = await readFile(join(folder, "tiles.json"), "utf8").catch(ifMissing(undefined));
  if (text === undefined) return false;
  try {
    const found = JSON.parse(text) as Partial<ReturnType<typeof manifestOf>> | null;
    return (
      found?.format === tilesFormat &&
      found.version === tilesVersion &&
      found.width === width &&
      found.height === height &&
      found.resample?.name === resample.name &&
      found.resample.version === resample.version &&
      (await Promise.all(["cells.raw", "index.bin"].map((name) => exists(join(folder, name))))).every(Boolean)
    );
  } catch {
    return false; // cut short: as if there were none, tiles can be made again
  }
}
