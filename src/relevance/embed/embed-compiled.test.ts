import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileRooms } from "../../../test/compiled-rooms.ts";
import { contents, folder, jpegs, modelFolder, options, prepareEmbedding, source, texts } from "./embed.contract.ts";
import { embedSources } from "./index.ts";

prepareEmbedding();

describe("the compiled program", () => {
  const script = `
import { readdirSync, readFileSync } from "node:fs";
import { embedSources, hubAccess, openImageTextModel } from "./dist/relevance/index.js";
const [folder, modelFolder, images, killAt, modelThreads, imageBatch] = process.argv.slice(2);
const model = await openImageTextModel(modelFolder, { hub: hubAccess({}), threads: Number(modelThreads) });
const files = readdirSync(images).sort((a, b) => Number.parseInt(a) - Number.parseInt(b));
let runs = 0;
const killing = (runner) => ({
  ...runner,
  embedImages: (b) => (runs++ === Number(killAt) ? process.kill(process.pid, "SIGKILL") : runner.embedImages(b)),
});
const killed = { ...killing(model), lanes: () => killing(model.lanes()) };
const report = await embedSources({
  folder, model: killed, onBad: "skip", imageBatch: Number(imageBatch), textBatch: 2, threads: 2,
  texts: ${JSON.stringify(texts)},
  images: {
    count: files.length, hash: "h", name: (row) => files[row],
    load: async (row) => new Uint8Array(readFileSync(images + "/" + files[row])),
  },
});
await model.close();
console.log(JSON.stringify({ ...report, lanes: model.imageLanes, runs }));
`;

  let compiled = "";
  beforeAll(() => {
    compiled = compileRooms("model", "kernels", "io", "codecs", "artefacts", "tokens", "relevance");
    writeFileSync(join(compiled, "run.mjs"), script);
  });
  afterAll(() => rmSync(compiled, { recursive: true }));

  it.each([
    ["the caller's thread", { threads: 1, lanes: 1, imageBatch: 3, killAt: 2, reused: 3 }],
    // The eighth run begins after five batches were handed to the disk, so that four are on it.
    ["two lanes", { threads: 2, lanes: 2, imageBatch: 1, killAt: 7, reused: 4 }],
    // Five images are three steps, so that both lanes work on one batch.
    ["two lanes with steps of a batch", { threads: 2, lanes: 2, imageBatch: 5, killAt: 2, reused: 0 }],
  ])(
    "decodes in worker threads, survives SIGKILL, and writes the same bytes: %s",
    { timeout: 180_000 },
    async (_, how) => {
      mkdirSync(join(folder, "images"));
      jpegs.forEach((bytes, i) => {
        writeFileSync(join(folder, "images", `${i}.jpg`), i === 5 ? "broken" : bytes);
      });
      const run = (out: string, killAt: number) => {
        const paths = [join(compiled, "run.mjs"), join(folder, out), modelFolder, join(folder, "images")];
        const numbers = [killAt, how.threads, how.imageBatch].map(String);
        return spawnSync(process.execPath, [...paths, ...numbers], { encoding: "utf8" });
      };
      const whole = run("whole", -1);
      expect(whole.stderr).toBe("");
      expect(JSON.parse(whole.stdout)).toMatchObject({
        images: { rows: 11, skipped: [{ row: 5, name: "5.jpg" }] },
        lanes: how.lanes,
        runs: Math.ceil(11 / how.imageBatch),
      });
      expect(run("cut", how.killAt).signal).toBe("SIGKILL");
      const rest = run("cut", -1);
      expect(rest.stderr).toBe("");
      expect((JSON.parse(rest.stdout) as { images: { reused: number } }).images.reused).toBeGreaterThanOrEqual(
        how.reused,
      );
      expect(await contents(join(folder, "cut"))).toEqual(await contents(join(folder, "whole")));
      const here = await embedSources(
        options({
          images: {
            ...source(jpegs.map((bytes, i) => (i === 5 ? new TextEncoder().encode("broken") : bytes))),
            name: (row) => `${row}.jpg`,
            hash: "h",
          },
          onBad: "skip",
          imageBatch: how.imageBatch,
        }),
      );
      expect(here.images.skipped).toHaveLength(1);
      expect(await contents(join(folder, "vectors"))).toEqual(await contents(join(folder, "whole")));
    },
  );
});
