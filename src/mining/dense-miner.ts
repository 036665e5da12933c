import { Tensor } from "onnxruntime-node";
import { noTiming, type StageTimer } from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import { type Places, placesFor } from "./dense-places.ts";
import { openFloatScreen } from "./float-screen.ts";
import { openIntegerScreen } from "./integer-screen.ts";
import { ScoreOrder } from "./score-order.ts";
import type { MinedColumns, Rank, StepMiner } from "./scorer.ts";
import type { Screen, ScreenBlock, ScreenRows, ScreenShape } from "./screen.ts";
import { createScreenKernel, type ScreenKernel, screenListBytes } from "./screen-kernel.ts";
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
  readonly #kernel: ScreenKernel;
  readonly #memory: { readonly bytes: Uint8Array; readonly floats: Float32Array; readonly ints: Int32Array };
  readonly #bits: Uint32Array;
  readonly #order: ScoreOrder;
  readonly #capacity: number;
  /** Bytes of a vector in the kernel's memory, padded to whole steps. */
  readonly #stride: number;
  /** Candidates whose vectors are scored at a time. */
  readonly #cells: number;
  readonly #places: Places;
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
    this.#capacity = Math.ceil((depth * 2 + spareEntries) / 16) * 16;
    this.#stride = Math.ceil(shape.dimension / 32) * 128;
    this.#cells = Math.max(64, Math.floor(cacheBytes / this.#stride / 16) * 16);
    this.#order = new ScoreOrder(this.#capacity);
    this.#places = placesFor(rows, this.#capacity, this.#stride, this.#cells, shape);
    this.#kernel = createScreenKernel(this.#places.end);
    const { buffer } = this.#kernel.memory;
    this.#memory = { bytes: new Uint8Array(buffer), floats: new Float32Array(buffer), ints: new Int32Array(buffer) };
    this.#bits = new Uint32Array(buffer);
  }

  async mine(expressions: Int32Array, images: Int32Array, imageOf: Int32Array): Promise<MinedColumns> {
    const count = expressions.length;
    const { rows, rank, depth } = this.#options;
    if (count > rows) fail("internal", `asked to mine ${count} expressions, ${rows} is the most`);
    const reading = this.#timing.now();
    await this.#place(this.#expressions, expressions, this.#places.texts);
    await this.#place(this.#images, images, this.#places.images);
    this.#timing.since("reading", reading);
    // Expressions of one image share what its vector finds.
    const units = rank === "i2i" ? images.length : count;
    const own = Int32Array.from({ length: Math.max(count, units) }, (_, at) => at);
    await this.#sift(units, imageOf);
    await this.#searchHard(units, own, imageOf);
    if (rank !== "mean") {
      await this.#score(units, rank === "t2i" ? "texts" : "images", own, 0);
      for (let at = 0; at < units; at++) this.#kernel.cut(this.#list(at), this.#capacity, depth);
      if (rank === "i2i") for (let at = count - 1; at >= 0; at--) this.#copyList(imageOf[at] as number, at);
    }
    if (rank !== "t2i") await this.#score(count, "texts", own, t2iColumn);
    if (rank !== "i2i") await this.#score(count, "images", imageOf, i2iColumn);
    const start = this.#timing.now();
    const size = count * depth;
    const columns = { ids: new Int32Array(size), t2i: new Float32Array(size), i2i: new Float32Array(size) };
    for (let at = 0; at < count; at++) {
      if (rank === "mean") this.#average(this.#list(at));
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
    const floats = this.#stride / 4;
    const into = this.#memory.floats.subarray(place / 4, place / 4 + rows.length * floats);
    if (floats === dimension) return readVectors(file, rows, into);
    const data = new Float32Array(rows.length * dimension);
    await readVectors(file, rows, data);
    pad(data, dimension, into, floats);
  }

  /** Leaves in list u what may be among the best of unit u. */
  async #sift(units: number, imageOf: Int32Array): Promise<void> {
    const { depth, shape } = this.#options;
    const { candidateCount } = this.#blocks;
    const screen = await this.#openScreen(units, imageOf);
    const chunks: Chunk[] = [];
    for (let first = 0; first < units; first += shape.rows) {
      const count = Math.min(shape.rows, units - first);
      const rows = screen.prepare(this.#unitVectors(first, count, imageOf), count);
      chunks.push({ first, count, rows, guesses: await this.#guesses(screen, rows, count) });
    }
    for (const { first, count, guesses } of chunks) {
      for (let row = 0; row < count; row++) this.#reset(first + row, guesses[row] as number);
    }
    const scores = this.#scoresTensor(screen, shape.columns);
    for (let index = 0, firstId = 0; index < this.#blocks.count; index++, firstId += shape.columns) {
      const loading = this.#timing.now();
      const block = await screen.load(index);
      if (block !== undefined) this.#placeFactors(block);
      this.#timing.since("reading", loading);
      const valid = Math.min(shape.columns, candidateCount - firstId);
      for (const { first, count, rows } of chunks) {
        const asked = this.#timing.now();
        await screen.score(rows, scores);
        const made = this.#timing.since("product", asked);
        for (let row = 0; row < count; row++) {
          const place = this.#places.scores + row * shape.columns * 4;
          if (block !== undefined) this.#widen(place, shape.columns, rows.scales[row] as number);
          const margin = rows.margins[row] as number;
          this.#kernel.sift(this.#list(first + row), this.#capacity, depth, margin, place, valid, firstId);
        }
        this.#timing.since("selection", made);
      }
    }
    const start = this.#timing.now();
    const { floats, ints } = this.#memory;
    for (const { first, count, rows, guesses } of chunks) {
      for (let row = 0; row < count; row++) {
        const list = this.#list(first + row);
        this.#kernel.siftCut(list, this.#capacity, depth, rows.margins[row] as number);
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
      const place = this.#places.scores + row * shape.scouts * 4;
      this.#widen(place, shape.scouts, rows.scales[row] as number);
      guesses[row] = this.#kernel.reachedBy(place, shape.scouts, wanted) - (rows.margins[row] as number);
    }
    this.#timing.since("selection", made);
    return guesses;
  }

  #scoresTensor(screen: Screen, columns: number): Tensor {
    const { rows } = this.#options.shape;
    const [from, to] = [this.#places.scores / 4, this.#places.scores / 4 + rows * columns];
    const { ints, floats } = this.#memory;
    return screen.raw === "int32"
      ? new Tensor("int32", ints.subarray(from, to), [rows, columns])
      : new Tensor("float32", floats.subarray(from, to), [rows, columns]);
  }

  #placeFactors({ scales, offsets }: ScreenBlock): void {
    this.#memory.floats.set(scales, this.#places.scales / 4);
    this.#memory.floats.set(offsets, this.#places.offsets / 4);
  }

  #widen(place: number, count: number, scale: number): void {
    this.#kernel.widen(place, count, this.#places.scales, this.#places.offsets, scale);
  }

  /** The vectors that screening ranks by, end to end: of expressions, of images, or half their sum. */
  #unitVectors(first: number, count: number, imageOf: Int32Array): Float32Array {
    const { rank, shape } = this.#options;
    const { dimension } = shape;
    const width = this.#stride / 4;
    const { floats } = this.#memory;
    const vectors = new Float32Array(count * dimension);
    for (let row = 0; row < count; row++) {
      const text = this.#places.texts / 4 + (first + row) * width;
      const image = this.#places.images / 4 + (rank === "i2i" ? first + row : (imageOf[first + row] as number)) * width;
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
  async #searchHard(units: number, own: Int32Array, imageOf: Int32Array): Promise<void> {
    const { depth, rank } = this.#options;
    const { ints } = this.#memory;
    const hard: number[] = [];
    for (let at = 0; at < units; at++) if (ints[this.#list(at) / 4 + 2] === 1) hard.push(at);
    this.#hard += hard.length;
    if (hard.length === 0) return;
    for (const at of hard) this.#reset(at, Number.NEGATIVE_INFINITY);
    const { cells, cellList } = this.#places;
    const start = cellList / 4 + listHeaderBytes / 4;
    await this.#sweep((firstId, endId) => {
      const length = endId - firstId;
      for (const at of hard) {
        const dot = (side: Side, unit: number, column: number): void => {
          ints[cellList / 4] = length;
          for (let each = 0; each < length; each++) ints[start + this.#cells + each] = each;
          this.#aim(side, Int32Array.of(unit));
          this.#kernel.dots(cellList, 1, this.#cells, 0, length, cells, this.#stride, this.#places.vectors, column);
        };
        if (rank === "mean") {
          dot("texts", own[at] as number, t2iColumn);
          dot("images", imageOf[at] as number, i2iColumn);
          this.#average(cellList, this.#cells);
        } else dot(rank === "t2i" ? "texts" : "images", own[at] as number, 0);
        this.#kernel.offer(this.#list(at), this.#capacity, depth, start * 4, length, firstId);
      }
    });
  }

  /** Fills `column` of the first `lists` lists with exact scores by vectors[l], in runs of candidates that fit the cache. */
  async #score(lists: number, side: Side, vectors: Int32Array, column: number): Promise<void> {
    this.#aim(side, vectors.subarray(0, lists));
    const { cells, vectors: addresses } = this.#places;
    await this.#sweep((firstId, endId) => {
      this.#kernel.dots(0, lists, this.#capacity, firstId, endId, cells, this.#stride, addresses, column);
    });
  }

  /** Tells the kernel the vector of each list. */
  #aim(side: Side, vectors: Int32Array): void {
    const { ints } = this.#memory;
    const [to, base] = [this.#places.vectors / 4, this.#places[side]];
    for (let at = 0; at < vectors.length; at++) ints[to + at] = base + (vectors[at] as number) * this.#stride;
  }

  /** Puts one run of candidates' vectors after the other where the kernel reaches them. */
  async #sweep(visit: (firstId: number, endId: number) => void): Promise<void> {
    const { columns, dimension } = this.#options.shape;
    const floats = this.#stride / 4;
    const from = this.#places.cells / 4;
    const into = this.#memory.floats.subarray(from, from + this.#cells * floats);
    for (let index = 0; index < this.#blocks.count; index++) {
      const loading = this.#timing.now();
      const data = (await this.#blocks.load(index)).data as Float32Array;
      const loaded = this.#timing.since("reading", loading);
      const valid = Math.min(columns, this.#blocks.candidateCount - index * columns);
      for (let start = 0; start < valid; start += this.#cells) {
        const end = Math.min(start + this.#cells, valid);
        pad(data.subarray(start * dimension, end * dimension), dimension, into, floats);
        visit(index * columns + start, index * columns + end);
      }
      this.#timing.since("scoring", loaded);
    }
  }

  /** Scores by the mean of the two columns. */
  #average(list: number, capacity = this.#capacity): void {
    const { floats, ints } = this.#memory;
    const start = (list + listHeaderBytes) / 4;
    const length = ints[list / 4] as number;
    for (let at = start; at < start + length; at++) {
      const [t2i, i2i] = [floats[at + capacity * t2iColumn] as number, floats[at + capacity * i2iColumn] as number];
      floats[at] = Math.fround(t2i + i2i) / 2;
    }
  }

  /** The `depth` best of a list, best first, ties by the smaller id. */
  #finish(at: number, columns: MinedColumns): void {
    const { depth, rank } = this.#options;
    const { floats, ints } = this.#memory;
    const capacity = this.#capacity;
    const start = (this.#list(at) + listHeaderBytes) / 4;
    const length = ints[this.#list(at) / 4] as number;
    if (length < depth) fail("bad-input", `expected ${depth} scored candidates, got ${length}: scores are not numbers`);
    const order = this.#order.of(this.#bits.subarray(start, start + length), length);
    const t2i = start + (rank === "t2i" ? 0 : capacity * t2iColumn);
    const i2i = start + (rank === "i2i" ? 0 : capacity * i2iColumn);
    for (let place = 0, to = at * depth; place < depth; place++, to++) {
      const from = order[place] as number;
      columns.ids[to] = ints[start + capacity + from] as number;
      columns.t2i[to] = floats[t2i + from] as number;
      columns.i2i[to] = floats[i2i + from] as number;
    }
  }

  #list(at: number): number {
    return at * screenListBytes(this.#capacity);
  }

  #reset(at: number, threshold: number): void {
    const header = this.#list(at) / 4;
    this.#memory.ints.fill(0, header, header + 4);
    this.#memory.floats[header + 1] = threshold;
  }

  #copyList(from: number, to: number): void {
    if (from !== to) this.#memory.bytes.copyWithin(this.#list(to), this.#list(from), this.#list(from + 1));
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

type Side = "texts" | "images";

/** Vectors end to end into rows of `floats`, zeros behind each. */
function pad(data: Float32Array, dimension: number, into: Float32Array, floats: number): void {
  if (floats === dimension) {
    into.set(data);
    return;
  }
  for (let from = 0, to = 0; from < data.length; from += dimension, to += floats) {
    into.set(data.subarray(from, from + dimension), to);
    into.fill(0, to + dimension, to + floats);
  }
}

/** Where the kernel's lists keep the scores that are not ranked by. */
const [t2iColumn, i2iColumn] = [2, 3];
/** Rows of which a screen learns what is typical. */
const sampleRows = 2048;
/** Room beyond twice the depth for candidates that are near. */
const spareEntries = 1024;
/** Candidates' vectors that are scored at a time: half of a usual second-level cache. */
const cacheBytes = 2 ** 19;
