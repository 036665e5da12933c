import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, smallPool, tableScorer } from "../../../test/small-pool.ts";
import { silentProgress } from "../../io/index.ts";
import { Mined, type MinedSentences, type Pool } from "../../pool/index.ts";
import { mineSentences, openCandidateSentences } from "../index.ts";

const kinds = ["dog", "cat", "horse"];
const colours = ["black", "white", "brown"];
let pool: Pool;
let mined: Mined;

const score = (image: number, sentence: number): number => Math.fround(((image * 7 + sentence * 13) % 31) / 31);

beforeAll(async () => {
  pool = await smallPool({
    images: 12,
    valImages: 2,
    refsPerImage: 1,
    categoryOf: (image) => kinds[image % 3] ?? "",
    bystandersOf: (image) => [kinds[(image + 1) % 3] ?? "", "bench"],
    sentencesOf: (image) => [
      `${colours[Math.floor(image / 3) % 3]} ${kinds[image % 3]}`,
      image === 0 ? "left one" : `The ${kinds[image % 3]}!`,
    ],
  });
  await mineSmall(pool);
  await mine(64);
});
afterAll(async () => {
  await mined?.close();
  await pool.close();
});

async function mine(depth: number, stepImages = 5, force = false): Promise<void> {
  await mined?.close();
  const manifest = await manifestOf();
  const candidates = await openCandidateSentences(pool, ["train"]);
  const scorer = tableScorer(candidates.rows, score, () => 0);
  const options = {
    name: "default",
    mined: manifest,
    candidates,
    skipped: [3],
    depth,
    force,
    progress: silentProgress,
  };
  await mineSentences(pool, scorer, { ...options, stepImages });
  mined = (await Mined.open(pool.folder, "default", pool.manifest.hash)) as Mined;
}

async function manifestOf() {
  const opened = (await Mined.open(pool.folder, "default", pool.manifest.hash)) as Mined;
  await opened.close();
  return opened.manifest;
}

const textsOf = ({ ids }: MinedSentences): string[] => Array.from(ids, (row) => pool.expressions.sent[row] ?? "");

describe("mineSentences", () => {
  it("ranks every sentence of the splits that says what it is about, each once, exactly", () => {
    const { ids, t2i, candidates } = mined.sentences(1) as MinedSentences;
    const texts = textsOf({ ids } as MinedSentences);
    // Nine colours and kinds, three kinds alone; "left one" says nothing, and the last two images are of another split.
    expect([ids.length, candidates, new Set(texts.map((text) => text.toLowerCase())).size]).toEqual([12, 12, 12]);
    expect(mined.sentenceFacts).toMatchObject({ depth: 12, candidates: 12, unnamed: 1 });
    const order = [...ids].sort((a, b) => score(1, b) - score(1, a) || a - b);
    expect([...ids]).toEqual(order);
    expect([...t2i]).toEqual(order.map((row) => score(1, row)));
  });

  it("says what is true there, what shows the kind, and leaves images without vectors out", () => {
    const found = mined.sentences(1) as MinedSentences; // "black cat", with a horse and a bench
    const at = (text: string): number => textsOf(found).indexOf(text);
    expect([found.risk[at("black cat")], found.showsKind[at("black cat")]]).toEqual([1, 1]);
    expect([found.risk[at("black dog")], found.showsKind[at("black dog")]]).toEqual([0, 0]);
    expect(found.showsKind[at("The horse!")]).toBe(1);
    // Nobody says the colour of that horse: no colour is known to be false of it.
    expect(found.risk[at("white horse")]).toBeGreaterThanOrEqual(0.25);
    // White is what black excludes.
    expect(found.risk[at("white cat")]).toBeLessThan(0.25);
    expect(mined.sentences(3)).toBeUndefined();
  });

  it("gives the same bytes whatever the steps, and keeps the best where lists are cut", async () => {
    const file = join(pool.folder, "mined", "default", "sentence-ids.npy");
    const before = await readFile(file);
    await mine(64, 2, true);
    expect((await readFile(file)).equals(before)).toBe(true);
    const whole = mined.sentences(4) as MinedSentences;
    await mine(5, 12, true);
    const cut = mined.sentences(4) as MinedSentences;
    expect([...cut.ids]).toEqual([...whole.ids.subarray(0, 5)]);
    expect([...cut.risk]).toEqual([...whole.risk.subarray(0, 5)]);
    expect(cut.candidates).toBe(12);
  });
});
