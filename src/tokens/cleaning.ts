import { basicClean, cleanText, foldSpace } from "./clean-text.ts";

/** What is done to a text before a tokenizer.json sees it. */
export interface Cleaning {
  readonly name: "lower" | "canonical" | "open_clip whitespace" | "open_clip lower" | "open_clip canonicalize";
  clean(text: string): string;
}

/**
 * What the programs that models were trained with do to a text before its tokens, and tokenizer.json does not hold:
 *
 * - transformers' SiglipTokenizer: lower case (unless `do_lower_case` is false), punctuation away, white space folded;
 * - `do_lower_case` of tokenizer_config.json: lower case (SigLIP 2 was trained so);
 * - open_clip's `tokenizer_kwargs.clean` of a tokenizer from the hub: "whitespace" where nothing is said.
 *
 * Undefined where nothing is done. Errors: none; BERT's own normaliser is `withLowercase`'s.
 */
export function cleaningOf({ json, config, modelConfig }: TextFiles): Cleaning | undefined {
  const kind = String(config.tokenizer_class ?? "");
  const textConfig = record(modelConfig.text_cfg);
  if (textConfig.hf_tokenizer_name !== undefined) {
    const { clean } = record(textConfig.tokenizer_kwargs);
    if (clean === "canonicalize") return { name: "open_clip canonicalize", clean: canonicalize };
    if (clean === "lower") return { name: "open_clip lower", clean: cleanText };
    return { name: "open_clip whitespace", clean: (text) => foldSpace(basicClean(text)) };
  }
  const lowers = config.do_lower_case ?? /^Siglip/.test(kind);
  if (/^SiglipTokenizer/.test(kind))
    return { name: "canonical", clean: (text) => withoutPunctuation(lowers === false ? text : text.toLowerCase()) };
  if (lowers !== true || record(json.normalizer).type === "BertNormalizer") return undefined;
  return { name: "lower", clean: (text) => text.toLowerCase() };
}

/** As transformers does: BERT's normaliser takes `do_lower_case` of tokenizer_config.json over what it says itself. */
export function withLowercase(json: Json, { do_lower_case: lowercase }: Json): Json {
  const normalizer = record(json.normalizer);
  if (normalizer.type !== "BertNormalizer" || typeof lowercase !== "boolean") return json;
  return { ...json, normalizer: { ...normalizer, lowercase } };
}

type Json = Readonly<Record<string, unknown>>;

/** tokenizer.json, tokenizer_config.json and the model's config.json. */
interface TextFiles {
  readonly json: Json;
  readonly config: Json;
  readonly modelConfig: Json;
}

/** open_clip's canonicalize_text behind its basic cleaning; big_vision's for SigLIP. */
function canonicalize(text: string): string {
  return withoutPunctuation(cleanText(text).replaceAll("_", " "));
}

/** ASCII punctuation away, white space folded. */
function withoutPunctuation(text: string): string {
  return foldSpace(text.replace(/[!-/:-@[-`{-~]/g, ""));
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
