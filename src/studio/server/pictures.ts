import { decodeImageAtLeast, encodeWebp } from "../../codecs/index.ts";
import { resizeTriangle } from "../../kernels/index.ts";
import type { Pool } from "../../pool/index.ts";
import { fillCell } from "../../sheets/index.ts";
import { BoundedCache } from "./bounded-cache.ts";

/** Images of more pixels are not decoded for the page. */
const maxPixels = 64e6;
const thumbnail = { width: 240, height: 180 } as const;
const longestSide = 1280;
const decodedAtOnce = 4;

/** Pictures of a pool's images by row, as WebP: thumbnails that fill 240 × 180, and views of at most 1280 pixels a side. */
export class Pictures {
  readonly #pool: Pool;
  readonly #thumbnails = new BoundedCache(96 * 2 ** 20);
  readonly #views = new BoundedCache(64 * 2 ** 20);
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Errors as `decodeImage`: "not-found", "bad-input", "refused". */
  thumbnail(row: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#thumbnails.get(String(row), () =>
      this.#inTurn(async () => {
        const { width, height } = thumbnail;
        const picture = fillCell(await this.#decode(row, width, height), width, height);
        return copied(await encodeWebp({ ...picture, channels: 3 }, { quality: 76 }));
      }),
    );
  }

  /** The whole image, aspect kept. Errors as `thumbnail`. */
  view(row: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#views.get(String(row), () =>
      this.#inTurn(async () => {
        const [fullWidth, fullHeight] = [this.#pool.images.width[row] ?? 1, this.#pool.images.height[row] ?? 1];
        const scale = Math.min(1, longestSide / Math.max(fullWidth, fullHeight));
        const [width, height] = [fullWidth, fullHeight].map((side) => Math.max(1, Math.round(side * scale))) as [
          number,
          number,
        ];
        const image = await this.#decode(row, width, height);
        const data =
          image.width === width && image.height === height ? image.data : resizeTriangle(image, { width, height });
        return copied(await encodeWebp({ width, height, channels: 3, data }, { quality: 86 }));
      }),
    );
  }

  async #decode(row: number, width: number, height: number) {
    const bytes = await this.#pool.imageBytes(row);
    return decodeImageAtLeast(bytes, width, height, { maxPixels, where: this.#pool.imageName(row) });
  }

  /** A page full of thumbnails asks for hundreds at once: decoding a few at a time keeps memory bounded. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= decodedAtOnce) await new Promise<void>((start) => this.#waiting.push(start));
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

function copied(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
