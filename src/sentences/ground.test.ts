import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { groundDir } from "../../test/peers.ts";
import { scratchFolder } from "../../test/small-pool.ts";
import { Pool } from "../pool/index.ts";
import { importDataset } from "../steps/index.ts";
import { EditedSentences } from "./index.ts";

interface Thing {
  readonly image: number;
  readonly cls: string;
  readonly facing: string | null;
  readonly colour: string | null;
  readonly colours: readonly string[];
}

const ground = groundDir();

it.skipIf(ground === undefined)(
  "edits of colours and directions are seldom true of photographs, whose truth no rule has seen",
  async () => {
    const folder = join(ground ?? "", "photos");
    const to = join(await scratchFolder(), "pool");
    await importDataset(to, {
      format: "refer",
      source: join(folder, "refer", "photos"),
      images: join(folder, "images"),
    });
    const pool = await Pool.open(to);
    const things = new Map<number, Thing[]>();
    for (const line of (await readFile(join(folder, "truth.jsonl"), "utf8")).trim().split("\n")) {
      const thing = JSON.parse(line) as Thing;
      things.set(thing.image, [...(things.get(thing.image) ?? []), thing]);
    }
    const edits = new EditedSentences(pool);
    const counts = { colour: [0, 0], faces: [0, 0] };
    for (let row = 0; row < pool.expressions.count; row += 2) {
      const image = pool.refs.image[pool.expressions.ref[row] ?? 0] ?? 0;
      const number = Number(basename(pool.imageName(image)).replace("_", "").replace(/\D.*$/, ""));
      for (const { condition, category, to: word } of edits.of(row)) {
        const same = (things.get(number) ?? []).filter(({ cls }) => cls === category);
        const isTrue =
          condition.holds === "colour"
            ? same.some(({ colour, colours }) => colour === word || colours.includes(word))
            : same.some(({ facing }) => facing === null || facing === word);
        if (condition.holds !== "colour" && condition.holds !== "faces") continue;
        const count = counts[condition.holds];
        count[0] = (count[0] ?? 0) + 1;
        if (isTrue) count[1] = (count[1] ?? 0) + 1;
      }
    }
    await pool.close();
    for (const [made, wrong] of Object.values(counts)) {
      expect(made).toBeGreaterThan(100);
      expect((wrong ?? 0) / (made ?? 1)).toBeLessThan(0.03);
    }
  },
);
