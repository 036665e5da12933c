import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTokenizer, openTokenizer, parseTokenizer, tokenizerNames } from "./index.ts";

const fixtures = join(import.meta.dirname, "../../test/fixtures/tokenizers");
const expected = {
  clip: { name: "BPE", contextLength: 77, startId: 660, endId: 661, padId: 661 },
  bert: { name: "WordPiece", contextLength: 32, startId: 2, endId: 3, padId: 0 },
  siglip: { name: "Unigram", contextLength: 64, startId: undefined, endId: 1, padId: 1 },
};

describe.each(Object.entries(expected))("a %s tokenizer.json", (kind, facts) => {
  it("states its kind, length and special tokens", async () => {
    const { name, contextLength, startId, endId, padId } = await loadTokenizer(join(fixtures, kind));
    expect({ name, contextLength, startId, endId, padId }).toEqual(facts);
  });

  it("gives the ids of Hugging Face's own library, cut and padded", async () => {
    const tokenizer = await loadTokenizer(join(fixtures, kind, "tokenizer.json"));
    const lines = readFileSync(join(fixtures, kind, "expected.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      const { text, ids, framed } = JSON.parse(line) as { text: string; ids: number[]; framed: number[] };
      expect(tokenizer.ids(text), text).toEqual(ids);
      const long = [...tokenizer.encode(text, 256)];
      expect(long.slice(0, framed.length), text).toEqual(framed);
      expect(long.slice(framed.length).every((id) => id === facts.padId)).toBe(true);
      const short = [...tokenizer.encode(text, 4)];
      expect(short).toHaveLength(4);
      if (framed.length >= 4) expect(short).toEqual([...framed.slice(0, 3), facts.endId]);
    }
  });
});

describe("hostile tokenizers", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "nemosaic-tokens-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("names a missing file", async () => {
    await expect(loadTokenizer(join(folder, "nowhere"))).rejects.toMatchObject({ code: "not-found" });
  });

  it("names a file that is not JSON, not an object, or no tokenizer", async () => {
    for (const text of ["{", "[]", '{"model":{"type":"WordSoup"}}']) {
      const file = join(folder, "tokenizer.json");
      await writeFile(file, text);
      await expect(loadTokenizer(folder), text).rejects.toMatchObject({ code: "bad-input" });
    }
  });

  it("refuses left padding", () => {
    const json = JSON.parse(readFileSync(join(fixtures, "bert/tokenizer.json"), "utf8")) as Record<string, unknown>;
    expect(() => parseTokenizer({ json, config: { padding_side: "left" }, modelConfig: {}, where: "x" })).toThrow(
      "padding_side",
    );
  });
});

describe("the registry", () => {
  it("opens every name it lists and suggests the nearest for another", () => {
    expect(tokenizerNames.map((name) => openTokenizer(name).name)).toEqual(tokenizerNames);
    expect(() => openTokenizer("clpi")).toThrow('Did you mean "clip"? Valid: clip, bert');
    expect(() => openTokenizer("toString")).toThrow("unknown tokenizer");
  });
});
