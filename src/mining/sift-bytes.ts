import { Tensor } from "onnxruntime-node";
import { ScoreOrder } from "./score-order.ts";
import type { ByteRows, ByteScreen } from "./screen.ts";
import { endSift, placeFactors, roundings, type Sifting, scoresTensor } from "./sift.ts";

/**
 * As `siftScores`, by scores in bytes. Where lists may begin is guessed from the sample and checked in the end; units whose lists
 * begin at like scores go through the candidates together, so that one frame of 255 steps tells apart what matters to all of them.
 */
export async function siftBytes(screen: ByteScreen, units: number, sifting: Sifting): Promise<void> {
  const { shape, timing } = sifting;
  const { dimension } = shape;
  const start = timing.now();
  const rows = screen.prepare(sifting.vectorsOf(0, units), units);
  timing.since("selection", start);
  const { guesses, width } = await guessed(screen, rows, units, sifting);
  const order = new ScoreOrder(units).of(new Uint32Array(guesses.buffer), units).slice();
  for (let first = 0; first < units; first += screen.rows) {
    const tile = order.subarray(first, first + screen.rows);
    const data = new Uint8Array(screen.rows * dimension);
    tile.forEach((at, row) => {
      data.set(rows.data.subarray(at * dimension, (at + 1) * dimension), row * dimension);
    });
    const tensor = new Tensor("uint8", data, [screen.rows, dimension]);
    await siftTile(screen, { tile, tensor, rows, guesses, width }, sifting);
  }
}

interface Tile {
  /** Units, by their guesses, largest first. */
  readonly tile: Uint32Array;
  readonly tensor: Tensor;
  readonly rows: ByteRows;
  readonly guesses: Float32Array;
  readonly width: number;
}

async function siftTile(screen: ByteScreen, given: Tile, sifting: Sifting): Promise<void> {
  const { tile, tensor, rows, guesses, width } = given;
  const { memory, shape, depth, timing, room, unit } = sifting;
  const { kernel, capacity, places, floats, ints, bytes } = memory;
  const { columns } = shape;
  const began = timing.now();
  const [highest, lowest] = [guesses[tile[0] as number] as number, guesses[tile[tile.length - 1] as number] as number];
  // Some steps below the lowest: what bytes lose is added to the margins, and a byte of 0 is never taken.
  const frame = screen.frame(lowest - (highest - lowest + width) / 80, highest + width);
  const { low, step, error } = frame;
  const margins = Array.from(tile, (at) => ((rows.margins[at] as number) + 2 * error) / step + 2 ** -10);
  const thresholds = Float32Array.from(tile, (at) =>
    Math.max(0, ((guesses[at] as number) - low - 2 * error) / step - 0.5),
  );
  tile.forEach((at, row) => {
    memory.reset(at, thresholds[row] as number);
  });
  timing.since("selection", began);
  const scores = new Tensor("uint8", bytes.subarray(places.scores, places.scores + screen.rows * columns), [
    screen.rows,
    columns,
  ]);
  for (let index = 0; index < sifting.blockCount; index++) {
    const asked = timing.now();
    await screen.score(tensor, frame, index, scores);
    const made = timing.since("product", asked);
    for (let row = 0; row < tile.length; row++) {
      const list = memory.list(tile[row] as number);
      const place = places.scores + row * columns;
      kernel.siftBytes(list, capacity, depth, margins[row] as number, place, columns, index * columns);
    }
    timing.since("selection", made);
  }
  const ended = timing.now();
  for (let row = 0; row < tile.length; row++) {
    const at = tile[row] as number;
    const list = memory.list(at);
    endSift(sifting, list, margins[row] as number);
    room[at] = (rows.shifts[at] as number) + (rows.margins[at] as number) / 2 + low + error + roundings;
    unit[at] = 1 / step;
    // A guess was too high unless as many as wanted are the margin above it. A list that was never cut keeps its guess as the
    // threshold, which says nothing: it may hold exactly as many as wanted, some of them hardly above the guess.
    const held = (floats[list / 4 + 1] as number) > (thresholds[row] as number);
    if (!held || (ints[list / 4] as number) < depth) ints[list / 4 + 2] = 1;
  }
  timing.since("selection", ended);
}

/** Where lists may begin, by a sample of the candidates: rarely too high, seldom far too low; and how far below their ends that is. */
async function guessed(
  screen: ByteScreen,
  rows: ByteRows,
  units: number,
  { memory, shape, candidateCount, depth, timing }: Sifting,
): Promise<{ readonly guesses: Float32Array; readonly width: number }> {
  const { scouts, dimension } = shape;
  const { kernel, places } = memory;
  const guesses = new Float32Array(units);
  const expected = (depth * scouts) / candidateCount;
  const wanted = Math.ceil(expected + 3 * Math.sqrt(expected) + 2);
  const fewer = Math.max(1, Math.floor(expected - 2 * Math.sqrt(expected)));
  placeFactors(memory, screen.scouts);
  const scores = scoresTensor(memory, "int32", screen.rows, scouts);
  const data = new Uint8Array(screen.rows * dimension);
  const tensor = new Tensor("uint8", data, [screen.rows, dimension]);
  let [sum, count] = [0, 0];
  for (let first = 0; first < units; first += screen.rows) {
    const asked = timing.now();
    const last = Math.min(units, first + screen.rows);
    data.set(rows.data.subarray(first * dimension, last * dimension));
    await screen.scout(tensor, scores);
    const made = timing.since("product", asked);
    for (let at = first; at < last; at++) {
      const place = places.scores + (at - first) * scouts * 4;
      kernel.widen(place, scouts, places.scales, places.offsets, screen.scale);
      const guess = kernel.reachedBy(place, scouts, wanted) - (rows.margins[at] as number);
      guesses[at] = guess;
      if (at % 8 !== 0) continue;
      sum += kernel.reachedBy(place, scouts, fewer) - guess;
      count++;
    }
    timing.since("selection", made);
  }
  return { guesses, width: sum / count };
}
