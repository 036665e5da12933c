import type { Tensor } from "onnxruntime-node";
import { fail, quoteValue } from "../../model/index.ts";
import type { TokenBatch } from "../../tokens/index.ts";
import { type FloatMatrix, floatTensor, type OnnxSession, type Port, wholeTensor } from "./session.ts";

/**
 * What a session is fed and asked for, found by looking at its ports. A whole model that holds both towers has the
 * other tower's inputs too; they get the smallest stand-in.
 */
export interface VisionTower {
  /** [count, 3, height, width] pixels → raw image vectors, [count, dimension]. */
  run(pixels: Float32Array, count: number, height: number, width: number): Promise<FloatMatrix>;
  readonly pixels: Port;
  readonly output: Port;
}

export interface TextTower {
  run(tokens: TokenBatch): Promise<FloatMatrix>;
  /** Whether padding may be left off: it is masked and the sequence axis is free. */
  readonly mayShorten: boolean;
  /** The length that the model insists on, or undefined. */
  readonly fixedLength: number | undefined;
  /** The texts that the model insists on in one run, or undefined. */
  readonly fixedCount: number | undefined;
  readonly output: Port;
}

const visionOutputs = [
  "image_embeds",
  "image_embeddings",
  "image_embedding",
  "image_features",
  "pooler_output",
  "sentence_embedding",
];
const textOutputs = [
  "text_embeds",
  "text_embeddings",
  "text_embedding",
  "text_features",
  "pooler_output",
  "sentence_embedding",
];

/** Finds the image side of `session`; `bad-input` where there is none. */
export function visionTower(session: OnnxSession, standInSize: { height: number; width: number }): VisionTower {
  const pixels =
    session.inputs.get("pixel_values") ?? [...session.inputs.values()].find((port) => port.shape.length === 4);
  if (pixels === undefined)
    return fail("bad-input", `expected an input "pixel_values" in "${session.path}", ${portText(session)}`);
  const output = pickOutput(session, visionOutputs);
  return {
    pixels,
    output,
    async run(values, count, height, width) {
      const feeds: Record<string, Tensor> = {
        [pixels.name]: floatTensor(pixels, values, [count, 3, height, width]),
      };
      addStandIns(feeds, session, standInSize);
      return checkRows(await session.run(feeds, output.name), count, session);
    },
  };
}

/** Finds the text side of `session`; `bad-input` where there is none. */
export function textTower(session: OnnxSession, standInSize: { height: number; width: number }): TextTower {
  const ids = session.inputs.get("input_ids") ?? session.inputs.get("text");
  if (ids === undefined)
    return fail("bad-input", `expected an input "input_ids" in "${session.path}", ${portText(session)}`);
  const mask = session.inputs.get("attention_mask");
  const positions = session.inputs.get("position_ids");
  const types = session.inputs.get("token_type_ids");
  const output = pickOutput(session, textOutputs);
  const axis = ids.shape[1];
  const fixedLength = typeof axis === "number" ? axis : undefined;
  return {
    output,
    fixedLength,
    fixedCount: typeof ids.shape[0] === "number" ? ids.shape[0] : undefined,
    mayShorten: mask !== undefined && fixedLength === undefined,
    async run({ ids: values, mask: maskValues, count, length }) {
      const shape = [count, length];
      const feeds: Record<string, Tensor> = { [ids.name]: wholeTensor(ids, values, shape) };
      if (mask !== undefined) feeds[mask.name] = wholeTensor(mask, maskValues, shape);
      if (types !== undefined) feeds[types.name] = wholeTensor(types, new Int32Array(values.length), shape);
      if (positions !== undefined) {
        const rows = positions.shape[0] === 1 ? 1 : count;
        const values_ = Int32Array.from({ length: rows * length }, (_, i) => i % length);
        feeds[positions.name] = wholeTensor(positions, values_, [rows, length]);
      }
      addStandIns(feeds, session, standInSize);
      return checkRows(await session.run(feeds, output.name), count, session);
    },
  };
}

/** One row of zeros for each input of the other tower. */
function addStandIns(
  feeds: Record<string, Tensor>,
  session: OnnxSession,
  size: { readonly height: number; readonly width: number },
): void {
  for (const port of session.inputs.values()) {
    if (feeds[port.name] !== undefined) continue;
    if (port.shape.length === 4) {
      feeds[port.name] = floatTensor(port, new Float32Array(3 * size.height * size.width), [
        1,
        3,
        size.height,
        size.width,
      ]);
    } else if (port.shape.length === 2) {
      const length = typeof port.shape[1] === "number" ? port.shape[1] : 8;
      const ones = new Int32Array(length).fill(port.name === "attention_mask" ? 1 : 0);
      feeds[port.name] = wholeTensor(port, ones, [1, length]);
    } else {
      fail("unsupported", `the model "${session.path}" wants an input ${quoteValue(port.name)} that is not known here`);
    }
  }
}

function pickOutput(session: OnnxSession, names: readonly string[]): Port {
  for (const name of names) {
    const port = session.outputs.get(name);
    if (port !== undefined) return port;
  }
  const matrices = [...session.outputs.values()].filter((port) => port.shape.length === 2);
  const [only] = matrices;
  if (only !== undefined && matrices.length === 1) return only;
  return fail(
    "bad-input",
    `expected one of the outputs ${names.join(", ")} in "${session.path}", ${portText(session)}`,
  );
}

function checkRows(rows: FloatMatrix, count: number, session: OnnxSession): FloatMatrix {
  if (rows.shape.length === 2 && rows.shape[0] === count) return rows;
  return fail("bad-input", `expected [${count}, dimension] from "${session.path}", got [${rows.shape.join(", ")}]`);
}

function portText(session: OnnxSession): string {
  return `found inputs ${[...session.inputs.keys()].join(", ")} and outputs ${[...session.outputs.keys()].join(", ")}`;
}
