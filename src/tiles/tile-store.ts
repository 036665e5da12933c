import { join } from "node:path";
import { diskProblem, makeFolder, withLock } from "../io/index.ts";
import { NemosaicError } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { TileFile, type TileShape, tilesFolder } from "./tile-file.ts";
import { findTilePlace, foldersOf, type TilePlace, type TilePlaceOptions } from "./tile-place.ts";

/** use = read tiles that are there; build = also keep what had to be decoded; off = always decode. */
export type TileMode = "use" | "build" | "off";

/** Whether tiles are read and added, where, and who is told of it. */
export interface TileKeeping extends TilePlaceOptions {
  readonly mode: TileMode;
  /** Told in a line where tiles are added and how many, when the first one is, and why no more are. */
  readonly tell?: ((line: string) => void) | undefined;
}

/** Tiles waiting to be written: beyond, what was decoded is not kept. */
const mostPending = 32;
/** Misses after which a reader looks again for tiles that another process has added, and whether it can add itself. */
const missesPerLook = 64;

/**
 * The tiles of a pool, open in one process: its loaders share them. With "build" tiles are added, by the first process that
 * asks; the others read what it has added, and one of them takes over when it ends.
 */
export class TileStore {
  readonly mode: TileMode;
  readonly #pool: Pool;
  readonly #keeping: TileKeeping;
  readonly #shelves = new Map<string, TileShelf>();
  #place: Promise<TilePlace | undefined> | undefined;
  #isTold = false;
  #hasEnded = false;

  /** Opens and makes nothing yet. */
  constructor(pool: Pool, keeping: TileKeeping) {
    this.mode = keeping.mode;
    this.#pool = pool;
    this.#keeping = keeping;
  }

  /** The tiles of a size. */
  shelf(shape: TileShape): TileShelf {
    const { width, height, resample } = shape;
    const key = `${width}x${height}-${resample.name}-${resample.version}`;
    let shelf = this.#shelves.get(key);
    if (shelf === undefined) {
      shelf = new TileShelf(shape, foldersOf(this.#pool, this.#keeping), {
        place: () => this.#findPlace(),
        added: (place) => this.#tellOnce(place),
        full: (place) => this.#tellFull(place),
        refused: (place, error) => this.#refused(place, error),
      });
      this.#shelves.set(key, shelf);
    }
    return shelf;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#shelves.values()].map((shelf) => shelf.close()));
  }

  async #findPlace(): Promise<TilePlace | undefined> {
    if (this.mode !== "build") return undefined;
    this.#place ??= findTilePlace(this.#pool, this.#keeping).then((place) => {
      if (place === undefined) this.#keeping.tell?.(`decoded images are not kept: ${noPlace(this.#keeping.folder)}`);
      return place;
    });
    return this.#place;
  }

  #tellOnce({ folder, limit }: TilePlace): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#keeping.tell?.(
      `decoded images are kept in "${join(folder, "tiles")}", ${limit}; change that with NEMOSAIC_TILES_MAX_BYTES, ` +
        "forbid it with NEMOSAIC_TILES=use",
    );
  }

  #refused(place: TilePlace, error: unknown): void {
    place.shut();
    this.#tellEnd(reasonOf(error));
  }

  #tellFull({ folder, limit }: TilePlace): void {
    this.#tellEnd(
      `"${join(folder, "tiles")}" holds what it may, ${limit}; remove sizes there that you draw no more, or set ` +
        "NEMOSAIC_TILES_MAX_BYTES",
    );
  }

  #tellEnd(why: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#keeping.tell?.(`no more decoded images are kept: ${why}`);
  }
}

function noPlace(folder: string | undefined): string {
  return folder === undefined
    ? "neither the pool nor the user's cache can be written; name a folder with NEMOSAIC_TILES_FOLDER"
    : `"${folder}" cannot be written`;
}

/** What the disk refused; not what to run again, for drawing goes on. */
function reasonOf(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  const text = error instanceof NemosaicError ? message : (diskProblem(code) ?? message);
  return text.replace("; free some space and run the same command again", "");
}

/** What a shelf asks of its store. */
interface ShelfOwner {
  /** Where tiles may be added. */
  place(): Promise<TilePlace | undefined>;
  added(place: TilePlace): void;
  full(place: TilePlace): void;
  refused(place: TilePlace, error: unknown): void;
}

/** The tiles of one size, opened when first asked for: files of several folders to read, and one of them to add to. */
export class TileShelf {
  readonly shape: TileShape;
  readonly #folders: readonly string[];
  readonly #owner: ShelfOwner;
  readonly #files = new Map<string, TileFile>();
  readonly #opening: Promise<void>;
  #joining: Promise<void> | undefined;
  #adding: { readonly file: TileFile; readonly place: TilePlace } | undefined;
  #release: (() => void) | undefined;
  #held: Promise<void> = Promise.resolve();
  readonly #writes = new Set<Promise<void>>();
  #misses = 0;
  #isClosed = false;

  constructor(shape: TileShape, folders: readonly string[], owner: ShelfOwner) {
    this.shape = shape;
    this.#folders = folders;
    this.#owner = owner;
    this.#opening = this.#look();
    this.#opening.catch(() => undefined); // seen by `ready`
  }

  /** Settles when the files that are there are open. Errors: "io" where one of them cannot be read. */
  ready(): Promise<void> {
    return this.#opening;
  }

  /** Settles when it is known whether tiles can be added: by this process, into its store's place. Never rejects. */
  readyToAdd(): Promise<void> {
    this.#joining ??= this.#join();
    return this.#joining;
  }

  has(image: string): boolean {
    for (const file of this.#files.values()) if (file.has(image)) return true;
    return false;
  }

  /** Reads the tile of an image, or some of its bytes, into `into`, on this thread; false where there is none. */
  read(image: string, into: Uint8Array, bytes?: { readonly from: number; readonly length: number }): boolean {
    for (const file of this.#files.values()) if (file.read(image, into, bytes)) return true;
    return false;
  }

  /** Whether a tile that is made now would be kept; false until `readyToAdd` has settled. */
  get takes(): boolean {
    return this.#adding !== undefined && !this.#isClosed && this.#writes.size < mostPending;
  }

  /**
   * Keeps the tile of an image; false where it is not taken. `pixels` must be left alone until `written` settles, which never
   * rejects: a disk that is full must not stop a training run.
   */
  add(image: string, pixels: Uint8Array): Promise<void> | undefined {
    if (!this.takes || this.#adding === undefined || this.has(image)) return undefined;
    const { file, place } = this.#adding;
    if (!place.take(pixels.length)) {
      this.#owner.full(place);
      return undefined;
    }
    this.#owner.added(place);
    const write = file.add(image, pixels).catch((error: unknown) => this.#owner.refused(place, error));
    this.#writes.add(write);
    return write.finally(() => this.#writes.delete(write));
  }

  /** Looks from time to time whether another process has added tiles, or adds none any more. */
  async missed(): Promise<void> {
    if (this.#adding !== undefined || ++this.#misses % missesPerLook !== 0) return;
    if (this.#joining !== undefined) {
      this.#joining = this.#join();
      await this.#joining;
    }
    if (this.#adding === undefined) await this.#look();
  }

  /** Makes what was added last; what the disk refuses is lost. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opening.catch(() => undefined);
    await this.#joining;
    await Promise.all(this.#writes);
    const adding = this.#adding;
    for (const file of this.#files.values())
      await file.close().catch((error: unknown) => adding && this.#owner.refused(adding.place, error));
    this.#release?.();
    await this.#held;
  }

  async #look(): Promise<void> {
    for (const folder of this.#folders) {
      const known = this.#files.get(folder);
      if (known !== undefined) await known.refresh();
      else if (!this.#isClosed) {
        const file = await TileFile.open(folder, this.shape);
        if (file !== undefined) this.#files.set(folder, file);
      }
    }
  }

  async #join(): Promise<void> {
    const place = await this.#owner.place();
    if (place === undefined || this.#isClosed) return;
    try {
      if (!(await this.#lock(place.folder))) return;
      const file = await TileFile.create(place.folder, this.shape);
      const reader = this.#files.get(place.folder);
      this.#files.set(place.folder, file);
      this.#adding = { file, place };
      await reader?.close();
    } catch (error) {
      this.#release?.();
      this.#owner.refused(place, error);
    }
  }

  /** Holds the folder's lock until `close`; false where another process adds tiles. */
  async #lock(above: string): Promise<boolean> {
    const folder = tilesFolder(above, this.shape);
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
