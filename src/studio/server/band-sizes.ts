import { bandOf } from "../../band/index.ts";
import type { Mined, Pool } from "../../pool/index.ts";
import type { ResolvedSettings } from "../../settings/index.ts";
import { contextOf } from "./candidates.ts";
import type { Judged } from "./judged.ts";

const rowsAtOnce = 256;

/**
 * The band's size of every expression in row order, as chunks of Uint16 (little-endian, capped at 65535). Gives other
 * requests their turn between chunks; ends early when the reader goes away.
 */
export function bandSizes(
  pool: Pool,
  mined: Mined,
  judged: Judged,
  settings: ResolvedSettings,
): ReadableStream<Uint8Array> {
  const total = pool.expressions.count;
  let row = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resume) => setImmediate(resume));
      const sizes = new Uint16Array(Math.min(rowsAtOnce, total - row));
      for (let at = 0; at < sizes.length; at++, row++)
        sizes[at] = Math.min(65535, bandOf(mined.row(row), contextOf(pool, mined, judged, row), settings).size);
      if (sizes.length > 0) controller.enqueue(new Uint8Array(sizes.buffer));
      if (row >= total) controller.close();
    },
  });
}
