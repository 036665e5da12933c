import { Tensor } from "onnxruntime-node";
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
import type { Screen, ScreenBlock, ScreenRows, ScreenShape } from "./screen.ts";
import { listHeaderBytes } from "./selection-kernel.ts";
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
  #screen: Screen | undefined;
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
    const size = count * depth;
    const columns = { ids: new Int32Array(size), t2i: new Float32Array(size), i2i: new Float32Array(size) };
    for (let at = 0; at < count; at++) {
      if (rank === "mean") memory.average(memory.list(at));
      this.#finish(at, columns);
    }
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
    const data = new Float32Array(rows.length * dimension);
    await readVectors(file, rows, data);
    this.#memory.put(data, dimension, place);
  }

  /** Leaves in list u what may be among the best of unit u. */
  async #sift(units: number, imageOf: Int32Array): Promise<void> {
    const { depth, shape } = this.#options;
    const { candidateCount } = this.#blocks;
    const memory = this.#memory;
    const { kernel, capacity, places } = memory;
    const { scales: scalesAt, offsets: offsetsAt, lanes } = places;
    const screen = await this.#openScreen(units, imageOf);
    const chunks: Chunk[] = [];
    for (let first = 0; first < units; first += shape.rows) {
      const count = Math.min(shape.rows, units - first);
      const rows = screen.prepare(this.#unitVectors(first, count, imageOf), count);
      chunks.push({ first, count, rows, guesses: await this.#guesses(screen, rows, count) });
    }
    for (const { first, count, guesses } of chunks) {
      for (let row = 0; row < count; row++) memory.reset(first + row, guesses[row] as number);
    }
    const scores = this.#scoresTensor(screen, shape.columns);
    for (let index = 0, firstId = 0; index < this.#blocks.count; index++, firstId += shape.columns) {
      const loading = this.#timing.now();
      const block = await screen.load(index);
      if (block !== undefined) this.#placeFactors(block);
      this.#timing.since("reading", loading);
      const valid = Math.min(shape.columns, candidateCount - firstId);
      for (const { first, count, rows, guesses } of chunks) {
        const asked = this.#timing.now();
        await screen.score(rows, scores);
        const made = this.#timing.since("product", asked);
        for (let row = 0; row < count; row++) {
          const place = places.scores + row * shape.columns * 4;
          const [list, margin, scale] = [
            memory.list(first + row),
            rows.margins[row] as number,
            rows.scales[row] as number,
          ];
          if (block !== undefined && guesses[row] !== Number.NEGATIVE_INFINITY) {
            kernel.siftIntegers(
              list,
              capacity,
              depth,
              margin,
              place,
              valid,
              firstId,
              scalesAt,
              offsetsAt,
              scale,
              lanes,
            );
            continue;
          }
          if (block !== undefined) this.#widen(place, shape.columns, scale);
          kernel.sift(list, capacity, depth, margin, place, valid, firstId);
        }
        this.#timing.since("selection", made);
      }
    }
    const start = this.#timing.now();
    const { floats, ints } = memory;
    for (const { first, count, rows, guesses } of chunks) {
      for (let row = 0; row < count; row++) {
        const list = memory.list(first + row);
        const margin = rows.margins[row] as number;
        if (this.#parts) kernel.part(list, capacity, depth, margin);
        else kernel.siftCut(list, capacity, depth, margin);
        this.#room[first + row] = (rows.shifts[row] as number) + margin / 2 + roundings;
        // A guess was too high unless as many as wanted are the margin above it. A list that was never cut keeps its guess
        // as the threshold, which says nothing: it may hold exactly as many as wanted, some of them hardly above the guess.
        const guess = guesses[row] as number;
        const held = guess === Number.NEGATIVE_INFINITY || (floats[list / 4 + 1] as number) > guess;
        if (!held || (ints[list / 4] as number) < depth) ints[list / 4 + 2] = 1;
      }
    }
    this.#timing.since("selection", start);
  }

  /** Where the lists of these rows may begin, by a sample of the candidates: rarely too high, seldom far too low. */
  async #guesses(screen: Screen, rows: ScreenRows, count: number): Promise<Float32Array> {
    const { depth, shape } = this.#options;
    const guesses = new Float32Array(count).fill(Number.NEGATIVE_INFINITY);
    if (screen.loadScouts === undefined || screen.scout === undefined) return guesses;
    this.#placeFactors(screen.loadScouts());
    const asked = this.#timing.now();
    await screen.scout(rows, this.#scoresTensor(screen, shape.scouts));
    const made = this.#timing.since("product", asked);
    const expected = (depth * shape.scouts) / this.#blocks.candidateCount;
    const wanted = Math.ceil(expected + 3 * Math.sqrt(expected) + 2);
    for (let row = 0; row < count; row++) {
      const place = this.#memory.places.scores + row * shape.scouts * 4;
      this.#widen(place, shape.scouts, rows.scales[row] as number);
      guesses[row] = this.#memory.kernel.reachedBy(place, shape.scouts, wanted) - (rows.margins[row] as number);
    }
    this.#timing.since("selection", made);
    return guesses;
  }

  #scoresTensor(screen: Screen, columns: number): Tensor {
    const { rows } = this.#options.shape;
    const [from, to] = [this.#memory.places.scores / 4, this.#memory.places.scores / 4 + rows * columns];
    const { ints, floats } = this.#memory;
    return screen.raw === "int32"
      ? new Tensor("int32", ints.subarray(from, to), [rows, columns])
      : new Tensor("float32", floats.subarray(from, to), [rows, columns]);
  }

  #placeFactors({ scales, offsets }: ScreenBlock): void {
    this.#memory.floats.set(scales, this.#memory.places.scales / 4);
    this.#memory.floats.set(offsets, this.#memory.places.offsets / 4);
  }

  #widen(place: number, count: number, scale: number): void {
    this.#memory.kernel.widen(place, count, this.#memory.places.scales, this.#memory.places.offsets, scale);
  }

  /** The vectors that screening ranks by, end to end: of expressions, of images, or half their sum. */
  #unitVectors(first: number, count: number, imageOf: Int32Array): Float32Array {
    const { rank, shape } = this.#options;
    const { dimension } = shape;
    const width = this.#memory.stride / 4;
    const { floats } = this.#memory;
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
    const useless = this.#screen?.raw === "int32" && this.#hard > this.#seen / 20;
    if (useless) {
      await this.#screen?.close();
      this.#screen = undefined;
    }
    this.#hard = 0;
    this.#seen = units;
    if (this.#screen === undefined && integers && !useless) {
      const sample = this.#unitVectors(0, Math.min(units, sampleRows), imageOf);
      this.#screen = await openIntegerScreen(this.#blocks, shape, sample);
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
    for (let at = 0; at < units; at++) kernel.narrow(memory.list(at), capacity, depth, this.#room[at] as number);
    this.#timing.since("selection", start);
    await this.#exact.score(units, side, own, 0, farListAt(0, capacity));
    const scored = this.#timing.now();
    for (let at = 0; at < units; at++) kernel.join(memory.list(at), capacity);
    this.#timing.since("selection", scored);
  }

  /** The `depth` best of a list, best first, ties by the smaller id. */
  #finish(at: number, columns: MinedColumns): void {
    const { depth, rank } = this.#options;
    const { floats, ints, bits, capacity } = this.#memory;
    const list = this.#memory.list(at);
    const start = (list + listHeaderBytes) / 4;
    const length = ints[list / 4] as number;
    if (length < depth) fail("bad-input", `expected ${depth} scored candidates, got ${length}: scores are not numbers`);
    const order = this.#order.of(bits.subarray(start, start + length), length);
    const t2i = start + (rank === "t2i" ? 0 : capacity * t2iColumn);
    const i2i = start + (rank === "i2i" ? 0 : capacity * i2iColumn);
    for (let place = 0, to = at * depth; place < depth; place++, to++) {
      const from = order[place] as number;
      columns.ids[to] = ints[start + capacity + from] as number;
      columns.t2i[to] = floats[t2i + from] as number;
      columns.i2i[to] = floats[i2i + from] as number;
    }
  }
}

/** Rows that are screened together. */
interface Chunk {
  readonly first: number;
  readonly count: number;
  readonly rows: ScreenRows;
  /** The thresholds that their lists began with. */
  readonly guesses: Float32Array;
}

/** More than float32 loses in the sum of a list's room and in its difference from a score: numbers of at most 4. */
const roundings = 2 ** -20;
/** Rows of which a screen learns what is typical. */
const sampleRows = 2048;
