import { noTiming, type StageTimer } from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import { DenseMemory, i2iColumn, type Side, t2iColumn } from "./dense-memory.ts";
import { ExactScores } from "./exact-scores.ts";
import { openFloatScreen } from "./float-screen.ts";
import { openIntegerScreen } from "./integer-screen.ts";
import { farListAt } from "./parted-lists.ts";
import { ScoreOrder } from "./score-order.ts";
import type { MinedColumns, Rank, StepMiner } from "./scorer.ts";
import type { Screen, ScreenShape } from "./screen.ts";
import { listHeaderBytes } from "./selection-kernel.ts";
import { type Sifting, siftScores } from "./sift.ts";
import { siftBytes } from "./sift-bytes.ts";
import { readVectors, type VectorFile } from "./vector-file.ts";

export interface DenseMinerOptions {
  readonly rank: Rank;
  /** Candidates to keep, at most as many as there are. */
  readonly depth: number;
  /** The most expressions of a step. */
  readonly rows: number;
  readonly shape: ScreenShape;
  /** Whether to screen in 8-bit integers where the machine can. Never changes a byte. */
  readonly integers: boolean;
  /** Gets the stages "reading", "product", "selection" and "scoring". */
  readonly timing?: StageTimer;
}

/**
 * Mines by embeddings in one thread: screens every candidate with approximate scores of a proven bound, then scores those
 * that may be among the `depth` best exactly, in float32 and a fixed order. The result has the bits of a full search, and the
 * same on every machine, whatever screened. Memory is taken once and does not depend on how many steps follow.
 */
export class DenseMiner implements StepMiner {
  readonly #images: VectorFile;
  readonly #expressions: VectorFile;
  readonly #blocks: CandidateBlocks;
  readonly #options: DenseMinerOptions;
  readonly #timing: StageTimer;
  readonly #memory: DenseMemory;
  readonly #exact: ExactScores;
  readonly #order: ScoreOrder;
  /** Whether lists are scored in two parts, which takes two sweeps over the candidates and two free columns. */
  readonly #parts: boolean;
  /** By how much, at most, the exact score of an entry of each list exceeds its approximate one. */
  readonly #room: Float64Array;
  /** How many units of the lists' approximate scores a score of 1 is. */
  readonly #unit: Float32Array;
  #screen: Screen | undefined;
  #inIntegers = false;
  #hard = 0;
  #seen = 0;

  constructor(images: VectorFile, expressions: VectorFile, blocks: CandidateBlocks, options: DenseMinerOptions) {
    const { depth, rows, shape } = options;
    this.#images = images;
    this.#expressions = expressions;
    this.#blocks = blocks;
    this.#options = options;
    this.#timing = options.timing ?? noTiming;
    this.#memory = new DenseMemory(rows, depth, shape);
    this.#exact = new ExactScores(this.#memory, blocks, shape, this.#timing);
    this.#order = new ScoreOrder(this.#memory.capacity);
    this.#parts = options.rank !== "mean" && blocks.stay;
    this.#room = new Float64Array(rows);
    this.#unit = new Float32Array(rows);
  }

  async mine(expressions: Int32Array, images: Int32Array, imageOf: Int32Array): Promise<MinedColumns> {
    const count = expressions.length;
    const { rows, rank, depth } = this.#options;
    if (count > rows) fail("internal", `asked to mine ${count} expressions, ${rows} is the most`);
    const reading = this.#timing.now();
    await this.#place(this.#expressions, expressions, this.#memory.places.texts);
    await this.#place(this.#images, images, this.#memory.places.images);
    this.#timing.since("reading", reading);
    // Expressions of one image share what its vector finds.
    const units = rank === "i2i" ? images.length : count;
    const own = Int32Array.from({ length: Math.max(count, units) }, (_, at) => at);
    await this.#sift(units, imageOf);
    await this.#searchHard(units, imageOf);
    const memory = this.#memory;
    if (rank !== "mean") {
      await this.#scoreRanked(units, rank === "t2i" ? "texts" : "images", own);
      // A few entries too many are cheaper than cutting them off.
      for (let at = 0, most = depth + (depth >> 4); at < units; at++) {
        const list = memory.list(at);
        if ((memory.ints[list / 4] as number) > most) memory.kernel.cut(list, memory.capacity, depth);
      }
      if (rank === "i2i") for (let at = count - 1; at >= 0; at--) memory.copyList(imageOf[at] as number, at);
    }
    if (rank !== "t2i") await this.#exact.score(count, "texts", own, t2iColumn);
    if (rank !== "i2i") await this.#exact.score(count, "images", imageOf, i2iColumn);
    const start = this.#timing.now();
    for (let at = 0; at < count; at++) {
      if (rank === "mean") memory.average(memory.list(at));
      this.#finish(at);
    }
    const { ints, floats, places } = memory;
    const [ids, t2i, i2i] = [places.ids / 4, places.t2i / 4, places.i2i / 4];
    const size = count * depth;
    const columns = {
      ids: ints.slice(ids, ids + size),
      t2i: floats.slice(t2i, t2i + size),
      i2i: floats.slice(i2i, i2i + size),
    };
    this.#timing.since("selection", start);
    return columns;
  }

  /** Frees what it took; the files stay the caller's. */
  async close(): Promise<void> {
    await this.#screen?.close();
    await this.#blocks.close();
  }

  /** Reads vectors to `place`, padded. */
  async #place(file: VectorFile, rows: Int32Array, place: number): Promise<void> {
    const { dimension } = this.#options.shape;
    const { floats, stride } = this.#memory;
    if (stride === dimension * 4) {
      await readVectors(file, rows, floats.subarray(place / 4, place / 4 + rows.length * dimension));
      return;
    }
    const data = new Float32Array(rows.length * dimension);
    await readVectors(file, rows, data);
    this.#memory.put(data, dimension, place);
  }

  /** Leaves in list u what may be among the best of unit u. */
  async #sift(units: number, imageOf: Int32Array): Promise<void> {
    const screen = await this.#openScreen(units, imageOf);
    const { depth, shape } = this.#options;
    const sifting: Sifting = {
      memory: this.#memory,
      shape,
      candidateCount: this.#blocks.candidateCount,
      blockCount: this.#blocks.count,
      depth,
      parts: this.#parts,
      vectorsOf: (first, count) => this.#unitVectors(first, count, imageOf),
      timing: this.#timing,
      room: this.#room,
      unit: this.#unit,
    };
    if (screen.manner === "bytes") await siftBytes(screen, units, sifting);
    else await siftScores(screen, units, sifting);
  }

  /** The vectors that screening ranks by, end to end: of expressions, of images, or half their sum. Valid until the next step. */
  #unitVectors(first: number, count: number, imageOf: Int32Array): Float32Array {
    const { rank, shape } = this.#options;
    const { dimension } = shape;
    const { floats, places, stride } = this.#memory;
    const width = stride / 4;
    if (rank !== "mean" && width === dimension) {
      const start = (rank === "t2i" ? places.texts : places.images) / 4 + first * width;
      return floats.subarray(start, start + count * width);
    }
    const vectors = new Float32Array(count * dimension);
    for (let row = 0; row < count; row++) {
      const text = this.#memory.places.texts / 4 + (first + row) * width;
      const image =
        this.#memory.places.images / 4 + (rank === "i2i" ? first + row : (imageOf[first + row] as number)) * width;
      if (rank !== "mean") {
        const from = rank === "t2i" ? text : image;
        vectors.set(floats.subarray(from, from + dimension), row * dimension);
        continue;
      }
      for (let k = 0; k < dimension; k++) {
        vectors[row * dimension + k] = ((floats[text + k] as number) + (floats[image + k] as number)) / 2;
      }
    }
    return vectors;
  }

  async #openScreen(units: number, imageOf: Int32Array): Promise<Screen> {
    const { integers, shape } = this.#options;
    // Vectors of which 8 bits tell too little, or candidates that are all alike.
    const useless = this.#inIntegers && this.#hard > this.#seen / 20;
    if (useless) {
      await this.#screen?.close();
      this.#screen = undefined;
      this.#inIntegers = false;
    }
    this.#hard = 0;
    this.#seen = units;
    if (this.#screen === undefined && integers && !useless) {
      const sample = this.#unitVectors(0, Math.min(units, sampleRows), imageOf);
      this.#screen = await openIntegerScreen(this.#blocks, shape, sample);
      this.#inIntegers = this.#screen !== undefined;
    }
    this.#screen ??= await openFloatScreen(this.#blocks, shape);
    return this.#screen;
  }

  /** Lists that had no room for all that came near, as with many equal candidates, are made by exact scores of all. */
  async #searchHard(units: number, imageOf: Int32Array): Promise<void> {
    const { depth, rank } = this.#options;
    const { ints } = this.#memory;
    const hard: number[] = [];
    for (let at = 0; at < units; at++) if (ints[this.#memory.list(at) / 4 + 2] === 1) hard.push(at);
    this.#hard += hard.length;
    if (hard.length === 0) return;
    await this.#exact.search(hard, rank, depth, imageOf);
    // Nothing is far in these; while they were filled, ids were where their far lists begin.
    if (this.#parts) for (const at of hard) ints[farListAt(this.#memory.list(at), this.#memory.capacity) / 4] = 0;
  }

  /** Scores what lists rank by exactly: all of it, or of the far entries only those that may reach the near ones' `depth`-th. */
  async #scoreRanked(units: number, side: Side, own: Int32Array): Promise<void> {
    await this.#exact.score(units, side, own, 0);
    if (!this.#parts) return;
    const { depth } = this.#options;
    const memory = this.#memory;
    const { kernel, capacity } = memory;
    const start = this.#timing.now();
    for (let at = 0; at < units; at++) {
      kernel.narrow(memory.list(at), capacity, depth, this.#room[at] as number, this.#unit[at] as number);
    }
    this.#timing.since("selection", start);
    await this.#exact.score(units, side, own, 0, farListAt(0, capacity));
    const scored = this.#timing.now();
    for (let at = 0; at < units; at++) kernel.join(memory.list(at), capacity);
    this.#timing.since("selection", scored);
  }

  /** The `depth` best of list `at`, best first, ties by the smaller id, to their places. */
  #finish(at: number): void {
    const { depth, rank } = this.#options;
    const { kernel, floats, ints, bits, capacity, places } = this.#memory;
    const list = this.#memory.list(at);
    const length = ints[list / 4] as number;
    if (length < depth) fail("bad-input", `expected ${depth} scored candidates, got ${length}: scores are not numbers`);
    const [t2i, i2i] = [rank === "t2i" ? 0 : t2iColumn, rank === "i2i" ? 0 : i2iColumn];
    const to = at * depth * 4;
    const into = [places.ids + to, places.t2i + to, places.i2i + to] as const;
    if (kernel.rank(list, capacity, depth, places.ranking, ...into, t2i, i2i) === 1) return;
    const start = (list + listHeaderBytes) / 4;
    const order = this.#order.of(bits.subarray(start, start + length), length);
    for (let place = 0; place < depth; place++) {
      const from = start + (order[place] as number);
      ints[into[0] / 4 + place] = ints[from + capacity] as number;
      floats[into[1] / 4 + place] = floats[from + capacity * t2i] as number;
      floats[into[2] / 4 + place] = floats[from + capacity * i2i] as number;
    }
  }
}

/** Rows of which a screen learns what is typical. */
const sampleRows = 2048;
