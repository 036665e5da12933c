import { makeFolder, noTiming, type StageTimer, withLock } from "../io/index.ts";
import type { CellPixels, Resize } from "../kernels/index.ts";
import { NemosaicError, type Resample } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { type CellRequest, type CellSource, decodingCells, isWhole } from "./cell-source.ts";
import { TileFile, tilesFolder } from "./tile-file.ts";

/** use = read tiles that are there; build = also keep what had to be decoded; off = always decode. */
export type TileMode = "use" | "build" | "off";

/** The function that a resampling kernel is. */
export type Resizer = (resample: Resample["name"]) => Resize;

/** Tiles waiting to be written: beyond, what was decoded is not kept. */
const mostPending = 32;
/** Misses after which a reader looks again for tiles that another process has added. */
const missesPerLook = 64;

/**
 * Cells from tiles where there are any for the size and the version of the kernel, else decoded. A layer that shows a
 * part of an image is always decoded. With "build" what was decoded is added, by the first process that asks; the
 * others read what it has added.
 */
export function tiledCells(pool: Pool, mode: TileMode, resizer: Resizer, timing: StageTimer = noTiming): CellSource {
  const decoding = decodingCells(pool, timing);
  if (mode === "off") return decoding;
  const shelves = new Map<string, Shelf>();
  const shelfOf = ({ destination: [, , width, height] }: CellRequest, resample: Resample): Shelf => {
    const key = `${width}x${height}-${resample.name}-${resample.version}`;
    const known = shelves.get(key);
    if (known !== undefined) return known;
    const shelf = new Shelf(pool.folder, { width, height, resample }, mode === "build");
    shelves.set(key, shelf);
    return shelf;
  };
  return {
    tile(row, layer, resample, into) {
      if (!isWhole(pool, row, layer)) return false;
      const start = timing.now();
      const found = shelfOf(layer, resample).file?.read(pool.images.hash[row] ?? "", into) === true;
      if (found) timing.since("tiles", start);
      return found;
    },
    async pixels(row, layer, resample): Promise<CellPixels> {
      if (!isWhole(pool, row, layer)) return decoding.pixels(row, layer, resample);
      const shelf = shelfOf(layer, resample);
      const [, , width, height] = layer.destination;
      const image = pool.images.hash[row] ?? "";
      await shelf.ready();
      if (shelf.file?.has(image) === true) {
        const start = timing.now();
        const into = new Uint8Array(width * height * 3);
        const isRead = shelf.file.read(image, into);
        timing.since("tiles", start);
        if (isRead) return { kind: "tile", data: into };
      }
      await shelf.missed();
      const cell = await decoding.pixels(row, layer, resample);
      if (!shelf.takes) return cell;
      const data = cell.kind === "tile" ? cell.data : new Uint8Array(width * height * 3);
      if (cell.kind === "image") {
        const start = timing.now();
        resizer(resample.name)(cell, { width, height, data });
        timing.since("resize", start);
      }
      shelf.add(image, data);
      return { kind: "tile", data };
    },
    async close() {
      await Promise.all([...shelves.values()].map((shelf) => shelf.close()));
    },
  };
}

/** The tiles of one size, opened when first asked for. */
class Shelf {
  file: TileFile | undefined;
  readonly #folder: string;
  readonly #shape: TileFile["shape"];
  readonly #opening: Promise<void>;
  #release: (() => void) | undefined;
  #held: Promise<void> = Promise.resolve();
  #writes = new Set<Promise<void>>();
  #misses = 0;

  constructor(folder: string, shape: TileFile["shape"], wantsToAdd: boolean) {
    this.#folder = folder;
    this.#shape = shape;
    this.#opening = this.#open(wantsToAdd);
    this.#opening.catch(() => undefined); // seen by `ready`
  }

  /** Whether what was decoded will be kept. */
  get takes(): boolean {
    return this.#release !== undefined && this.#writes.size < mostPending;
  }

  ready(): Promise<void> {
    return this.#opening;
  }

  add(image: string, pixels: Uint8Array): void {
    // A disk that is full must not stop a training run: drawing goes on without.
    const write = (this.file?.add(image, pixels) ?? Promise.resolve()).catch(() => undefined);
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }

  /** Looks from time to time whether another process has added tiles. */
  async missed(): Promise<void> {
    if (this.#release !== undefined || ++this.#misses % missesPerLook !== 0) return;
    if (this.file === undefined) this.file = await TileFile.open(this.#folder, this.#shape);
    else await this.file.refresh();
  }

  async close(): Promise<void> {
    await this.#opening.catch(() => undefined);
    await Promise.all(this.#writes);
    await this.file?.close();
    this.#release?.();
    await this.#held;
  }

  async #open(wantsToAdd: boolean): Promise<void> {
    if (wantsToAdd && (await this.#lock())) this.file = await TileFile.create(this.#folder, this.#shape);
    else this.file = await TileFile.open(this.#folder, this.#shape);
  }

  /** Holds the folder's lock until `close`; false where another process adds tiles. */
  async #lock(): Promise<boolean> {
    const folder = tilesFolder(this.#folder, this.#shape);
    await makeFolder(folder);
    return new Promise<boolean>((resolve, reject) => {
      const hold = (): Promise<void> =>
        new Promise<void>((release) => {
          this.#release = release;
          resolve(true);
        });
      this.#held = withLock(folder, "tiles", hold).catch((error: unknown) => {
        if (error instanceof NemosaicError && error.code === "locked") resolve(false);
        else reject(error);
      });
    });
  }
}
