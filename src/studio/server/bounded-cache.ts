/** Keeps what was made last, up to a number of bytes; makes each thing once even when it is asked for twice at a time. */
export class BoundedCache {
  readonly #limit: number;
  readonly #made = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #making = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  #size = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** What `key` stands for, made by `make` where it is not kept. A failure is not kept. */
  get(key: string, make: () => Promise<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
    const made = this.#made.get(key);
    if (made !== undefined) {
      this.#made.delete(key); // to the end: the first is the one not used for longest
      this.#made.set(key, made);
      return Promise.resolve(made);
    }
    const making = this.#making.get(key) ?? this.#make(key, make);
    this.#making.set(key, making);
    return making;
  }

  /** Bytes kept. */
  get size(): number {
    return this.#size;
  }

  async #make(key: string, make: () => Promise<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const bytes = await make();
      if (bytes.length > this.#limit) return bytes;
      this.#made.set(key, bytes);
      this.#size += bytes.length;
      for (const [oldest, old] of this.#made) {
        if (this.#size <= this.#limit) break;
        this.#made.delete(oldest);
        this.#size -= old.length;
      }
      return bytes;
    } finally {
      this.#making.delete(key);
    }
  }
}
