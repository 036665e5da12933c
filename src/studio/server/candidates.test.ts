import { expect, it } from "vitest";
import { bandOf } from "../../band/index.ts";
import type { Mined, Pool } from "../../pool/index.ts";
import { parseSettings, resolveSettings } from "../../settings/index.ts";
import type { CandidateAnswer } from "../page/contract.ts";
import { unpack } from "../page/unpack.ts";
import { candidatesOf } from "./candidates.ts";
import { pack } from "./pack.ts";

it("bands on the page as here where an imported list lacks the own image's score", () => {
  const pool = { expressions: { ref: [0] }, refs: { image: [9] }, targetsOfRef: () => [0] } as unknown as Pool;
  const row = {
    ids: Int32Array.of(1, 2, 3),
    t2i: Float32Array.of(0.5, 0.25, -0.25),
    i2i: new Float32Array(3),
    truncated: false,
    rank: "t2i",
  };
  const mined = { own: Float32Array.of(Number.NaN), row: () => row } as unknown as Mined;
  const settings = resolveSettings(
    parseSettings({ band: { tau: null, tauImage: null, margin: 0.125, risk: null } }, "the test"),
    undefined,
  );
  const here = candidatesOf(pool, mined, { of: () => undefined } as never, 0);
  const page = unpack(pack(here).buffer) as CandidateAnswer;
  expect(bandOf(here.row, here.context, settings).size).toBe(3);
  expect(bandOf(page.row, page.context, settings)).toEqual(bandOf(here.row, here.context, settings));
});
