import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Tokenizer as HubTokenizer } from "@huggingface/tokenizers";
import { fail, NemosaicError, quoteValue } from "../model/index.ts";
import { cleaningOf, withLowercase } from "./cleaning.ts";
import { makeTokenizer, type Tokenizer } from "./tokenizer.ts";

/**
 * Loads the tokenizer of a model in the hub's layout: a folder with `tokenizer.json` (or that file itself), and beside
 * it `tokenizer_config.json` and `config.json` where they exist (or `modelConfig` in its place). Byte pairs (CLIP, SigLIP 2),
 * word pieces (BERT) and unigrams (SigLIP, T5) work, with the cleaning of texts that the files name. Padding goes to the
 * right; context length is the smallest of what the files state (where they state none 64 for SigLIP, else 77).
 * Errors: `not-found`, `bad-input`, `unsupported` (left padding, several start or end tokens).
 */
export async function loadTokenizer(path: string, modelConfig?: Readonly<Record<string, unknown>>): Promise<Tokenizer> {
  const folder = path.endsWith(".json") ? dirname(path) : path;
  const file = path.endsWith(".json") ? path : join(path, "tokenizer.json");
  const json = await readJson(file);
  if (json === undefined) {
    fail("not-found", `expected the tokenizer "${file}", found no such file: export the model with its tokenizer.json`);
  }
  const config = (await readJson(join(folder, "tokenizer_config.json"))) ?? {};
  const facts = modelConfig ?? (await readJson(join(folder, "config.json"))) ?? {};
  return parseTokenizer({ json, config, modelConfig: facts, where: file });
}

/** The parsed files of `loadTokenizer`; `where` names the tokenizer in errors. */
export interface TokenizerFiles {
  readonly json: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly modelConfig: Readonly<Record<string, unknown>>;
  readonly where: string;
}

/** `loadTokenizer` for files already read. */
export function parseTokenizer({ json, config, modelConfig, where }: TokenizerFiles): Tokenizer {
  const kind = record(json.model).type ?? "BPE";
  const side = config.padding_side ?? (leftPadded.test(String(config.tokenizer_class)) ? "left" : undefined);
  if (side !== undefined && side !== "right") {
    fail(
      "unsupported",
      `expected padding_side "right" beside "${where}", got ${quoteValue(side)}${config.padding_side === undefined ? `, which ${String(config.tokenizer_class)} takes where tokenizer_config.json says nothing` : ""}`,
    );
  }
  let hub: HubEncoder;
  try {
    hub = new HubTokenizer(withLowercase(json, config), config) as HubEncoder;
    hub.encode("a");
  } catch (cause) {
    return fail("bad-input", `expected a tokenizer of the hub's format in "${where}", got: ${messageOf(cause)}`, cause);
  }
  const frame = frameOf(hub, where);
  const cleaning = cleaningOf({ json, config, modelConfig });
  return makeTokenizer({
    name: String(kind),
    ...(cleaning === undefined ? {} : { cleaning: cleaning.name }),
    contextLength: contextLengthOf(config, modelConfig),
    ...frame,
    padId: padIdOf(hub, { json, config, modelConfig }),
    ids: (text) => hub.encode(cleaning?.clean(text) ?? text, { add_special_tokens: false }).ids,
  });
}

/** transformers pads these to the left unless tokenizer_config.json says otherwise. */
const leftPadded = /^(Gemma|Siglip2)Tokenizer/;

/** What is used of the package's tokenizer; its own declarations do not resolve under NodeNext. */
interface HubEncoder {
  encode(text: string, options?: { readonly add_special_tokens?: boolean }): { readonly ids: number[] };
  token_to_id(token: string): number | undefined;
}

interface Frame {
  readonly startId: number | undefined;
  readonly endId: number | undefined;
}

/** The tokens that the post-processor puts around a text, found by comparing one text with and without. */
function frameOf(hub: HubEncoder, where: string): Frame {
  const bare = hub.encode("a", { add_special_tokens: false }).ids;
  const framed = hub.encode("a").ids;
  for (let before = 0; before + bare.length <= framed.length; before++) {
    const after = framed.length - before - bare.length;
    if (before > 1 || after > 1 || !bare.every((id, i) => framed[before + i] === id)) continue;
    return {
      startId: before === 1 ? framed[0] : undefined,
      endId: after === 1 ? framed[framed.length - 1] : undefined,
    };
  }
  return fail(
    "unsupported",
    `expected at most one token before and one after a text in "${where}", got ${quoteValue(framed)} around ${quoteValue(bare)}`,
  );
}

/** Libraries write 1e30 for "no limit"; nothing above this is a real context. */
const longestContext = 1 << 20;

function contextLengthOf(
  config: Readonly<Record<string, unknown>>,
  modelConfig: Readonly<Record<string, unknown>>,
): number {
  const stated = [
    config.model_max_length,
    config.max_length,
    record(modelConfig.text_config).max_position_embeddings,
    record(modelConfig.text_config).context_length,
    record(modelConfig.text_cfg).context_length,
  ].filter((value): value is number => typeof value === "number" && value > 1 && value <= longestContext);
  if (stated.length > 0) return Math.min(...stated);
  const kind = [config.tokenizer_class, modelConfig.model_type, record(modelConfig.text_config).model_type];
  return kind.some((name) => /^siglip/i.test(String(name))) ? 64 : 77;
}

function padIdOf(hub: HubEncoder, files: Omit<TokenizerFiles, "where">): number {
  const token = files.config.pad_token;
  const content = typeof token === "string" ? token : record(token).content;
  const byName = typeof content === "string" ? hub.token_to_id(content) : undefined;
  const stated = [byName, record(files.json.padding).pad_id, record(files.modelConfig.text_config).pad_token_id];
  return stated.find((id): id is number => typeof id === "number") ?? 0;
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return fail("io", `could not read "${path}": ${messageOf(cause)}`, cause);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new NemosaicError("bad-input", `expected a JSON object in "${basename(path)}", got ${quoteValue(value)}`);
  } catch (cause) {
    if (cause instanceof NemosaicError) throw cause;
    return fail("bad-input", `expected JSON in "${path}": ${messageOf(cause)}`, cause);
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
