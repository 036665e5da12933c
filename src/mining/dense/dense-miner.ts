import { noTiming, type StageTimer } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { MinedColumns, Rank, StepMiner } from "../scorer.ts";
import type { CandidateBlocks } from "./candidate-blocks.ts";
import { DenseMemory, type Side } from "./dense-memory.ts";
import { openFloatScreen } from "./float-screen.ts";
import { openIntegerScreen } from "./integer-screen.ts";
import { i2iColumn, scoreColumn, t2iColumn } from "./lists.ts";
import { Rescorer } from "./rescorer.ts";
import { ScoreOrder } from "./score-order.ts";
import type { Screen, ScreenShape } from "./screen.ts";
import { shortlistBytes } from "./shortlist-bytes.ts";
import { shortlistScores } from "./shortlist-scores.ts";
import type { Shortlisting } from "./shortlisting.ts";
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
  readonly #rescorer: Rescorer;
  readonly #order: ScoreOrder;
  /** Whether lists are rescored in two, which takes two sweeps over the candidates and two free columns. */
  readonly #splits: boolean;
  /** See `Shortlisting`. */
  readonly #slack: Float64Array;
  readonly #scale: Float32Array;
  #screen: Screen | undefined;
  #inIntegers = false;
  /** Of the last step: its queries, and those whose lists had no space for all that came near. */
  #queries = 0;
  #overflowed = 0;

  constructor(images: VectorFile, expressions: VectorFile, blocks: CandidateBlocks, options: DenseMinerOptions) {
    const { depth, rows, shape } = options;
    this.#images = images;
    this.#expressions = expressions;
    this.#blocks = blocks;
    this.#options = options;
    this.#timing = options.timing ?? noTiming;
    this.#memory = new DenseMemory(rows, depth, shape);
    this.#rescorer = new Rescorer(this.#memory, blocks, shape, this.#timing);
    this.#order = new ScoreOrder(this.#memory.lists.capacity);
    this.#splits = options.rank !== "mean" && blocks.stay;
    this.#slack = new Float64Array(rows);
    this.#scale = new Float32Array(rows);
  }

  async mine(expressions: Int32Array, images: Int32Array, imageOf: Int32Array): Promise<MinedColumns> {
    const count = expressions.length;
    const { rows, rank } = this.#options;
    if (count > rows) fail("internal", `asked to mine ${count} expressions, ${rows} is the most`);
    const reading = this.#timing.now();
    await this.#place(this.#expressions, expressions, this.#memory.places.texts);
    await this.#place(this.#images, images, this.#memory.places.images);
    this.#timing.since("reading", reading);
    // Expressions of one image share what its vector finds.
    const queries = rank === "i2i" ? images.length : count;
    const own = Int32Array.from({ length: Math.max(count, queries) }, (_, at) => at);
    await this.#shortlist(queries, imageOf);
    await this.#searchOverflowed(queries, imageOf);
    if (rank !== "mean") await this.#rescoreRanked(queries, rank === "t2i" ? "texts" : "images", own);
    if (rank === "i2i") for (let at = count - 1; at >= 0; at--) this.#memory.lists.copy(imageOf[at]!, at);
    if (rank !== "t2i") await this.#rescorer.score(count, "texts", own, t2iColumn);
    if (rank !== "i2i") await this.#rescorer.score(count, "images", imageOf, i2iColumn);
    const start = this.#timing.now();
    for (let list = 0; list < count; list++) {
      if (rank === "mean") this.#memory.lists.average(list);
      this.#rank(list);
    }
    const columns = this.#columnsOf(count);
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
    const { kernel, stride } = this.#memory;
    if (stride === dimension * 4) {
      await readVectors(file, rows, kernel.floats.subarray(place / 4, place / 4 + rows.length * dimension));
      return;
    }
    const data = new Float32Array(rows.length * dimension);
    await readVectors(file, rows, data);
    this.#memory.put(data, dimension, place);
  }

  /** Leaves in list q what may be among the best of query q. */
  async #shortlist(queries: number, imageOf: Int32Array): Promise<void> {
    const screen = await this.#openScreen(queries, imageOf);
    const { depth, shape } = this.#options;
    const shortlisting: Shortlisting = {
      memory: this.#memory,
      shape,
      candidateCount: this.#blocks.candidateCount,
      blockCount: this.#blocks.count,
      depth,
      splits: this.#splits,
      vectorsOf: (first, count) => this.#queryVectors(first, count, imageOf),
      timing: this.#timing,
      slack: this.#slack,
      scale: this.#scale,
    };
    if (screen.manner === "bytes") await shortlistBytes(screen, queries, shortlisting);
    else await shortlistScores(screen, queries, shortlisting);
  }

  /** The vectors that screening ranks by, end to end: of expressions, of images, or half their sum. Valid until the next step. */
  #queryVectors(first: number, count: number, imageOf: Int32Array): Float32Array {
    const { rank, shape } = this.#options;
    const { dimension } = shape;
    const memory = this.#memory;
    if (rank !== "mean" && memory.stride === dimension * 4)
      return memory.vector(rank === "t2i" ? "texts" : "images", first, count * dimension);
    const vectors = new Float32Array(count * dimension);
    for (let row = 0; row < count; row++) {
      const into = vectors.subarray(row * dimension, (row + 1) * dimension);
      if (rank === "i2i") into.set(memory.vector("images", first + row, dimension));
      else into.set(memory.vector("texts", first + row, dimension));
      if (rank !== "mean") continue;
      const image = memory.vector("images", imageOf[first + row]!, dimension);
      for (let k = 0; k < dimension; k++) into[k] = (into[k]! + image[k]!) / 2;
    }
    return vectors;
  }

  async #openScreen(queries: number, imageOf: Int32Array): Promise<Screen> {
    const { integers, shape } = this.#options;
    // Vectors of which 8 bits tell too little, or candidates that are all alike.
    const useless = this.#inIntegers && this.#overflowed > this.#queries / 20;
    if (useless) {
      await this.#screen?.close();
      this.#screen = undefined;
      this.#inIntegers = false;
    }
    this.#queries = queries;
    if (this.#screen === undefined && integers && !useless) {
      const typical = this.#queryVectors(0, Math.min(queries, mostTypical), imageOf);
      this.#screen = await openIntegerScreen(this.#blocks, shape, typical);
      this.#inIntegers = this.#screen !== undefined;
    }
    this.#screen ??= await openFloatScreen(this.#blocks, shape);
    return this.#screen;
  }

  /** Lists that had no space for all that came near, as with many equal candidates, are made by exact scores of all. */
  async #searchOverflowed(queries: number, imageOf: Int32Array): Promise<void> {
    const { depth, rank } = this.#options;
    const { lists } = this.#memory;
    const overflowed: number[] = [];
    for (let list = 0; list < queries; list++) if (lists.overflowed(list)) overflowed.push(list);
    this.#overflowed = overflowed.length;
    if (overflowed.length === 0) return;
    await this.#rescorer.search(overflowed, rank, depth, imageOf);
    // Nothing is far in these; while they were filled, ids were where their far lists begin.
    if (this.#splits) for (const list of overflowed) lists.resetFar(list);
  }

  /** Scores what lists rank by exactly: all of it, or of the far entries only those that may reach the near ones' `depth`-th. */
  async #rescoreRanked(queries: number, side: Side, own: Int32Array): Promise<void> {
    const { depth } = this.#options;
    const { kernel, lists } = this.#memory;
    const { capacity } = lists;
    await this.#rescorer.score(queries, side, own, scoreColumn);
    if (this.#splits) {
      const start = this.#timing.now();
      for (let list = 0; list < queries; list++)
        kernel.prune(lists.address(list), capacity, depth, this.#slack[list]!, this.#scale[list]!);
      this.#timing.since("selection", start);
      await this.#rescorer.score(queries, side, own, scoreColumn, lists.farOffset);
      const scored = this.#timing.now();
      for (let list = 0; list < queries; list++) kernel.merge(lists.address(list), capacity);
      this.#timing.since("selection", scored);
    }
    // A few entries too many are cheaper than cutting them off.
    const most = depth + (depth >> 4);
    for (let list = 0; list < queries; list++)
      if (lists.length(list) > most) kernel.cut(lists.address(list), capacity, depth);
  }

  /** The `depth` best of a list, best first, ties by the smaller id, to their places. */
  #rank(list: number): void {
    const { depth, rank } = this.#options;
    const { kernel, lists, places } = this.#memory;
    const length = lists.length(list);
    if (length < depth) fail("bad-input", `expected ${depth} scored candidates, got ${length}: scores are not numbers`);
    const columns = [rank === "t2i" ? scoreColumn : t2iColumn, rank === "i2i" ? scoreColumn : i2iColumn] as const;
    const to = list * depth * 4;
    const into = [places.ids + to, places.t2i + to, places.i2i + to] as const;
    if (kernel.rank(lists.address(list), lists.capacity, depth, places.ranking, ...into, ...columns) === 1) return;
    const order = this.#order.of(lists.scores(list, scoreColumn));
    const ids = lists.ids(list);
    const [t2i, i2i] = [lists.scores(list, columns[0]), lists.scores(list, columns[1])];
    const kept = this.#kept(list, 1);
    for (let place = 0; place < depth; place++) {
      const entry = order[place]!;
      kept.ids[place] = ids[entry]!;
      kept.t2i[place] = t2i[entry]!;
      kept.i2i[place] = i2i[entry]!;
    }
  }

  /** Copies of what was kept of the first `count` lists. */
  #columnsOf(count: number): MinedColumns {
    const { ids, t2i, i2i } = this.#kept(0, count);
    return { ids: ids.slice(), t2i: t2i.slice(), i2i: i2i.slice() };
  }

  /** Views of what is kept of `count` lists from `list` on. */
  #kept(list: number, count: number): MinedColumns {
    const { kernel, places } = this.#memory;
    const { depth } = this.#options;
    const range = (address: number) => [address / 4 + list * depth, address / 4 + (list + count) * depth] as const;
    return {
      ids: kernel.ints.subarray(...range(places.ids)),
      t2i: kernel.floats.subarray(...range(places.t2i)),
      i2i: kernel.floats.subarray(...range(places.i2i)),
    };
  }
}

/** Queries of which a screen learns what is typical. */
const mostTypical = 2048;
