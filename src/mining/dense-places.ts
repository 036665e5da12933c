import type { ScreenShape } from "./screen.ts";
import { screenListBytes } from "./screen-kernel.ts";

/** Byte addresses in the kernel's memory; lists begin at 0. */
export interface Places {
  readonly texts: number;
  readonly images: number;
  /** Addresses of the lists' vectors. */
  readonly vectors: number;
  readonly scales: number;
  readonly offsets: number;
  readonly scores: number;
  readonly cells: number;
  readonly cellList: number;
  readonly end: number;
}

/** Room for `rows` lists of `capacity` entries, vectors of `stride` bytes, `cells` candidates at a time and a block of scores. */
export function placesFor(rows: number, capacity: number, stride: number, cells: number, shape: ScreenShape): Places {
  const widest = Math.max(shape.columns, shape.scouts);
  let end = rows * screenListBytes(capacity);
  const take = (bytes: number): number => {
    const place = end;
    end += Math.ceil(bytes / 64) * 64;
    return place;
  };
  return {
    texts: take(rows * stride),
    images: take(rows * stride),
    vectors: take(rows * 4),
    scales: take(widest * 4),
    offsets: take(widest * 4),
    scores: take(shape.rows * widest * 4),
    cells: take(cells * stride),
    cellList: take(screenListBytes(cells)),
    end,
  };
}
