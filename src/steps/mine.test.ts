import { rm } from "node:fs/promises";
import { expect, it } from "vitest";
import { scratchFolder, smallSource } from "../../test/small-pool.ts";
import { silentProgress } from "../io/index.ts";
import type { DatasetRecord } from "../model/index.ts";
import { importPool } from "../pool/index.ts";
import { embed, mine } from "./index.ts";

it("mining says in one line how many sentences are of languages whose position words are not known", async () => {
  const folder = await scratchFolder();
  const source = await smallSource(folder, { images: 4, refsPerImage: 1, valImages: 0 });
  const german = ["der Mann links", "das rote Auto"];
  async function* records(): AsyncGenerator<DatasetRecord> {
    let next = 0;
    for await (const record of source.records())
      yield record.type === "expression"
        ? { ...record, raw: german[next % 2] ?? "", sent: german[next++ % 2] ?? "" }
        : record;
  }
  const pool = `${folder}/pool`;
  const importing = { onBad: "fail", pack: false, force: false, progress: silentProgress } as const;
  await importPool(pool, { ...source, records }, importing);
  await embed(pool, { model: "lexical" });
  const remarks: string[] = [];
  await mine(pool, {}, { onRemark: (line) => remarks.push(line) });
  expect(remarks.filter((line) => line.includes("not in English"))).toEqual([
    expect.stringMatching(/^8 of 8 expressions .*: 4 of them name a place/),
  ]);
  await rm(folder, { recursive: true });
});
