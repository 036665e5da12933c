import pMap, { pMapIterable } from "p-map";
import { hashJson, readTileVariables, type StageTimer } from "../io/index.ts";
import type { Rle } from "../kernels/index.ts";
import { fail, NemosaicError, type Plan, resampleVersions, unknownName } from "../model/index.ts";
import { type Canvas, resizerOf } from "../mosaic/index.ts";
import { type PlanFacts, planSample, planSingle } from "../plan/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import type { ResolvedSettings, Settings } from "../settings/index.ts";
import { type CellSource, type TileKeeping, type TileStore, tiledCells } from "../tiles/index.ts";
import type { Tokenizer } from "../tokens/index.ts";
import type { Batch, Replacement } from "./batch.ts";
import type { ImageVectors } from "./image-vectors.ts";
import { type LoaderOptions, type LoaderParts, openParts } from "./open-parts.ts";
import { Painter } from "./painter.ts";
import { rankIndices } from "./sampler.ts";
import { sizesThatRecur } from "./tile-demand.ts";

/** Which batches of an epoch: its number, their size and order, the rank they are for, where to begin. */
export interface EpochOptions {
  readonly epoch?: number;
  readonly batchSize?: number;
  readonly shuffle?: boolean;
  readonly rank?: number;
  readonly worldSize?: number;
  /** drop or pad what the world size leaves over; default pad, as PyTorch. */
  readonly tail?: "drop" | "pad";
  /** Leave out a last batch that is not full. */
  readonly dropLast?: boolean;
  /** Start at this batch: resume in the middle of an epoch. */
  readonly fromStep?: number;
  /** Batches made ahead. */
  readonly prefetch?: number;
}

/** Samples drawn at the same time within one batch: bounds the decoded images in memory. */
const samplesAtOnce = 8;
/** Samples drawn from tiles before others get their turn on the thread. */
const samplesPerTurn = 8;

/** Memory of a batch, for `Loader.get` to fill: at least as long as `Batch` says. Must be left alone until it settles. */
export interface BatchMemory {
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
}

/**
 * Where samples are drawn one by one, for those who pass each on at once: `canvas` is asked right before sample `at` is
 * drawn and `drawn` told right after, with nothing in between; in any order of samples. All may share one canvas.
 */
export interface SampleSink {
  canvas(at: number): Canvas;
  drawn(at: number): void;
}

/** What a batch holds beside pixels. */
export type BatchFacts = Omit<Batch, "image" | "mask">;

/**
 * A pool, settings and a split joined: plans and batches by random access. Everything is a pure function of
 * (pool, settings, seed, epoch, index). Close it when done; the pool stays open if the caller opened it.
 */
export class Loader {
  readonly pool: Pool;
  readonly settings: ResolvedSettings;
  readonly split: string;
  readonly seed: number;
  /** True where samples are mosaics by the settings; false = single images with truth. */
  readonly augmented: boolean;
  readonly facts: PlanFacts;
  readonly mined: Mined | undefined;
  readonly #cells: CellSource;
  readonly #tokenizer: Tokenizer | undefined;
  readonly #vectors: ImageVectors | undefined;
  readonly #store: TileStore | undefined;
  readonly #ownsPool: boolean;
  readonly #timing: StageTimer;
  readonly #painter: Painter;

  /** Opens a pool (a folder or an open `Pool`) for one split. Errors: "usage", "settings", "not-found", "incomplete". */
  static async open(pool: string | Pool, settings: Settings, options: LoaderOptions = {}): Promise<Loader> {
    return new Loader(await openParts(pool, settings, options));
  }

  private constructor({ store, ownsStore, tokenizer, vectors, ownsPool, timing, ...known }: LoaderParts) {
    this.pool = known.pool;
    this.settings = known.settings;
    this.split = known.split;
    this.seed = known.seed;
    this.augmented = known.augmented;
    this.facts = known.facts;
    this.mined = known.mined;
    this.#cells = tiledCells(known.pool, store, resizerOf, timing, sizesThatRecur(this));
    this.#store = ownsStore ? store : undefined;
    this.#tokenizer = tokenizer;
    this.#vectors = vectors;
    this.#ownsPool = ownsPool;
    this.#timing = timing;
    this.#painter = new Painter(known.pool, this.#cells, timing);
  }

  /** Samples in an epoch. */
  get length(): number {
    return this.facts.units.length;
  }

  /** The identity of this stream of samples: pool, settings and split. */
  get identity(): string {
    return hashJson({ pool: this.facts.pool, settings: this.facts.settings, split: this.split });
  }

  /** The plan of one sample. Errors: "usage" for an index outside the epoch; "incomplete" as `planSample`. */
  plan(epoch: number, index: number): Plan {
    if (!Number.isInteger(epoch) || epoch < 0 || epoch >= 2 ** 32) {
      fail("usage", `expected an epoch from 0 to 2^32 - 1, got ${epoch}`);
    }
    const make = this.augmented ? planSample : planSingle;
    return make(this.facts, this.settings, this.seed, epoch, index);
  }

  /**
   * Draws samples by index: the primitive that streams, resuming and sharding are made of. Into new memory, or `into`.
   * Errors: "usage" for memory that is too small; those of `plan`; where settings.onBadImage is "fail", the decoder's.
   */
  async get(epoch: number, indices: readonly number[], into?: BatchMemory): Promise<Batch> {
    const { size } = this.settings;
    const [imageBytes, maskBytes] = [size * size * 3, size * size];
    const memory = into ?? {
      image: new Uint8Array(indices.length * imageBytes),
      mask: new Uint8Array(indices.length * maskBytes),
    };
    const { image, mask } = memory;
    if (image.length < indices.length * imageBytes || mask.length < indices.length * maskBytes)
      fail(
        "usage",
        `expected memory of ${indices.length * imageBytes} and ${indices.length * maskBytes} bytes for a batch, got ${image.length} and ${mask.length}`,
      );
    const canvas = (at: number): Canvas => ({ image, imageOffset: at * imageBytes, mask, maskOffset: at * maskBytes });
    const facts = await this.drawEach(epoch, indices, { canvas, drawn: () => undefined });
    return {
      ...facts,
      image: image.subarray(0, indices.length * imageBytes),
      mask: mask.subarray(0, indices.length * maskBytes),
    };
  }

  /** As `get`, one sample after the other onto canvases of the caller. */
  async drawEach(epoch: number, indices: readonly number[], sink: SampleSink): Promise<BatchFacts> {
    const { size, tokens } = this.settings;
    const replaced: Replacement[] = [];
    const plans: Plan[] = [];
    const cold: number[] = [];
    for (let at = 0; at < indices.length; at++) {
      if (at > 0 && at % samplesPerTurn === 0) await turn();
      const plan = this.#timedPlan(epoch, indices[at]!);
      plans.push(plan);
      if (!this.#drawTiles(plan, at, sink)) cold.push(at);
    }
    await pMap(
      cold,
      async (at) => {
        const index = indices[at]!;
        // The first samples have tiles opened: those behind them find them open.
        if (this.#drawTiles(plans[at]!, at, sink)) return;
        const { plan, by, reason, paint } = await this.#readable(epoch, index, plans[at]!);
        paint(sink.canvas(at));
        sink.drawn(at);
        plans[at] = plan;
        if (reason !== undefined) replaced.push({ index, by, reason });
      },
      { concurrency: samplesAtOnce },
    );
    const texts = plans.map((plan) => plan.text);
    const tokenLength = this.#tokenizer === undefined ? 0 : tokens.length;
    const tokenizing = this.#timing.now();
    const ids = this.#tokenizer?.encodeBatch(texts, tokens.length).ids ?? new Int32Array(0);
    this.#timing.since("tokens", tokenizing);
    return {
      epoch,
      indices: [...indices],
      size,
      tokens: ids,
      tokenLength,
      texts,
      plans,
      ...(this.augmented ? {} : { truths: plans.map((plan) => this.truth(plan)) }),
      replaced: replaced.sort((a, b) => a.index - b.index),
    };
  }

  /** The pixels and mask of a plan of this pool, also one made elsewhere or years ago. */
  async draw(plan: Plan): Promise<{ image: Uint8Array; mask: Uint8Array }> {
    if (plan.pool !== this.facts.pool) {
      fail(
        "bad-input",
        `plan ${plan.index} was made for pool ${plan.pool.slice(0, 12)}, this one is ${this.facts.pool.slice(0, 12)}`,
      );
    }
    const image = new Uint8Array(plan.size * plan.size * 3);
    const mask = new Uint8Array(plan.size * plan.size);
    const canvas = { image, imageOffset: 0, mask, maskOffset: 0 };
    if (!this.#painter.paintTiles(plan, () => canvas)) (await this.#painter.prepare(plan))(canvas);
    return { image, mask };
  }

  /**
   * What is to be seen of each target in a plan of this pool, in the plan's order: uint8 [S, S] of 0 and 1. Their union
   * is the mask that `draw` gives, but for pixels between targets where a canvas is scaled.
   */
  targetMasks(plan: Plan): { readonly annotation: string; readonly mask: Uint8Array }[] {
    const annotations = [...new Set(plan.layers.flatMap(({ masks }) => masks))];
    return annotations.map((annotation) => ({ annotation, mask: this.#painter.paintMask(plan, annotation) }));
  }

  /**
   * Makes the tile of an image at a size unless it is there; false where it cannot be kept, or where `tiles` is not
   * "build". Errors: the decoder's.
   */
  async keepTile(row: number, width: number, height: number): Promise<boolean> {
    const { images } = this.pool;
    const source = [0, 0, images.width[row] ?? 0, images.height[row] ?? 0] as const;
    const { resample: name } = this.settings;
    const layer = { source, destination: [0, 0, width, height] as const };
    return (await this.#cells.keep?.(row, layer, { name, version: resampleVersions[name] })) ?? false;
  }

  /** Batches of one epoch in its order, made ahead up to `prefetch`; stop early by leaving the loop. */
  async *batches(options: EpochOptions = {}): AsyncGenerator<Batch> {
    const {
      epoch = 0,
      batchSize = 16,
      rank = 0,
      worldSize = 1,
      tail = "pad",
      dropLast = false,
      fromStep = 0,
      prefetch = 2,
    } = options;
    wholeNumber("a batch size", batchSize, 1);
    wholeNumber("a step to start from", fromStep, 0);
    wholeNumber("a number of batches to prefetch", prefetch, 0);
    if (tail !== "pad" && tail !== "drop") throw unknownName("tail", tail, ["pad", "drop"]);
    const shuffle = options.shuffle ?? this.augmented;
    const indices = rankIndices({ length: this.length, seed: this.seed, epoch, shuffle, rank, worldSize, tail });
    const steps: number[][] = [];
    for (let start = fromStep * batchSize; start < indices.length; start += batchSize) {
      const step = Array.from(indices.subarray(start, start + batchSize));
      if (step.length === batchSize || !dropLast) steps.push(step);
    }
    yield* pMapIterable(steps, (step) => this.get(epoch, step), {
      concurrency: Math.max(1, prefetch),
      backpressure: Math.max(1, prefetch),
    });
  }

  /** Closes the files behind the loader, and the pool if the loader opened it; nothing can be drawn afterwards. */
  async close(): Promise<void> {
    await this.#cells.close();
    await this.#store?.close();
    await this.mined?.close();
    await this.#vectors?.close();
    if (this.#ownsPool) await this.pool.close();
  }

  /** The truth of a plan's target at its image's original size; empty for no-target, of the expression's own image. */
  truth(plan: Plan): Rle {
    const target = plan.layers.find((layer) => layer.role === "target");
    if (target !== undefined && target.masks.length > 0) {
      const mask = this.#painter.maskOf(target.image, target.masks);
      if (mask !== undefined) return mask;
    }
    const ref = this.pool.expressions.ref[this.pool.expressionRow(plan.expression)]!;
    return this.pool.mask(this.pool.refs.image[ref]!, []);
  }

  #drawTiles(plan: Plan, at: number, sink: SampleSink): boolean {
    const isDrawn = this.#painter.paintTiles(plan, () => sink.canvas(at));
    if (isDrawn) sink.drawn(at);
    return isDrawn;
  }

  #timedPlan(epoch: number, index: number): Plan {
    const start = this.#timing.now();
    const plan = this.plan(epoch, index);
    this.#timing.since("plan", start);
    return plan;
  }

  /** What draws the sample, or the next one that can be read where settings.onBadImage is "skip". */
  async #readable(
    epoch: number,
    index: number,
    first: Plan,
  ): Promise<{ plan: Plan; by: number; reason?: string; paint: (canvas: Canvas) => void }> {
    let reason: string | undefined;
    for (let attempt = 0; attempt < this.length; attempt++) {
      const by = (index + attempt) % this.length;
      const plan = attempt === 0 ? first : this.#timedPlan(epoch, by);
      try {
        const paint = await this.#painter.prepare(plan);
        return { plan, by, paint, ...(reason === undefined ? {} : { reason }) };
      } catch (error) {
        const unreadable = error instanceof NemosaicError && ["bad-input", "not-found", "refused"].includes(error.code);
        if (!unreadable || this.settings.onBadImage === "fail") throw error;
        reason ??= error.message;
      }
    }
    return fail("bad-input", `no sample of split "${this.split}" can be drawn; the first problem: ${reason}`);
  }
}

/** Lets what else waits for the thread (other clients, sockets) go first. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function wholeNumber(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    fail("usage", `expected ${what} of ${least} or more, got ${value}`);
}

function keepingByDefault(): TileKeeping {
  const { mode = "build", ...rest } = readTileVariables();
  return { mode, ...rest };
}

/**
 * The library's front door: batches of one epoch of a pool.
 *
 *     for await (const batch of loadMosaics("pool", settings, { batchSize: 64 })) …
 *
 * What is decoded is kept for the next epoch (`tiles` "build") unless the options or NEMOSAIC_TILES say otherwise.
 */
export async function* loadMosaics(
  pool: string | Pool,
  settings: Settings,
  options: LoaderOptions & EpochOptions = {},
): AsyncGenerator<Batch> {
  const loader = await Loader.open(pool, settings, { ...options, tiles: options.tiles ?? keepingByDefault() });
  try {
    yield* loader.batches(options);
  } finally {
    await loader.close();
  }
}
