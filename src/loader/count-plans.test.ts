import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool } from "../../test/small-pool.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { countPlans, Loader } from "./index.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await smallPool({ images: 20, refsPerImage: 2, valImages: 2 });
  await mineSmall(pool);
});
afterAll(() => pool.close());

const countOf = async (tooFew: string, k: number, tau = 0.6) => {
  const settings = parseSettings({ mosaic: { gamma: 1 }, band: { tau, tauImage: null, k }, tooFew }, "test");
  const loader = await Loader.open(pool, settings);
  const counts = countPlans(loader, 0, Array.from({ length: loader.length }, (_, index) => index).values());
  await loader.close();
  return counts;
};

describe("countPlans", () => {
  it("counts kinds, policies, and where a run would stop", async () => {
    expect(await countOf("widen", 12)).toEqual({
      plans: 36,
      asked: 36,
      mosaics: 36,
      kinds: { mined: 36 },
      policies: {},
      stopped: 0,
    });
    expect(await countOf("widen", 2)).toEqual({
      plans: 36,
      asked: 36,
      mosaics: 36,
      kinds: { mined: 36 },
      policies: { widen: 36 },
      stopped: 0,
    });
    expect(await countOf("single", 2)).toEqual({
      plans: 36,
      asked: 36,
      mosaics: 0,
      kinds: { single: 36 },
      policies: { single: 36 },
      stopped: 0,
    });
    expect(await countOf("random", 2)).toEqual({
      plans: 36,
      asked: 36,
      mosaics: 36,
      kinds: { random: 36 },
      policies: { random: 36 },
      stopped: 0,
    });
    expect(await countOf("error", 12, -0.9)).toEqual({
      plans: 36,
      asked: 36,
      mosaics: 0,
      kinds: {},
      policies: {},
      stopped: 36,
    });
  });
});
