import { expect, it } from "vitest";
import type { Preparation } from "./preparation.ts";
import { openPrepareWorkers } from "./prepare-workers.ts";

it("fails what a worker was asked for when it ends, with whatever code, also before it was ready", async () => {
  for (const code of [0, 1]) {
    const entry = new URL(`data:text/javascript,process.exit(${code})`);
    const said: unknown[] = [];
    const workers = openPrepareWorkers(entry, {} as Preparation, 1, (error) => said.push(error));
    const [worker] = workers.each;
    const asked = worker?.prepare(new Uint8Array(3), "a.jpg", new Float32Array(1));
    await expect(asked).rejects.toThrow(`an image worker ended with ${code}`);
    await expect(worker?.ready).rejects.toThrow(`an image worker ended with ${code}`);
    expect(said.length).toBe(1);
    await workers.close();
  }
});
