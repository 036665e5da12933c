import { z } from "zod";
import { fail, quoteValue } from "../model/index.ts";

/** What a batch can hold; a request names the parts it wants. Pixels are drawn only where image or mask is wanted. */
export const batchParts = ["image", "mask", "tokens", "texts", "keys", "plans", "truths"] as const;

export type BatchPart = (typeof batchParts)[number];

const whole = z.number().int().nonnegative();

const helloSchema = z.strictObject({
  client: z.string().max(200),
  split: z.string().max(200),
  seed: whole,
  /** A settings tree as in nemosaic.json; null = the server's own settings. */
  settings: z.record(z.string(), z.unknown()).nullable(),
  /** key=value words over it, as --set takes them. */
  set: z.array(z.string()).max(1000),
  /** Requests that the client wants to have under way at a time. */
  credits: z.number().int().min(1).max(1024),
});

const slotsSchema = z.strictObject({
  path: z.string().max(200),
  slots: z.number().int().min(1).max(1024),
  slotBytes: z.number().int().min(1),
  token: z.string().regex(/^[0-9a-f]{64}$/),
});

const getSchema = z.strictObject({
  epoch: z.number().int().min(0).max(0xffffffff),
  indices: z.array(whole).max(1_000_000),
  slot: whole.nullable(),
  want: z.array(z.enum(batchParts)),
});

export type Hello = z.infer<typeof helloSchema>;
export type SlotsOffer = z.infer<typeof slotsSchema>;
export type GetRequest = z.infer<typeof getSchema>;

/** Checks a message's JSON. Errors: "bad-input" with the first field that is wrong. */
export const parseHello = (body: unknown): Hello => parse(helloSchema, body, "hello");
export const parseSlots = (body: unknown): SlotsOffer => parse(slotsSchema, body, "slots");
export const parseGet = (body: unknown): GetRequest => parse(getSchema, body, "get");

function parse<T>(schema: z.ZodType<T>, body: unknown, kind: string): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return fail(
    "bad-input",
    `the client's "${kind}" message is wrong at ${issue?.path.join(".") || "its top"}: ${issue?.message}, got ${quoteValue(body)}`,
  );
}
