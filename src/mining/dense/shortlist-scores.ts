import type { ScoreScreen, ScreenRows } from "./screen.ts";
import { endShortlist, placeFactors, roundings, type Shortlisting, scoresTensor } from "./shortlisting.ts";

/**
 * Leaves in list q what may be among the best of query q, by approximate scores. Lists that had no space for it are marked as
 * overflowed. Each block of candidates is offered to all queries at once: it may have to be read.
 */
export async function shortlistScores(screen: ScoreScreen, queries: number, shortlisting: Shortlisting): Promise<void> {
  const { memory, shape, candidateCount, blockCount, depth, timing, slack, scale } = shortlisting;
  const { kernel, lists, places } = memory;
  const tiles: { readonly first: number; readonly count: number; readonly rows: ScreenRows }[] = [];
  for (let first = 0; first < queries; first += screen.rows) {
    const count = Math.min(screen.rows, queries - first);
    tiles.push({ first, count, rows: screen.prepare(shortlisting.vectorsOf(first, count), count) });
  }
  for (let list = 0; list < queries; list++) lists.reset(list, Number.NEGATIVE_INFINITY);
  const scores = scoresTensor(memory, screen.raw, screen.rows, shape.columns);
  for (let index = 0, firstId = 0; index < blockCount; index++, firstId += shape.columns) {
    const loading = timing.now();
    const block = await screen.load(index);
    if (block !== undefined) placeFactors(memory, block);
    timing.since("reading", loading);
    const valid = Math.min(shape.columns, candidateCount - firstId);
    for (const { first, count, rows } of tiles) {
      const asked = timing.now();
      await screen.score(rows, scores);
      const made = timing.since("product", asked);
      for (let row = 0; row < count; row++) {
        const place = places.scores + row * shape.columns * 4;
        if (block !== undefined)
          kernel.dequantise(place, shape.columns, places.scales, places.offsets, rows.scales[row]!);
        const list = lists.address(first + row);
        kernel.shortlist(list, lists.capacity, depth, rows.margins[row]!, place, valid, firstId);
      }
      timing.since("selection", made);
    }
  }
  const start = timing.now();
  for (const { first, count, rows } of tiles) {
    for (let row = 0; row < count; row++) {
      const [list, margin] = [first + row, rows.margins[row]!];
      endShortlist(shortlisting, list, margin);
      slack[list] = rows.shifts[row]! + margin / 2 + roundings;
      scale[list] = 1;
      if (lists.length(list) < depth) lists.markOverflowed(list);
    }
  }
  timing.since("selection", start);
}
