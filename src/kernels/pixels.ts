import { checkPart, checkRoom, checkTarget, type PixelRectangle } from "./rectangle.ts";

/** Pixels to read: uint8, row-major, interleaved; not modified. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 1 to 4, each on its own (alpha is not multiplied in); 3 unless given. */
  readonly channels?: number | undefined;
  /** What is meant of the image, as if it had been cut out before; all of it unless given. */
  readonly part?: PixelRectangle | undefined;
}

/** Pixels to write, of as many channels as are read: width × height. */
export interface PixelsTarget {
  readonly width: number;
  readonly height: number;
  /** Where they are written, `stride` values from row to row, from `offset` on; a new image unless given. */
  readonly data?: Uint8Array | undefined;
  readonly stride?: number | undefined;
  readonly offset?: number | undefined;
}

/** A mask to write, row-major, of 0 and 1. */
export type MaskTarget = PixelsTarget & { readonly data: Uint8Array };

/** What a layer of a picture is drawn from: a part of a decoded image, or a tile that has its scale already. */
export type CellPixels =
  | {
      readonly kind: "image";
      readonly width: number;
      readonly height: number;
      readonly data: Uint8Array;
      /** What the layer's source names, in the decoded image's pixels, which are fewer where it was decoded at reduced size. */
      readonly part: PixelRectangle;
    }
  | {
      readonly kind: "tile";
      readonly data: Uint8Array;
      /** Bytes from row to row, and where the first begins; unless given, the tile is the layer's size and nothing else. */
      readonly stride?: number;
      readonly offset?: number;
      /** Views of the rows of `data`, where they are kept: making them takes longer than copying what they show. */
      readonly rows?: readonly Uint8Array[];
      /** Gives the memory back, for another cell: to be called once, when `data` is not used any more; or not at all. */
      readonly release?: () => void;
    };

/** Stretches pixels. Returns `target.data`, which must not overlap the source. Throws a RangeError for sizes that do not fit. */
export type Resize = (source: Pixels, target: PixelsTarget) => Uint8Array;

/** A source and a target of which nothing is left open. */
export interface Resizing {
  readonly source: Required<Pixels> & { readonly channels: number; readonly part: PixelRectangle };
  readonly target: { readonly [Key in keyof PixelsTarget]-?: NonNullable<PixelsTarget[Key]> };
}

/** Fills in what is left open. Throws a RangeError for sizes that do not fit. */
export function resizingOf(source: Pixels, target: PixelsTarget): Resizing {
  const { data, width, height, channels = 3 } = source;
  if (!Number.isInteger(channels) || channels < 1 || channels > 4)
    throw new RangeError(`expected 1 to 4 channels, got ${channels}`);
  checkTarget(width, height);
  const length = width * height * channels;
  if (data.length < length)
    throw new RangeError(`an image of ${width} × ${height} × ${channels} has ${length} bytes, got ${data.length}`);
  const part = source.part ?? { x: 0, y: 0, width, height };
  checkPart(part, width, height);
  checkTarget(target.width, target.height);
  const rowLength = target.width * channels;
  const { stride = rowLength, offset = 0 } = target;
  const out = target.data ?? new Uint8Array(offset + (target.height - 1) * stride + rowLength);
  checkRoom(out.length, offset, stride, target.height, rowLength);
  return {
    source: { data, width, height, channels, part },
    target: { data: out, width: target.width, height: target.height, stride, offset },
  };
}

/** Rows of bytes of an RGB image: where the first starts, bytes from row to row, bytes a row. */
export interface ByteRows {
  readonly data: Uint8Array;
  readonly start: number;
  readonly stride: number;
  readonly length: number;
}

/** The rows of a part of an RGB image. */
export function rowsOf({ data, width, part }: Resizing["source"]): ByteRows {
  return { data, start: (part.y * width + part.x) * 3, stride: width * 3, length: part.width * 3 };
}
