import pMap, { pMapIterable } from "p-map";
import { hashJson, noTiming, type StageTimer } from "../io/index.ts";
import type { Rle } from "../kernels/index.ts";
import { fail, NemosaicError, type Plan, unknownName } from "../model/index.ts";
import { compose, type LayerContent, resizerOf } from "../mosaic/index.ts";
import { type PlanFacts, planSample, planSingle } from "../plan/index.ts";
import { Mined, Pool, readJudgements } from "../pool/index.ts";
import { type ResolvedSettings, resolveSettings, type Settings, usesMined } from "../settings/index.ts";
import { type CellSource, type TileMode, tiledCells } from "../tiles/index.ts";
import { openTokenizer, type Tokenizer } from "../tokens/index.ts";
import type { Batch, Replacement } from "./batch.ts";
import { planFacts, scoreSummary } from "./facts.ts";
import { type ImageVectors, openImageVectors } from "./image-vectors.ts";
import { rankIndices } from "./sampler.ts";

export interface LoaderOptions {
  /** Default "train". Only this split is augmented; the others give single images, every sentence and the truth. */
  readonly split?: string;
  readonly seed?: number;
  /**
   * use (default) = copy cells from the pool's tiles where there are any, decode the rest; build = also keep what had to
   * be decoded; off = always decode. The pixels are the same.
   */
  readonly tiles?: TileMode;
  /** Gets the stages "plan", "tiles", "decode", "resize", "compose", "tokens". */
  readonly timing?: StageTimer;
}

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
const truthCacheSize = 20_000;

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
  readonly #ownsPool: boolean;
  readonly #timing: StageTimer;
  readonly #truths = new Map<string, Rle | undefined>();
  /** Where the tiles of one sample are read to; drawing from tiles never leaves the thread. */
  readonly #scratch: Uint8Array[] = [];

  /** Opens a pool (a folder or an open `Pool`) for one split. Errors: "usage", "settings", "not-found", "incomplete". */
  static async open(pool: string | Pool, settings: Settings, options: LoaderOptions = {}): Promise<Loader> {
    const opened = typeof pool === "string" ? await Pool.open(pool) : pool;
    let mined: Mined | undefined;
    try {
      const { split = "train", seed = 0 } = options;
      if (!Number.isSafeInteger(seed) || seed < 0) fail("usage", `expected a seed from 0 to 2^53 - 1, got ${seed}`);
      mined = await Mined.open(opened.folder, settings.mined, opened.manifest.hash);
      const augmented = split === "train";
      const drawsMined = augmented && usesMined(settings);
      if (drawsMined && mined === undefined) {
        fail(
          "incomplete",
          `"${opened.folder}" has no mined/${settings.mined}; run "nemosaic embed" and "nemosaic mine" first, or use --preset random or none`,
        );
      }
      const resolved = resolveSettings(settings, scoreSummary(mined), augmented);
      const unit = augmented ? settings.unit : "expression";
      const judgements = await readJudgements(opened.folder);
      if (drawsMined && settings.band.tauText !== null && mined?.hasTextScores !== true) {
        fail(
          "incomplete",
          `band.tauText needs text-to-text scores, and mined/${settings.mined} has none; run "nemosaic mine --t2t"`,
        );
      }
      const vectors =
        drawsMined && mined !== undefined && settings.draw.method === "mmr"
          ? await openImageVectors(opened, mined)
          : undefined;
      const facts = planFacts(opened, {
        split,
        unit,
        settings: resolved,
        mined,
        judgements,
        ...(vectors === undefined ? {} : { vectors }),
      });
      const tokenizer = settings.tokens.kind === "none" ? undefined : openTokenizer(settings.tokens.kind);
      return new Loader(
        opened,
        typeof pool === "string",
        resolved,
        split,
        seed,
        augmented,
        facts,
        mined,
        tiledCells(opened, options.tiles ?? "use", resizerOf, options.timing),
        tokenizer,
        vectors,
        options.timing ?? noTiming,
      );
    } catch (error) {
      await mined?.close();
      if (typeof pool === "string") await opened.close();
      throw error;
    }
  }

  private constructor(
    pool: Pool,
    ownsPool: boolean,
    settings: ResolvedSettings,
    split: string,
    seed: number,
    augmented: boolean,
    facts: PlanFacts,
    mined: Mined | undefined,
    cells: CellSource,
    tokenizer: Tokenizer | undefined,
    vectors: ImageVectors | undefined,
    timing: StageTimer,
  ) {
    this.pool = pool;
    this.#ownsPool = ownsPool;
    this.settings = settings;
    this.split = split;
    this.seed = seed;
    this.augmented = augmented;
    this.facts = facts;
    this.mined = mined;
    this.#cells = cells;
    this.#tokenizer = tokenizer;
    this.#vectors = vectors;
    this.#timing = timing;
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

  /** Draws samples by index: the primitive that streams, resuming and sharding are made of. */
  async get(epoch: number, indices: readonly number[]): Promise<Batch> {
    const { size, tokens } = this.settings;
    const image = new Uint8Array(indices.length * size * size * 3);
    const mask = new Uint8Array(indices.length * size * size);
    const replaced: Replacement[] = [];
    const plans = await pMap(
      indices,
      async (index, at) => {
        const canvas = { image, imageOffset: at * size * size * 3, mask, maskOffset: at * size * size };
        const { plan, by, reason } = await this.#drawReadable(epoch, index, canvas);
        if (reason !== undefined) replaced.push({ index, by, reason });
        return plan;
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
      image,
      mask,
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
    await this.#drawPlan(plan, { image, imageOffset: 0, mask, maskOffset: 0 });
    return { image, mask };
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

  async close(): Promise<void> {
    await this.#cells.close();
    await this.mined?.close();
    await this.#vectors?.close();
    if (this.#ownsPool) await this.pool.close();
  }

  /** The truth of a plan's target at its image's original size; empty for no-target, of the expression's own image. */
  truth(plan: Plan): Rle {
    const target = plan.layers.find((layer) => layer.role === "target");
    if (target !== undefined && target.masks.length > 0) {
      const mask = this.#maskOf(target.image, target.masks);
      if (mask !== undefined) return mask;
    }
    const ref = this.pool.expressions.ref[this.pool.expressionRow(plan.expression)] as number;
    return this.pool.mask(this.pool.refs.image[ref] as number, []);
  }

  async #drawReadable(
    epoch: number,
    index: number,
    canvas: Parameters<typeof compose>[2],
  ): Promise<{ plan: Plan; by: number; reason?: string }> {
    let reason: string | undefined;
    for (let attempt = 0; attempt < this.length; attempt++) {
      const by = (index + attempt) % this.length;
      const start = this.#timing.now();
      const plan = this.plan(epoch, attempt === 0 ? index : by);
      this.#timing.since("plan", start);
      try {
        await this.#drawPlan(plan, canvas);
        return { plan, by, ...(reason === undefined ? {} : { reason }) };
      } catch (error) {
        const unreadable = error instanceof NemosaicError && ["bad-input", "not-found", "refused"].includes(error.code);
        if (!unreadable || this.settings.onBadImage === "fail") throw error;
        reason ??= error.message;
      }
    }
    return fail("bad-input", `no sample of split "${this.split}" can be drawn; the first problem: ${reason}`);
  }

  async #drawPlan(plan: Plan, canvas: Parameters<typeof compose>[2]): Promise<void> {
    if (this.#drawTiles(plan, canvas)) return;
    const contents = await Promise.all(
      plan.layers.map(async (layer): Promise<LayerContent> => {
        const pixels = await this.#cells.pixels(this.pool.imageRow(layer.image), layer, plan.resample);
        const mask = this.#maskOf(layer.image, layer.masks);
        return mask === undefined ? { pixels } : { pixels, mask };
      }),
    );
    const start = this.#timing.now();
    compose(plan, contents, canvas);
    this.#timing.since(contents.some(({ pixels }) => pixels.kind === "image") ? "resize" : "compose", start);
  }

  /** Draws a plan without leaving the thread where every layer has a tile; else does nothing and returns false. */
  #drawTiles(plan: Plan, canvas: Parameters<typeof compose>[2]): boolean {
    const cells = this.#cells;
    if (cells.tile === undefined) return false;
    const contents: LayerContent[] = [];
    for (const layer of plan.layers) {
      const data = this.#scratchOf(contents.length, layer.destination[2] * layer.destination[3] * 3);
      if (!cells.tile(this.pool.imageRow(layer.image), layer, plan.resample, data)) return false;
      const pixels = { kind: "tile", data } as const;
      const mask = this.#maskOf(layer.image, layer.masks);
      contents.push(mask === undefined ? { pixels } : { pixels, mask });
    }
    const start = this.#timing.now();
    compose(plan, contents, canvas);
    this.#timing.since("compose", start);
    return true;
  }

  #scratchOf(at: number, length: number): Uint8Array {
    let buffer = this.#scratch[at];
    if (buffer === undefined || buffer.length < length) {
      buffer = new Uint8Array(length);
      this.#scratch[at] = buffer;
    }
    return buffer.subarray(0, length);
  }

  #maskOf(image: string, masks: readonly string[]): Rle | undefined {
    if (masks.length === 0) return undefined;
    const key = masks.join("\n");
    if (this.#truths.has(key)) return this.#truths.get(key);
    const mask = this.pool.mask(
      this.pool.imageRow(image),
      masks.map((annotation) => this.pool.annotationRow(annotation)),
    );
    if (this.#truths.size >= truthCacheSize) this.#truths.clear();
    this.#truths.set(key, mask);
    return mask;
  }
}

function wholeNumber(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    fail("usage", `expected ${what} of ${least} or more, got ${value}`);
}

/**
 * The library's front door: batches of one epoch of a pool.
 *
 *     for await (const batch of loadMosaics("pool", settings, { batchSize: 64 })) …
 */
export async function* loadMosaics(
  pool: string | Pool,
  settings: Settings,
  options: LoaderOptions & EpochOptions = {},
): AsyncGenerator<Batch> {
  const loader = await Loader.open(pool, settings, options);
  try {
    yield* loader.batches(options);
  } finally {
    await loader.close();
  }
}
