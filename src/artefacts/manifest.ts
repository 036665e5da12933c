import { readFile } from "node:fs/promises";
import { z } from "zod";
import { fail, quoteValue } from "../model/index.ts";

/** A SHA-256 in hex. */
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256");

/** A whole number of `least` to `most`. */
export function wholeNumber(least = 0, most = Number.MAX_SAFE_INTEGER) {
  return z.number().int().min(least).max(most);
}

/** What the head of a manifest is to say. */
export interface ManifestKind {
  readonly format: string;
  readonly version: number;
  /** What makes the file anew, for errors: "mine again with --force". */
  readonly remake: string;
}

/**
 * The JSON of a manifest that has the format and version of `kind`; undefined where there is no file. Errors: "bad-input" for
 * no JSON, another format or another version, saying what to do.
 */
export async function readManifestJson(path: string, kind: ManifestKind): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    return fail("io", `cannot read "${path}": ${error.message}`, error);
  });
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail("bad-input", `expected JSON in "${path}": ${(error as Error).message}; ${kind.remake}`, error);
  }
  requireHead(value, path, kind);
  return value;
}

/** Asserts format and version. Errors: "bad-input": what was expected, what came, and what to do about it. */
export function requireHead(value: unknown, path: string, { format, version, remake }: ManifestKind): void {
  const head = Object(value) as { format?: unknown; version?: unknown; producer?: unknown };
  if (head.format !== format)
    fail("bad-input", `expected format "${format}" in "${path}", got ${quoteValue(head.format)}; ${remake}`);
  if (head.version === version) return;
  const by = typeof head.producer === "string" ? `, written by ${quoteValue(head.producer)}` : "";
  const isNewer = typeof head.version === "number" && head.version > version;
  const advice = isNewer ? `upgrade nemosaic to read it, or ${remake}` : remake;
  fail(
    "bad-input",
    `expected version ${version} of ${format} in "${path}", got ${quoteValue(head.version)}${by}; ${advice}`,
  );
}

/** Reads a manifest whole: as `readManifestJson`, then by `schema`, of which `format` and `version` are a part. */
export async function readManifest<T>(path: string, schema: z.ZodType<T>, kind: ManifestKind): Promise<T | undefined> {
  const value = await readManifestJson(path, kind);
  if (value === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  return fail("bad-input", `"${path}" is damaged (${firstIssue(result.error, value)}); ${kind.remake}`);
}

/** The first thing that is wrong with `value`, in our words: "expected a list for rows, got 7". */
export function firstIssue(error: z.ZodError, value: unknown): string {
  const [issue] = error.issues;
  if (issue === undefined) return "no reason";
  const where = issue.path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`),
    "",
  );
  const came = issue.path.reduce<unknown>((tree, key) => (Object(tree) as Record<PropertyKey, unknown>)[key], value);
  return `expected ${expectation(issue)} for ${where === "" ? "its content" : where}, got ${quoteValue(came)}`;
}

type Issue = z.core.$ZodIssue;

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return words[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.map(String).join(" or ");
    case "too_small":
      return `${amount(issue.origin)} of at least ${issue.minimum}`;
    case "too_big":
      return `${amount(issue.origin)} of at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const words: Readonly<Record<string, string>> = {
  object: "an object",
  record: "an object",
  array: "a list",
  tuple: "a list",
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

function amount(origin: string): string {
  return origin === "array" ? "a list" : origin === "string" ? "text" : "a number";
}
