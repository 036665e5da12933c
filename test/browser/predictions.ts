import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodePng } from "../../src/codecs/index.ts";
import { rleToMask } from "../../src/kernels/index.ts";
import { Pool } from "../../src/pool/index.ts";
import { nemosaic } from "./studio-process.ts";

/** Writes result.json and samples.jsonl into `folder`. Predictions that are the truth moved to the right, some far, some not: an evaluator's result with good and bad cases. */
export async function writePredictions(folder: string, poolFolder: string): Promise<void> {
  const pool = await Pool.open(poolFolder);
  const out = join(folder, "predictions");
  await mkdir(out);
  for (let row = 0; row < pool.expressions.count; row++) {
    const ref = pool.expressions.ref[row]!;
    if (pool.refs.split[ref] !== "val") continue;
    const image = pool.refs.image[ref]!;
    const [width, height] = [pool.images.width[image]!, pool.images.height[image]!];
    const truth = rleToMask(pool.mask(image, pool.targetsOfRef(ref)));
    const by = (row * 37) % 60;
    const data = Uint8Array.from(truth, (_, at) => (at % width >= by && truth[at - by] === 1 ? 255 : 0));
    await writeFile(
      join(out, `${pool.expressions.id[row]}.png`),
      await encodePng({ width, height, channels: 1, data }),
    );
  }
  await pool.close();
  const text = await nemosaic(
    [
      "evaluate",
      out,
      "--truth",
      poolFolder,
      "--preset",
      "cris",
      "--split",
      "val",
      "--sentences",
      "all",
      "--json",
      "--quiet",
      "--samples",
      "samples.jsonl",
      "--ids-are",
      "sentence",
    ],
    folder,
  );
  await writeFile(join(folder, "result.json"), text);
}
