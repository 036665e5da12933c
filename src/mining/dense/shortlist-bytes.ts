import { Tensor } from "onnxruntime-node";
import { ScoreOrder } from "./score-order.ts";
import type { ByteRows, ByteScreen } from "./screen.ts";
import { endShortlist, placeFactors, roundings, type Shortlisting, scoresTensor } from "./shortlisting.ts";

/**
 * As `shortlistScores`, by scores in bytes. Where lists may begin is guessed from the sample and checked in the end; queries whose lists
 * begin at like scores go through the candidates together, so that one frame of 255 steps tells apart what matters to all of them.
 */
export async function shortlistBytes(screen: ByteScreen, queries: number, shortlisting: Shortlisting): Promise<void> {
  const { shape, timing } = shortlisting;
  const { dimension } = shape;
  const start = timing.now();
  const rows = screen.prepare(shortlisting.vectorsOf(0, queries), queries);
  timing.since("selection", start);
  const { guesses, width } = await guessStarts(screen, rows, queries, shortlisting);
  const order = new ScoreOrder(queries).of(guesses).slice();
  for (let first = 0; first < queries; first += screen.rows) {
    const tile = order.subarray(first, first + screen.rows);
    const data = new Uint8Array(screen.rows * dimension);
    tile.forEach((query, row) => {
      data.set(rows.data.subarray(query * dimension, (query + 1) * dimension), row * dimension);
    });
    const tensor = new Tensor("uint8", data, [screen.rows, dimension]);
    await shortlistTile(screen, { tile, tensor, rows, guesses, width }, shortlisting);
  }
}

interface Tile {
  /** Queries, by their guesses, largest first. */
  readonly tile: Uint32Array;
  readonly tensor: Tensor;
  readonly rows: ByteRows;
  readonly guesses: Float32Array;
  readonly width: number;
}

async function shortlistTile(screen: ByteScreen, given: Tile, shortlisting: Shortlisting): Promise<void> {
  const { tile, tensor, rows, guesses, width } = given;
  const { memory, shape, depth, timing, slack, scale } = shortlisting;
  const { kernel, lists, places } = memory;
  const { columns } = shape;
  const began = timing.now();
  const [highest, lowest] = [guesses[tile[0]!]!, guesses[tile[tile.length - 1]!]!];
  // Some steps below the lowest: what bytes lose is added to the margins, and a byte of 0 is never taken.
  const frame = screen.frame(lowest - (highest - lowest + width) / 80, highest + width);
  const { low, step, error } = frame;
  const margins = Array.from(tile, (query) => (rows.margins[query]! + 2 * error) / step + 2 ** -10);
  const thresholds = Float32Array.from(tile, (query) => Math.max(0, (guesses[query]! - low - 2 * error) / step - 0.5));
  tile.forEach((query, row) => {
    lists.reset(query, thresholds[row]!);
  });
  timing.since("selection", began);
  const bytes = kernel.bytes.subarray(places.scores, places.scores + screen.rows * columns);
  const scores = new Tensor("uint8", bytes, [screen.rows, columns]);
  for (let index = 0; index < shortlisting.blockCount; index++) {
    const asked = timing.now();
    await screen.score(tensor, frame, index, scores);
    const made = timing.since("product", asked);
    for (let row = 0; row < tile.length; row++) {
      const [list, place] = [lists.address(tile[row]!), places.scores + row * columns];
      kernel.shortlistBytes(list, lists.capacity, depth, margins[row]!, place, columns, index * columns);
    }
    timing.since("selection", made);
  }
  const ended = timing.now();
  tile.forEach((query, row) => {
    endShortlist(shortlisting, query, margins[row]!);
    slack[query] = rows.shifts[query]! + rows.margins[query]! / 2 + low + error + roundings;
    scale[query] = 1 / step;
    // A guess was too high unless as many as wanted are the margin above it. A list that was never cut keeps its guess as the
    // threshold, which says nothing: it may hold exactly as many as wanted, some of them hardly above the guess.
    if (!(lists.threshold(query) > thresholds[row]!) || lists.length(query) < depth) lists.markOverflowed(query);
  });
  timing.since("selection", ended);
}

/** Where lists may begin, by a sample of the candidates: rarely too high, seldom far too low; and how far below their ends that is. */
async function guessStarts(
  screen: ByteScreen,
  rows: ByteRows,
  queries: number,
  { memory, shape, candidateCount, depth, timing }: Shortlisting,
): Promise<{ readonly guesses: Float32Array; readonly width: number }> {
  const { sampleSize, dimension } = shape;
  const { kernel, places } = memory;
  const guesses = new Float32Array(queries);
  const expected = (depth * sampleSize) / candidateCount;
  const wanted = Math.ceil(expected + 3 * Math.sqrt(expected) + 2);
  const fewer = Math.max(1, Math.floor(expected - 2 * Math.sqrt(expected)));
  placeFactors(memory, screen.sample);
  const scores = scoresTensor(memory, "int32", screen.rows, sampleSize);
  const data = new Uint8Array(screen.rows * dimension);
  const tensor = new Tensor("uint8", data, [screen.rows, dimension]);
  let [sum, count] = [0, 0];
  for (let first = 0; first < queries; first += screen.rows) {
    const asked = timing.now();
    const last = Math.min(queries, first + screen.rows);
    data.set(rows.data.subarray(first * dimension, last * dimension));
    await screen.scoreSample(tensor, scores);
    const made = timing.since("product", asked);
    for (let query = first; query < last; query++) {
      const place = places.scores + (query - first) * sampleSize * 4;
      kernel.dequantise(place, sampleSize, places.scales, places.offsets, screen.scale);
      const guess = kernel.reachedBy(place, sampleSize, wanted) - rows.margins[query]!;
      guesses[query] = guess;
      if (query % 8 !== 0) continue;
      sum += kernel.reachedBy(place, sampleSize, fewer) - guess;
      count++;
    }
    timing.since("selection", made);
  }
  return { guesses, width: sum / count };
}
