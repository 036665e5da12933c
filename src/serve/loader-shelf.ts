import { canonicalJson, type StageTimer } from "../io/index.ts";
import { Loader } from "../loader/index.ts";
import { fail, NemosaicError, quoteValue } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings, type Settings, withSets } from "../settings/index.ts";
import type { TileStore } from "../tiles/index.ts";
import { BackgroundTiles } from "./background-tiles.ts";
import type { Hello } from "./messages.ts";

/** A loader in use; give it back exactly once. */
export interface LoaderLease {
  readonly loader: Loader;
  /** Runs a request of the loader's client: what is done for the loader in idle moments waits meanwhile. */
  around<T>(request: () => Promise<T>): Promise<T>;
  release(): Promise<void>;
}

export interface ShelfOptions {
  /** Shared by the loaders; the caller closes it. With "build", tiles of augmented splits are made in idle moments. */
  readonly tiles?: TileStore;
  readonly timing?: StageTimer;
}

/**
 * The loaders of one pool, one for each distinct (split, seed, settings) that a client asks for, shared by the clients
 * that ask for the same, and closed with the last of them.
 */
export class LoaderShelf {
  readonly #pool: Pool;
  readonly #defaults: Settings;
  readonly #options: ShelfOptions;
  readonly #open = new Map<string, { loader: Promise<Loader>; users: number; background?: BackgroundTiles }>();

  constructor(pool: Pool, defaults: Settings, options: ShelfOptions = {}) {
    this.#pool = pool;
    this.#defaults = defaults;
    this.#options = options;
  }

  /** Errors: those of `parseSettings` and `Loader.open`. */
  async lease(hello: Pick<Hello, "split" | "seed" | "settings" | "set">): Promise<LoaderLease> {
    const { split, seed } = hello;
    if (!Number.isSafeInteger(seed)) fail("usage", `expected a seed from 0 to 2^53 - 1, got ${quoteValue(seed)}`);
    const settings = parseSettings(withSets(hello.settings ?? this.#defaults, hello.set), "the client's settings");
    const key = canonicalJson({ split, seed, settings });
    let entry = this.#open.get(key);
    if (entry === undefined) {
      entry = { loader: Loader.open(this.#pool, settings, { ...this.#options, split, seed }), users: 0 };
      this.#open.set(key, entry);
    }
    const held = entry;
    held.users++;
    const drop = async (): Promise<void> => {
      held.users--;
      if (held.users > 0) return;
      if (this.#open.get(key) === held) this.#open.delete(key);
      await held.background?.stop();
      await (await held.loader).close();
    };
    try {
      const loader = await held.loader;
      if (this.#options.tiles?.mode === "build" && loader.augmented) held.background ??= new BackgroundTiles(loader);
      const around = <T>(request: () => Promise<T>): Promise<T> => held.background?.around(request) ?? request();
      return { loader, around, release: once(drop) };
    } catch (error) {
      held.users--;
      if (this.#open.get(key) === held) this.#open.delete(key);
      throw error instanceof NemosaicError
        ? error
        : new NemosaicError("internal", `the pool cannot be read: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Loaders open now; for tests and the log. */
  get size(): number {
    return this.#open.size;
  }
}

function once(act: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= act();
    return done;
  };
}
