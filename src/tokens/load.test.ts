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

describe("what is done to a text before its tokens", () => {
  const read = (kind: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(fixtures, kind, "tokenizer.json"), "utf8")) as Record<string, unknown>;
  const idsWith = (
    kind: string,
    config: Record<string, unknown>,
    modelConfig: Record<string, unknown> = {},
  ): ((text: string) => number[]) => {
    const json = { ...read(kind), ...(kind === "bert" ? {} : { normalizer: null }) };
    const tokenizer = parseTokenizer({ json, config, modelConfig, where: "x" });
    return (text) => tokenizer.ids(text);
  };

  it("is lower case where tokenizer_config.json says do_lower_case and tokenizer.json does not", () => {
    const plain = idsWith("siglip", { tokenizer_class: "PreTrainedTokenizerFast" });
    const lower = idsWith("siglip", {
      tokenizer_class: "GemmaTokenizerFast",
      padding_side: "right",
      do_lower_case: true,
    });
    expect(plain("The Red Cup")).not.toEqual(plain("the red cup"));
    expect(lower("The Red Cup")).toEqual(plain("the red cup"));
  });

  it("is SigLIP's: lower case, no punctuation, folded space, whether tokenizer.json holds it or not", () => {
    const plain = idsWith("siglip", {});
    const siglip = idsWith("siglip", { tokenizer_class: "SiglipTokenizer" });
    expect(siglip("The  Red-Cup, left!")).toEqual(plain("the redcup left"));
    const cased = idsWith("siglip", { tokenizer_class: "SiglipTokenizer", do_lower_case: false });
    expect(cased("Red!")).toEqual(plain("Red"));
  });

  it("is BERT's own normaliser with the case that tokenizer_config.json says", () => {
    const [lower, cased] = [true, false].map((flag) => idsWith("bert", { do_lower_case: flag }));
    expect(lower?.("Red")).toEqual(lower?.("red"));
    expect(cased?.("Red")).not.toEqual(lower?.("red"));
  });

  it("is open_clip's for a tokenizer that its configuration takes from the hub", () => {
    const plain = idsWith("siglip", {});
    const withClean = (clean?: string): ((text: string) => number[]) => {
      const kwargs = clean === undefined ? {} : { tokenizer_kwargs: { clean } };
      return idsWith("siglip", {}, { text_cfg: { hf_tokenizer_name: "org/tokens", ...kwargs } });
    };
    expect(withClean("canonicalize")("A red_cup,  left &amp; right.")).toEqual(plain("a red cup left right"));
    expect(withClean("lower")("A  Red, cup")).toEqual(plain("a red, cup"));
    expect(withClean()(" A  Red cup")).toEqual(plain("A Red cup"));
  });
});

describe("the length where no file states one", () => {
  it("is SigLIP's 64 or CLIP's 77", () => {
    const json = JSON.parse(readFileSync(join(fixtures, "siglip/tokenizer.json"), "utf8")) as Record<string, unknown>;
    const length = (config: object, modelConfig: object): number =>
      parseTokenizer({ json, config: { ...config }, modelConfig: { ...modelConfig }, where: "x" }).contextLength;
    const limitless = { model_max_length: 1e30 };
    expect(length(limitless, { model_type: "siglip" })).toBe(64);
    expect(length({ tokenizer_class: "Siglip2Tokenizer", padding_side: "right" }, {})).toBe(64);
    expect(length(limitless, { text_config: { model_type: "siglip2_text_model" } })).toBe(64);
    expect(length(limitless, { model_type: "clip" })).toBe(77);
    expect(length(limitless, { text_cfg: { context_length: 32 } })).toBe(32);
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
    const gemma = { tokenizer_class: "GemmaTokenizerFast" };
    expect(() => parseTokenizer({ json, config: gemma, modelConfig: {}, where: "x" })).toThrow(
      "which GemmaTokenizerFast takes where tokenizer_config.json says nothing",
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
