import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { IdleCores } from "../io/index.ts";
import { countDemand, type Loader } from "../loader/index.ts";
import { NemosaicError } from "../model/index.ts";
import { tileBytes } from "../tiles/index.ts";

/** Enough to know the sizes, and the images that are drawn most. */
const plansSeen = 4096;

export interface BackgroundOptions {
  /** Milliseconds between two looks at the cores; nothing is made before the first. */
  readonly lookMs?: number;
  /** Cores that stand still now. */
  readonly idleCores?: () => number;
  /** Told when all is made, or no more is kept. */
  readonly done?: (made: number) => void;
}

/**
 * Makes the tiles that a loader's first epochs will want, those with the most uses a byte first, while nothing is asked of
 * the loader and cores stand still: at most one image at a time for each of these. As soon as the loader is asked for
 * something, no other image is begun. Pixels are those of drawing; only who decodes them first differs.
 */
export class BackgroundTiles {
  readonly #loader: Loader;
  readonly #lookMs: number;
  readonly #idleCores: () => number;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #requests = 0;

  constructor(loader: Loader, { lookMs = 200, idleCores, done }: BackgroundOptions = {}) {
    const cores = new IdleCores();
    this.#loader = loader;
    this.#lookMs = lookMs;
    this.#idleCores = idleCores ?? (() => cores.measure());
    this.#running = this.#run().then(
      (made) => done?.(made),
      () => undefined, // stopped, or what drawing will tell of itself
    );
  }

  /** Runs `request`, and makes nothing meanwhile. */
  async around<T>(request: () => Promise<T>): Promise<T> {
    this.#requests++;
    try {
      return await request();
    } finally {
      this.#requests--;
    }
  }

  /** Settles when no image is being decoded for it any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<number> {
    const wanted = await this.#wanted();
    let [next, made] = [0, 0];
    let isFull = false;
    while (next < wanted.length && !isFull) {
      const lanes = Math.min(await this.#lanes(), wanted.length - next);
      const until = performance.now() + this.#lookMs;
      const lane = async (): Promise<void> => {
        while (next < wanted.length && !isFull && this.#mayWork && performance.now() < until) {
          const { row, width, height } = wanted[next++]!;
          if (await this.#keep(row, width, height)) made++;
          else isFull = true;
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      this.#stop.signal.throwIfAborted();
    }
    return made;
  }

  /** False where no more is kept; an image that cannot be decoded is left to drawing, which says so. */
  async #keep(row: number, width: number, height: number): Promise<boolean> {
    try {
      return await this.#loader.keepTile(row, width, height);
    } catch (error) {
      if (error instanceof NemosaicError) return true;
      throw error;
    }
  }

  get #mayWork(): boolean {
    return this.#requests === 0 && !this.#stop.signal.aborted;
  }

  /** Waits until cores stand still and nothing is asked for: how many images may be decoded at a time. */
  async #lanes(): Promise<number> {
    for (;;) {
      await sleep(this.#lookMs, undefined, { signal: this.#stop.signal, ref: false });
      if (!this.#mayWork) continue;
      const lanes = Math.min(availableParallelism(), Math.round(this.#idleCores()));
      if (lanes > 0) return lanes;
    }
  }

  /** The tiles of the plans of the first epochs, those with the most uses a byte first; plans are made in idle moments too. */
  async #wanted(): Promise<{ row: number; width: number; height: number }[]> {
    const counting = countDemand(this.#loader, plansSeen);
    for (;;) {
      await this.#lanes();
      const until = performance.now() + this.#lookMs / 4; // the thread is the loader's: short turns
      while (this.#mayWork && performance.now() < until) {
        const { done, value } = counting.next();
        if (done !== true) continue;
        const { demands } = value;
        return demands
          .flatMap((demand) => {
            const { width, height, rows, uses } = demand;
            return Array.from(rows, (row, at) => ({ row, width, height, worth: uses[at]! / tileBytes(demand) }));
          })
          .sort((a, b) => b.worth - a.worth);
      }
    }
  }
}
