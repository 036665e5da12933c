import { type BandContext, bandOf } from "../../band/index.ts";
import type { Mined } from "../../pool/index.ts";
import type { ResolvedSettings } from "../../settings/index.ts";

const rowsAtOnce = 256;

/**
 * The band's size of each of `total` expressions in row order, as chunks of Uint16 (little-endian, capped at 65535). Gives other
 * requests their turn between chunks; ends early when the reader goes away.
 */
export function bandSizes(
  total: number,
  mined: Mined,
  contextOf: (expression: number) => BandContext,
  settings: ResolvedSettings,
): ReadableStream<Uint8Array> {
  let row = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resume) => setImmediate(resume));
      const sizes = new Uint16Array(Math.min(rowsAtOnce, total - row));
      for (let at = 0; at < sizes.length; at++, row++)
        sizes[at] = Math.min(65535, bandOf(mined.row(row), contextOf(row), settings).size);
      if (sizes.length > 0) controller.enqueue(new Uint8Array(sizes.buffer));
      if (row >= total) controller.close();
    },
  });
}
