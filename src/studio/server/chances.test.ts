import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import type { Mined, Pool } from "../../pool/index.ts";
import { Chances } from "./chances.ts";

const [pool, mined] = [{} as Pool, {} as Mined];
const dying = `require("node:worker_threads").parentPort.on("message", () => { throw new Error("out of luck"); });`;
const answering = `const { parentPort } = require("node:worker_threads");
parentPort.on("message", ({ id, rows }) => setTimeout(() => parentPort.postMessage({ id, chances: [Float32Array.from(rows)] }), 150));`;

describe("the thread of the estimates", () => {
  it("is replaced where it died, and its last word is not taken for the next one's", async () => {
    const scripts = [dying, answering];
    let started = 0;
    const chances = new Chances(pool, () => new Worker(scripts[started++] ?? "", { eval: true }));
    const first = chances.of(mined, "default", Int32Array.from([1]));
    // Asked as soon as the error is known: the dead thread's "exit" is still to come.
    const second = first.catch((error: Error) => {
      expect(error.message).toBe("out of luck");
      return chances.of(mined, "default", Int32Array.from([2, 3]));
    });
    expect(await second).toEqual([Float32Array.from([2, 3])]);
    expect(await chances.of(mined, "default", Int32Array.from([4]))).toEqual([Float32Array.from([4])]);
    expect(started).toBe(2);
    const last = chances.of(mined, "default", Int32Array.from([5]));
    const refused = expect(last).rejects.toThrow(/closed/);
    await chances.close();
    await refused;
  });
});
