import type { Batch, Loader } from "../loader/index.ts";
import { fail, type Plan } from "../model/index.ts";
import type { BatchPart, GetRequest } from "./messages.ts";

/** One raw array of a batch, and where it lies in the payload or the slot. */
export interface Tensor {
  readonly name: "image" | "mask" | "tokens";
  readonly dtype: "uint8" | "int32";
  readonly shape: readonly number[];
  /** A multiple of 64. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A batch as it travels: raw arrays, and side data as JSON. */
export interface BatchBody {
  readonly tensors: readonly Tensor[];
  /** End of the last array: what the payload, or a slot, has to hold. */
  readonly payloadBytes: number;
  readonly json: Readonly<Record<string, unknown>>;
}

const alignment = 64;

/** How many bytes a request's arrays take, before anything is drawn. */
export function payloadBytesOf(loader: Loader, request: Pick<GetRequest, "indices" | "want">): number {
  const { size, tokens } = loader.settings;
  const lengths = { image: size * size * 3, mask: size * size, tokens: tokens.kind === "none" ? 0 : 4 * tokens.length };
  let end = 0;
  for (const name of tensorNames)
    if (request.want.includes(name)) end = align(end) + lengths[name] * request.indices.length;
  return end;
}

/** Draws what a request wants. Errors: those of `Loader.get`; "usage" for truths of an augmented split. */
export async function makeBatch(loader: Loader, request: GetRequest): Promise<BatchBody> {
  const wants = (part: BatchPart): boolean => request.want.includes(part);
  if (wants("truths") && loader.augmented)
    fail("usage", `split "${loader.split}" is augmented: truth at original size exists for the other splits only`);
  const drawn = wants("image") || wants("mask") || wants("tokens");
  const batch = drawn ? await loader.get(request.epoch, request.indices) : undefined;
  const plans = batch?.plans ?? request.indices.map((index) => loader.plan(request.epoch, index));
  const tensors = batch === undefined ? [] : tensorsOf(batch, request.want);
  const truths = wants("truths") ? (batch?.truths ?? plans.map((plan) => loader.truth(plan))) : undefined;
  const last = tensors.at(-1);
  return {
    tensors,
    payloadBytes: last === undefined ? 0 : last.offset + last.bytes.length,
    json: {
      epoch: request.epoch,
      indices: request.indices,
      tensors: tensors.map(({ bytes, ...facts }) => ({ ...facts, bytes: bytes.length })),
      ...(wants("texts") ? { texts: plans.map((plan) => plan.text) } : {}),
      ...(wants("keys") ? { keys: plans.map((plan: Plan) => plan.expression) } : {}),
      ...(wants("plans") ? { plans } : {}),
      ...(truths === undefined
        ? {}
        : {
            truths: truths.map(({ height, width, counts }) => ({ size: [height, width], counts: Array.from(counts) })),
          }),
      replaced: batch?.replaced ?? [],
    },
  };
}

const tensorNames = ["image", "mask", "tokens"] as const;

function tensorsOf(batch: Batch, want: readonly BatchPart[]): Tensor[] {
  const { size, indices, tokenLength } = batch;
  const { buffer, byteOffset, byteLength } = batch.tokens;
  const all = {
    image: { dtype: "uint8", shape: [indices.length, size, size, 3], bytes: batch.image },
    mask: { dtype: "uint8", shape: [indices.length, size, size], bytes: batch.mask },
    tokens: {
      dtype: "int32",
      shape: [indices.length, tokenLength],
      bytes: new Uint8Array(buffer, byteOffset, byteLength),
    },
  } as const;
  let end = 0;
  return tensorNames
    .filter((name) => want.includes(name))
    .map((name) => {
      const offset = align(end);
      end = offset + all[name].bytes.length;
      return { name, ...all[name], offset };
    });
}

function align(at: number): number {
  return Math.ceil(at / alignment) * alignment;
}
