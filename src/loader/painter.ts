import type { StageTimer } from "../io/index.ts";
import type { Rle } from "../kernels/index.ts";
import type { Plan } from "../model/index.ts";
import { type Canvas, compose, composeMask, type LayerContent } from "../mosaic/index.ts";
import type { Pool } from "../pool/index.ts";
import type { CellSource } from "../tiles/index.ts";

/** Regions kept as run lengths: they are asked for again every epoch. */
const mostMasks = 20_000;
/** Sizes of cells that memory is kept for; grids have a handful. */
const mostSizes = 64;

/** Draws plans of a pool: fetches what their layers need and composes it. Memory is reused from sample to sample. */
export class Painter {
  readonly #pool: Pool;
  readonly #cells: CellSource;
  readonly #timing: StageTimer;
  readonly #masks = new Map<string, Rle | undefined>();
  /** By layer and size: where its tile is read to. */
  readonly #scratch = new Map<number, TileScratch>();

  /** `cells` stays the caller's to close. */
  constructor(pool: Pool, cells: CellSource, timing: StageTimer) {
    this.#pool = pool;
    this.#cells = cells;
    this.#timing = timing;
  }

  /** Draws a plan without leaving the thread where every layer has a tile; else does nothing and returns false. */
  paintTiles(plan: Plan, canvas: () => Canvas): boolean {
    const { tile } = this.#cells;
    if (tile === undefined) return false;
    const contents: LayerContent[] = [];
    for (const layer of plan.layers) {
      const [, , width, height] = layer.destination;
      const { window } = layer;
      // Of a window the rows that hold it are read, in memory for any such window.
      const scratch =
        window === undefined
          ? this.#scratchOf(contents.length, width, height)
          : { data: this.#scratchOf(contents.length, ...window.of).data };
      if (!tile(this.#pool.imageRow(layer.image), layer, plan.resample, scratch.data)) return false;
      const place = window === undefined ? {} : { stride: window.of[0] * 3, offset: window.at[0] * 3 };
      contents.push(this.#content({ kind: "tile", ...scratch, ...place }, layer));
    }
    const start = this.#timing.now();
    compose(plan, contents, canvas());
    this.#timing.since("compose", start);
    return true;
  }

  /**
   * Fetches what a plan needs; the function returned draws it, once, on the thread and at once, so that many samples
   * can share one canvas. Rejects with the decoder's error, the image named.
   */
  async prepare(plan: Plan): Promise<(canvas: Canvas) => void> {
    const cells = await Promise.all(
      plan.layers.map((layer) => this.#cells.pixels(this.#pool.imageRow(layer.image), layer, plan.resample)),
    );
    const contents = plan.layers.map((layer, at) => this.#content(cells[at]!, layer));
    return (canvas) => {
      const start = this.#timing.now();
      compose(plan, contents, canvas);
      this.#timing.since(cells.some(({ kind }) => kind === "image") ? "resize" : "compose", start);
      for (const cell of cells) if (cell.kind === "tile") cell.release?.();
    };
  }

  /** What is to be seen of one annotation in a plan: uint8 [S, S] of 0 and 1. */
  paintMask(plan: Plan, annotation: string): Uint8Array {
    const masks = plan.layers.map((layer) =>
      this.maskOf(
        layer.image,
        layer.masks.filter((key) => key === annotation),
      ),
    );
    return composeMask(plan, masks);
  }

  /** The union of annotations over an image; undefined for none. */
  maskOf(image: string, masks: readonly string[]): Rle | undefined {
    if (masks.length === 0) return undefined;
    const key = masks.length === 1 ? masks[0]! : masks.join("\n");
    const known = this.#masks.get(key);
    if (known !== undefined) return known;
    const mask = this.#pool.mask(
      this.#pool.imageRow(image),
      masks.map((annotation) => this.#pool.annotationRow(annotation)),
    );
    if (this.#masks.size >= mostMasks) this.#masks.clear();
    this.#masks.set(key, mask);
    return mask;
  }

  #content(pixels: LayerContent["pixels"], layer: Plan["layers"][number]): LayerContent {
    const mask = this.maskOf(layer.image, layer.masks);
    const clip = layer.clip === undefined ? undefined : this.maskOf(layer.image, layer.clip);
    return { pixels, ...(mask === undefined ? {} : { mask }), ...(clip === undefined ? {} : { clip }) };
  }

  #scratchOf(layer: number, width: number, height: number): TileScratch {
    const key = (layer * 65_536 + width) * 65_536 + height;
    let scratch = this.#scratch.get(key);
    if (scratch === undefined) {
      if (this.#scratch.size >= mostSizes) this.#scratch.clear();
      scratch = scratchOf(width, height);
      this.#scratch.set(key, scratch);
    }
    return scratch;
  }
}

/** Memory for one tile, and the views of its rows: making them anew would cost more than copying what they show. */
interface TileScratch {
  readonly data: Uint8Array;
  readonly rows: readonly Uint8Array[];
}

function scratchOf(width: number, height: number): TileScratch {
  const data = new Uint8Array(width * height * 3);
  const rows = Array.from({ length: height }, (_, y) => data.subarray(y * width * 3, (y + 1) * width * 3));
  return { data, rows };
}
