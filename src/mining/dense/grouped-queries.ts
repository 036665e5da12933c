import { fail } from "../../model/index.ts";
import { PlainMiner } from "../plain/index.ts";
import type { MinedColumns, Scorer, StepMiner } from "../scorer.ts";

/**
 * A scorer whose queries have several vectors each: those of query i are rows starts[i] up to starts[i + 1] of the `scorer`'s, and a
 * candidate's score is the best with any of them. Exact: what is among the `depth` best of a query is so in the list of the vector
 * that it scores best with, as whatever stands before it there stands before it in the end. By hand, depth 2: lists a 0.9, b 0.5 and
 * c 0.8, b 0.6 give a 0.9, c 0.8. Ranks by text-to-image only; blocks and pairs are not offered. Closes `scorer`.
 */
export function groupedQueries(scorer: Scorer, starts: Int32Array): Scorer {
  const never = (): never => fail("internal", "queries of several vectors are mined by miners alone");
  return {
    candidateCount: scorer.candidateCount,
    blockColumns: scorer.blockColumns,
    blockRows: scorer.blockRows,
    load: never,
    expressions: never,
    images: never,
    pairs: never,
    async miners(rank, depth, rows, timing) {
      if (rank !== "t2i") fail("usage", `expected rank t2i for queries of several vectors, got ${rank}`);
      const inner = (await scorer.miners?.(rank, depth, rows, timing)) ?? [
        new PlainMiner(scorer, { rank, depth, rows, ...(timing === undefined ? {} : { timing }) }),
      ];
      return inner.map((miner) => ({
        mine: (queries, images, imageOf) => mineBest(miner, { queries, images, imageOf }, starts, depth, rows),
      }));
    },
    close: () => scorer.close(),
  };
}

interface Step {
  readonly queries: Int32Array;
  readonly images: Int32Array;
  readonly imageOf: Int32Array;
}

async function mineBest(
  miner: StepMiner,
  { queries, images, imageOf }: Step,
  starts: Int32Array,
  depth: number,
  rows: number,
): Promise<MinedColumns> {
  const columns: MinedColumns = {
    ids: new Int32Array(queries.length * depth),
    t2i: new Float32Array(queries.length * depth),
    i2i: new Float32Array(queries.length * depth),
  };
  const owner = Array.from(queries).flatMap((query, at) =>
    new Array<number>(starts[query + 1]! - starts[query]!).fill(at),
  );
  const vectors = Int32Array.from(
    Array.from(queries).flatMap((query) =>
      Array.from({ length: starts[query + 1]! - starts[query]! }, (_, i) => starts[query]! + i),
    ),
  );
  let best = new Map<number, readonly [t2i: number, i2i: number]>();
  for (let start = 0; start < vectors.length; start += rows) {
    const some = vectors.slice(start, start + rows);
    const owners = owner.slice(start, start + rows);
    const own = owners.map((at) => imageOf[at]!);
    const distinct = [...new Set(own)];
    const place = new Map(distinct.map((image, at) => [image, at]));
    const found = await miner.mine(
      some,
      Int32Array.from(distinct, (image) => images[image]!),
      Int32Array.from(own, (image) => place.get(image)!),
    );
    for (let row = 0; row < some.length; row++) {
      for (let at = row * depth; at < (row + 1) * depth; at++) {
        const [id, t2i] = [found.ids[at]!, found.t2i[at]!];
        if (t2i > (best.get(id)?.[0] ?? Number.NEGATIVE_INFINITY)) best.set(id, [t2i, found.i2i[at]!]);
      }
      const query = owners[row]!;
      if (owner[start + row + 1] === query) continue; // more vectors of the same query follow, here or in the next part
      const order = [...best].sort(([a, [scoreA]], [b, [scoreB]]) => scoreB - scoreA || a - b).slice(0, depth);
      for (const [at, [id, [t2i, i2i]]] of order.entries()) {
        columns.ids[query * depth + at] = id;
        columns.t2i[query * depth + at] = t2i;
        columns.i2i[query * depth + at] = i2i;
      }
      best = new Map();
    }
  }
  return columns;
}
