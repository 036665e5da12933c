import { rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelDir } from "../peers.ts";
import { scratchFolder } from "../small-pool.ts";
import { requireBuilt, run } from "./workplace.ts";

const model = modelDir();
const broken = "scene_000000000007.jpg";
let folder: string;

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("an error while lanes run a model", () => {
  it.skipIf(model === undefined)(
    "ends with its one line and status, not with a native abort",
    { timeout: 240_000 },
    async () => {
      const images = join(folder, "scenes", "images");
      const importing = ["import", "refer", "scenes/refer/scenes", "--images", images, "--pool", "pool", "--quiet"];
      for (const args of [["scenes", "scenes", "--count", "24", "--quiet"], importing])
        expect(await run(folder, args)).toMatchObject({ status: 0 });
      await truncate(join(images, broken), 6000);
      // By luck one run of five ended well before.
      for (let time = 0; time < 2; time++) {
        const { status, signal, err } = await run(folder, [
          "embed",
          "pool",
          "--model",
          model ?? "",
          "--quiet",
          "--threads",
          "2",
        ]);
        expect({ status, signal }, err).toEqual({ status: 4, signal: null });
        expect(err).toMatch(new RegExp(`^nemosaic: expected a sound image in ${broken}, .*\\n$`));
      }
    },
  );
});
