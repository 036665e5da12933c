import { noTiming, type StageTimer } from "../io/index.ts";
import type { CellPixels, Resize } from "../kernels/index.ts";
import type { Resample } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { type CellRequest, type CellSource, decodingCells, inWindow, isWhole, wholeSize } from "./cell-source.ts";
import type { TileShelf, TileStore } from "./tile-store.ts";

/** The function that a resampling kernel is. */
export type Resizer = (resample: Resample["name"]) => Resize;

/**
 * Cells from tiles where there are any for the size and the version of the kernel, else decoded. A layer that shows a
 * part of an image is always decoded. With "build" what was decoded is added, where `isKept` says that its size recurs.
 * The store stays the caller's to close.
 */
export function tiledCells(
  pool: Pool,
  store: TileStore,
  resizer: Resizer,
  timing: StageTimer = noTiming,
  isKept: (width: number, height: number) => boolean = () => true,
): CellSource {
  const decoding = decodingCells(pool, timing);
  if (store.mode === "off") return decoding;
  const shelfOf = (layer: CellRequest, resample: Resample): TileShelf => {
    const [width, height] = wholeSize(layer);
    return store.shelf({ width, height, resample });
  };
  /** Decodes a whole image to the size of its tile. */
  const make = async (row: number, layer: CellRequest, resample: Resample): Promise<Uint8Array> => {
    const [width, height] = wholeSize(layer);
    const cell = await decoding.pixels(row, layer, resample);
    if (cell.kind === "tile") return cell.data;
    const data = new Uint8Array(width * height * 3);
    const start = timing.now();
    resizer(resample.name)(cell, { width, height, data });
    timing.since("resize", start);
    return data;
  };
  return {
    tile(row, layer, resample, into) {
      if (!isWhole(pool, row, layer)) return false;
      const start = timing.now();
      const { window } = layer;
      const shelf = shelfOf(layer, resample);
      const found = shelf.read(pool.images.hash[row] ?? "", into, window === undefined ? undefined : rowsOf(layer));
      if (found) timing.since("tiles", start);
      return found;
    },
    async pixels(row, layer, resample): Promise<CellPixels> {
      if (!isWhole(pool, row, layer)) return decoding.pixels(row, layer, resample);
      const shelf = shelfOf(layer, resample);
      const [width, height] = wholeSize(layer);
      const image = pool.images.hash[row] ?? "";
      await shelf.ready();
      if (shelf.has(image)) {
        const start = timing.now();
        const into = new Uint8Array(width * height * 3);
        const isRead = shelf.read(image, into);
        timing.since("tiles", start);
        if (isRead) return inWindow({ kind: "tile", data: into }, layer);
      }
      await shelf.missed();
      if (store.mode === "build" && isKept(width, height)) await shelf.readyToAdd();
      if (!shelf.takes) return decoding.pixels(row, layer, resample);
      const data = await make(row, layer, resample);
      void shelf.add(image, data);
      return inWindow({ kind: "tile", data }, layer);
    },
    async keep(row, layer, resample) {
      if (store.mode !== "build" || !isWhole(pool, row, layer)) return false;
      const shelf = shelfOf(layer, resample);
      const image = pool.images.hash[row] ?? "";
      await shelf.ready();
      if (shelf.has(image)) return true;
      await shelf.readyToAdd();
      if (!shelf.takes) return false;
      const written = shelf.add(image, await make(row, layer, resample));
      await written;
      return written !== undefined;
    },
    close: async () => undefined,
  };
}

/** Which bytes of the tile of a window's whole are the rows that hold it. */
function rowsOf({ window, destination: [, , , height] }: CellRequest): { from: number; length: number } {
  const [width] = window?.of ?? [0];
  return { from: (window?.at[1] ?? 0) * width * 3, length: height * width * 3 };
}
