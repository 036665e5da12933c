import type { BatchFacts, Canvas, Loader } from "../loader/index.ts";
import { fail, type Plan } from "../model/index.ts";
import type { BatchPart, GetRequest } from "./messages.ts";

/** One raw array of a batch, and where it lies in the payload or the slot. */
export interface Tensor {
  readonly name: "image" | "mask" | "tokens";
  readonly dtype: "uint8" | "int32";
  readonly shape: readonly number[];
  /** A multiple of 64. */
  readonly offset: number;
  readonly bytes: number;
}

/** A batch as it travels: raw arrays, and side data as JSON. */
export interface BatchBody {
  readonly tensors: readonly Tensor[];
  /** The arrays' bytes in their order; absent where they were written while they were made. */
  readonly arrays?: readonly Uint8Array[];
  /** End of the last array: what the payload, or a slot, has to hold. */
  readonly payloadBytes: number;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Takes bytes of a batch as soon as there are some; they are only good during the call. */
export type WriteAt = (offset: number, bytes: Uint8Array) => void;

const alignment = 64;

/** How many bytes a request's arrays take, before anything is drawn. */
export function payloadBytesOf(loader: Loader, request: Pick<GetRequest, "indices" | "want">): number {
  const last = tensorsOf(loader, request).at(-1);
  return last === undefined ? 0 : last.offset + last.bytes;
}

/**
 * Draws what a request wants. With `write` the arrays go there sample by sample, over one canvas; else they are in the
 * body. Errors: those of `Loader.get` and of `write`; "usage" for truths of an augmented split.
 */
export async function makeBatch(loader: Loader, request: GetRequest, write?: WriteAt): Promise<BatchBody> {
  const { epoch, indices, want } = request;
  const wants = (part: BatchPart): boolean => want.includes(part);
  if (wants("truths") && loader.augmented)
    fail("usage", `split "${loader.split}" is augmented: truth at original size exists for the other splits only`);
  const tensors = tensorsOf(loader, request);
  const draws = tensors.length > 0;
  const whole = draws && write === undefined ? await loader.get(epoch, indices) : undefined;
  const batch = draws && write !== undefined ? await drawTo(loader, request, tensors, write) : whole;
  const plans = batch?.plans ?? indices.map((index) => loader.plan(epoch, index));
  const truths = wants("truths") ? (batch?.truths ?? plans.map((plan) => loader.truth(plan))) : undefined;
  return {
    tensors,
    ...(whole === undefined ? {} : { arrays: tensors.map(({ name }) => bytesOf(whole[name])) }),
    payloadBytes: payloadBytesOf(loader, request),
    json: {
      epoch,
      indices,
      tensors,
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

async function drawTo(
  loader: Loader,
  { epoch, indices }: GetRequest,
  tensors: readonly Tensor[],
  write: WriteAt,
): Promise<BatchFacts> {
  const canvas = canvasOf(loader);
  const [image, mask, tokens] = tensorNames.map((name) => tensors.find((tensor) => tensor.name === name));
  const facts = await loader.drawEach(epoch, indices, {
    canvas: () => canvas,
    drawn: (at) => {
      if (image !== undefined) write(image.offset + at * canvas.image.length, canvas.image);
      if (mask !== undefined) write(mask.offset + at * canvas.mask.length, canvas.mask);
    },
  });
  if (tokens !== undefined) write(tokens.offset, bytesOf(facts.tokens));
  return facts;
}

/** Samples are drawn and passed on without leaving the thread: one canvas serves all of a loader's. */
const canvases = new WeakMap<Loader, Canvas>();

function canvasOf(loader: Loader): Canvas {
  const known = canvases.get(loader);
  if (known !== undefined) return known;
  const { size } = loader.settings;
  const [image, mask] = [new Uint8Array(size * size * 3), new Uint8Array(size * size)];
  const canvas = { image, imageOffset: 0, mask, maskOffset: 0 };
  canvases.set(loader, canvas);
  return canvas;
}

const tensorNames = ["image", "mask", "tokens"] as const;

function tensorsOf({ settings }: Loader, { indices, want }: Pick<GetRequest, "indices" | "want">): Tensor[] {
  const { size, tokens } = settings;
  const shapes = {
    image: [indices.length, size, size, 3],
    mask: [indices.length, size, size],
    tokens: [indices.length, tokens.kind === "none" ? 0 : tokens.length],
  };
  let end = 0;
  return tensorNames
    .filter((name) => want.includes(name))
    .map((name) => {
      const dtype = name === "tokens" ? "int32" : "uint8";
      const shape = shapes[name];
      const offset = Math.ceil(end / alignment) * alignment;
      const bytes = shape.reduce((product, side) => product * side, dtype === "int32" ? 4 : 1);
      end = offset + bytes;
      return { name, dtype, shape, offset, bytes };
    });
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
