import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";

interface Row {
  readonly what: string;
  readonly ours?: { readonly median: number };
  readonly ratio?: { readonly median: number };
  readonly peakMegabytes?: number;
}
interface Result {
  readonly bench: string;
  readonly rows: readonly Row[];
  readonly notes?: Readonly<Record<string, unknown>>;
}
type Bench = (size: Record<string, unknown>) => Promise<Result>;

/** Plain JavaScript, so that it runs on the build as users have it; here on the sources. */
async function bench(file: string, name: string): Promise<Bench> {
  const path = join(import.meta.dirname, `${file}.mjs`);
  const found = ((await import(/* @vite-ignore */ path)) as Record<string, unknown>)[name];
  if (typeof found !== "function") throw new Error(`expected bench/${file}.mjs to export ${name}`);
  return found as Bench;
}

/** No time is asserted: benchmarks have to run, and to compare equal results. */
describe("benchmarks run", () => {
  it("mining finds what FAISS finds", async () => {
    const run = await bench("mining", "benchMining");
    const { rows, notes } = await run({
      images: 700,
      queries: 60,
      dimension: 64,
      depth: 20,
      rounds: 1,
      threadCounts: [1],
    });
    expect(rows.length).toBeGreaterThan(0);
    for (const { ours, ratio } of rows) expect([ours!.median > 0, ratio!.median > 0]).toEqual([true, true]);
    expect(notes?.differences1 ?? 0).toBe(0);
  });

  it("mining's memory is read at two sizes", async () => {
    const run = await bench("mining-memory", "benchMiningMemory");
    const { rows } = await run({ images: 1200, dimension: 64, depth: 10, few: 8, many: 40, apart: false });
    expect(rows.map(({ peakMegabytes }) => peakMegabytes! > 0)).toEqual([true, true]);
  });

  it("the loader's mosaics have the masks of the reference's steps", async () => {
    const run = await bench("loader", "benchLoader");
    const { rows, notes } = await run({ samples: 6, rounds: 1 });
    expect(rows.length).toBeGreaterThanOrEqual(4);
    expect(notes?.maskPixelsDiffer ?? 0).toBe(0);
  });

  it("embedding is compared with the bare session", async () => {
    const run = await bench("embedding", "benchEmbedding");
    const vit = { layers: 1, width: 64, pixels: 32 };
    const { rows, notes } = await run({ images: 6, vitImages: 3, batch: 3, rounds: 1, real: false, vit });
    const compared = notes?.modelVit === undefined ? 2 : 3; // one less without torch
    expect(rows.map(({ ratio }) => ratio!.median > 0)).toEqual(new Array(compared).fill(true));
  });

  it("a pool is imported and opened", async () => {
    const run = await bench("pool", "benchPool");
    const { rows } = await run({ refs: 50, expressions: 142, annotations: 200, images: 20, apart: false });
    expect(rows.map(({ what }) => what.split(":")[0])).toEqual(["import", "open"]);
  });

  it("risks are estimated, and the pool is opened with them", async () => {
    const run = await bench("risk", "benchRisk");
    const { rows } = await run({ refs: 30, expressions: 85, annotations: 120, images: 12, depth: 8, apart: false });
    expect(rows.map(({ peakMegabytes }) => peakMegabytes! > 0)).toEqual([true, true]);
  });

  it("the whole path says which interpreters it lacks", async () => {
    const run = await bench("end-to-end", "benchEndToEnd");
    vi.stubEnv("NEMOSAIC_TORCH_PYTHON", "");
    vi.stubEnv("NEMOSAIC_FAISS_PYTHON", "python");
    const { rows, notes } = await run({});
    vi.unstubAllEnvs();
    expect([rows, notes]).toEqual([[], { lacks: "NEMOSAIC_TORCH_PYTHON" }]);
  });

  it("the PyTorch loader's rates become rows, to one process and to all cores", async () => {
    const path = join(import.meta.dirname, "pytorch.mjs");
    const { rowsOf } = (await import(/* @vite-ignore */ path)) as {
      rowsOf(rates: unknown): (Row & { goal?: string })[];
    };
    const rate = (median: number) => ({ median, low: median / 2, high: median * 2 });
    const rows = rowsOf({
      "reference, 1 process": rate(10),
      "reference, all cores": rate(20),
      "cold fast uint8": rate(30),
      "warm uint8": rate(600),
    });
    expect(rows.map(({ what, ratio, goal }) => [what.split(", ")[1], ratio, goal])).toEqual([
      ["cold fast uint8", { median: 3, low: 0.75, high: 12 }, "≥ 3"],
      ["cold fast uint8", { median: 1.5, low: 0.375, high: 6 }, "≥ 2"],
      ["warm uint8", { median: 60, low: 15, high: 240 }, "≥ 60"],
      ["warm uint8", { median: 30, low: 7.5, high: 120 }, undefined],
    ]);
  });

  it("results become a table", async () => {
    const { tableOf } = (await import(/* @vite-ignore */ join(import.meta.dirname, "table.mjs"))) as {
      tableOf(results: unknown): string;
    };
    const spread = { median: 2, low: 1, high: 3 };
    const row = { what: "this", unit: "x/s", ours: spread, peer: "that", theirs: spread, ratio: spread, goal: "≥ 3" };
    const benches = {
      a: { rows: [row], date: "2026-01-01", loadBefore: 0.1, notes: { blas: ["/usr/lib/openblas/libblas.so"] } },
    };
    const text = tableOf({ machine: { cpu: "CPU", cores: 2, node: "v20" }, benches });
    expect(text).toContain(
      "| a: this | 2.00 (1.00–3.00) x/s | that | 2.00 (1.00–3.00) | 2.00 (1.00–3.00) | ≥ 3 | 2026-01-01, 0.1 |",
    );
    expect(text).toContain("blas openblas/libblas.so");
    const fast = { median: 0.010481606099999999, low: 0.0099, high: 12345.6 };
    const facts = { what: "all", threads: 2, seconds: 9.1834, peakMegabytes: 12345, buildSeconds: 0.04567 };
    const people = tableOf({
      machine: { cpu: "CPU", cores: 2, node: "v20" },
      benches: { b: { rows: [facts, { what: "it", unit: "ms", ours: fast }], date: "d", loadBefore: 0 } },
    });
    expect(people).toContain("| b: all | 2 threads, 9.18 s, 12,345 MB at most, 0.0457 build seconds |");
    expect(people).toContain("| b: it | 0.0105 (0.0099–12,345.6000) ms |");
  });
});
