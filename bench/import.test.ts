import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findImporter } from "../src/importers/index.ts";
import { type ReferSize, writeReferFolder } from "./refer-folder.ts";

const isFull = process.env.NEMOSAIC_BENCH === "full";
const full: ReferSize = { images: 20_000, annotations: 200_000, refs: 50_000, expressions: 142_000 };
const tenth: ReferSize = { images: 2_000, annotations: 20_000, refs: 5_000, expressions: 14_200 };
const size = isFull ? full : tenth;
const limits = isFull ? { seconds: 25, megabytes: 1000 } : { seconds: 10, megabytes: 700 };

const folder = mkdtempSync(join(tmpdir(), "nemosaic-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe(`importing a REFER folder of ${size.refs} refs${isFull ? "" : " (NEMOSAIC_BENCH=full: 50000)"}`, () => {
  it("streams every record in bounded time and memory", async () => {
    const bytes = await writeReferFolder(folder, size);
    const start = performance.now();
    const source = await findImporter("refer").open({
      source: join(folder, "refcoco"),
      images: join(folder, "images"),
    });
    const counts: Record<string, number> = {};
    let peak = 0;
    for await (const record of source.records()) {
      const seen = (counts[record.type] ?? 0) + 1;
      counts[record.type] = seen;
      if (seen % 5000 === 0) peak = Math.max(peak, process.memoryUsage.rss());
    }
    const seconds = (performance.now() - start) / 1000;
    const megabytes = Math.max(peak, process.memoryUsage.rss()) / 1e6;
    console.info(
      `import: ${(bytes / 1e6).toFixed(0)} MB in ${seconds.toFixed(1)} s, peak ${megabytes.toFixed(0)} MB resident`,
    );
    expect(counts).toEqual({
      image: size.images,
      annotation: size.annotations,
      ref: size.refs,
      expression: size.expressions,
    });
    expect(seconds).toBeLessThan(limits.seconds);
    expect(megabytes).toBeLessThan(limits.megabytes);
  }, 120_000);
});
