import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { NemosaicError } from "../../src/model/index.ts";

/** Cases for each reader: 200 in `npm test`, 10,000 in `npm run fuzz`. */
export const fuzzRuns = Number(process.env.NEMOSAIC_FUZZ_RUNS ?? 200);
/** The seed of the run; a failure prints it with the path to the smallest case. */
export const fuzzSeed = Number(process.env.NEMOSAIC_FUZZ_SEED ?? 20_260_101);

/** A case must end within this, on a busy machine too; most take less than a millisecond. */
const caseMs = 20_000;
/** The alarm looks so often. */
const lookMs = 500;
/** What a case may leave the process bigger by: far more than any sample, far less than a hostile header asks for. */
const caseBytes = 1.5 * 2 ** 30;

export interface FuzzOptions {
  /** Words that an error's line must hold: the file or place that was given. */
  readonly place?: string;
  /** Kernels state broken promises of their caller by a RangeError; readers have to name the place themselves. */
  readonly rangeErrors?: boolean;
}

/**
 * Declares a test: `read`, given each of many garbled cases, returns or throws one clear line of our own. Another type of
 * error, a line that does not name the place, a hang or a blow-up of memory fails it with the seed and the smallest case.
 */
export function fuzz<Case>(
  title: string,
  cases: () => fc.Arbitrary<Case>,
  read: (value: Case) => unknown,
  options: FuzzOptions = {},
): void {
  it(`${title} (${fuzzRuns} garbled cases)`, { timeout: 60_000 + fuzzRuns * 1000 }, async () => {
    let [refused, read_] = [0, 0];
    await fc.assert(
      fc.asyncProperty(cases(), async (value) => {
        const began = process.memoryUsage.rss();
        alarm.start(value);
        try {
          await read(value);
          read_++;
        } catch (error) {
          refused++;
          expectClear(error, options);
        } finally {
          alarm.stop();
        }
        expect(process.memoryUsage.rss() - began, "bytes that the process grew by").toBeLessThan(caseBytes);
      }),
      { numRuns: fuzzRuns, seed: fuzzSeed, verbose: 0 },
    );
    expect(refused, `cases refused, beside ${read_} that could be read`).toBeGreaterThan(0);
  });
}

/** Asserts that an error is one of ours, on one line that says where. */
export function expectClear(error: unknown, { place, rangeErrors = false }: FuzzOptions): void {
  if (rangeErrors && error instanceof RangeError) {
    expect(error.message).not.toMatch(/call stack|Invalid array|Invalid typed|allocation/);
    return;
  }
  if (!(error instanceof NemosaicError)) throw new Error(`not an error of ours: ${String(error)}`, { cause: error });
  expect(error.code, error.message).not.toBe("internal");
  expect(error.message).not.toMatch(/[\n\r]/);
  expect(error.message.length, error.message).toBeLessThan(1000);
  expect(error.message.length).toBeGreaterThan(15);
  if (place !== undefined) expect(error.message).toContain(place);
}

/** Ends the process from another thread when a case does not end, after writing the case to a file. */
class Alarm {
  readonly #shared = new SharedArrayBuffer(16 + 2 ** 22);
  readonly #state = new Int32Array(this.#shared, 0, 4);
  readonly #bytes = new Uint8Array(this.#shared, 16);
  #worker: Worker | undefined;

  open(): void {
    this.#worker = new Worker(watch, { eval: true, workerData: { shared: this.#shared, caseMs, lookMs } });
    this.#worker.unref();
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  start(value: unknown): void {
    const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value) ?? "undefined");
    const length = Math.min(bytes.length, this.#bytes.length);
    this.#bytes.set(bytes.subarray(0, length));
    this.#state[1] = length;
    this.#state[0] = (this.#state[0] ?? 0) + 1;
    Atomics.store(this.#state, 2, 1);
  }

  stop(): void {
    Atomics.store(this.#state, 2, 0);
  }
}

const watch = `
const { workerData } = require("node:worker_threads");
const fs = require("node:fs");
const state = new Int32Array(workerData.shared, 0, 4);
// Looks are counted, not milliseconds: a machine that slept, or a process that was stopped, took no time over a case.
let seen = 0, looks = 0;
setInterval(() => {
  if (state[0] !== seen || Atomics.load(state, 2) === 0) { seen = state[0]; looks = 0; return; }
  if (++looks * workerData.lookMs < workerData.caseMs) return;
  const file = require("node:path").join(require("node:os").tmpdir(), "nemosaic-fuzz-hang-" + process.pid);
  fs.writeFileSync(file, Buffer.from(workerData.shared.slice(16, 16 + state[1])));
  fs.writeSync(2, "\\nfuzz: a case did not end within " + workerData.caseMs + " ms; it is in " + file + "\\n");
  process.kill(process.pid, "SIGKILL");
}, workerData.lookMs);
`;

const alarm = new Alarm();
beforeAll(() => alarm.open());
afterAll(() => alarm.close());

/** Writes bytes to `<folder>/<name>` and returns the path, for readers that take one. */
export function placed(folder: string, name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Takes everything that an async reader yields; returns how many. */
export async function drained(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _item of items) count++;
  return count;
}
