/**
 * Tiny ONNX models, encoded by hand (protobuf wire format; field numbers from onnx.proto3, opset 13):
 *
 *   queries [q, d], candidates [c, d]                              →  Gemm(transB)   → scores [q, c]
 *   queries [q, d]; candidates [d, c]                              →  MatMulInteger  → scores [q, c]
 *   queries [q, d], scale, biases [1, c], step; candidates, scales →  QGemm          → scores [q, c]
 *
 * What stands behind a semicolon is part of the model, so that onnxruntime packs it once and for all.
 */

const [float32, uint8, int8, int32] = [1, 2, 3, 6];
const microsoft = "com.microsoft";

/** The model's bytes for fixed shapes. */
export function gemmGraph(rows: number, columns: number, dimension: number): Uint8Array {
  return model([
    ...message(1, node("Gemm", ["queries", "candidates"], ["scores"], { attributes: [integerAttribute("transB", 1)] })),
    ...text(2, "scores"),
    ...message(11, valueInfo("queries", float32, [rows, dimension])),
    ...message(11, valueInfo("candidates", float32, [columns, dimension])),
    ...message(12, valueInfo("scores", float32, [rows, columns])),
  ]);
}

/**
 * The product of uint8 queries, of which `zero` is subtracted, and int8 `candidates` [dimension, columns]. Its bytes lie in `buffer`
 * where that suffices.
 */
export function integerGraph(
  rows: number,
  dimension: number,
  candidates: Int8Array,
  zero: number,
  buffer?: Uint8Array,
): Uint8Array {
  const columns = candidates.length / dimension;
  return model(
    [
      ...message(1, node("MatMulInteger", ["queries", "candidates", "zero"], ["scores"])),
      ...text(2, "scores"),
      ...message(5, tensor("zero", uint8, [], Uint8Array.of(zero))),
      ...message(11, valueInfo("queries", uint8, [rows, dimension])),
      ...message(12, valueInfo("scores", int32, [rows, columns])),
    ],
    tensorHead("candidates", int8, [dimension, columns], candidates),
    buffer,
  );
}

/**
 * The same product in bytes: the sum of products plus the candidate's int32 of `biases`, times `scale`, times the candidate's
 * number of `scales` [columns], divided by `step`; rounded, and limited to 0 … 255.
 */
export function byteGraph(
  rows: number,
  dimension: number,
  candidates: Int8Array,
  scales: Float32Array,
  zero: number,
  buffer?: Uint8Array,
): Uint8Array {
  const columns = scales.length;
  const inputs = ["queries", "scale", "zero", "candidates", "scales", "zeros", "biases", "step", "nothing"];
  return model(
    [
      ...message(1, node("QGemm", inputs, ["scores"], { domain: microsoft })),
      ...text(2, "scores"),
      ...message(5, tensor("zero", uint8, [], Uint8Array.of(zero))),
      ...message(5, tensor("zeros", int8, [columns], new Uint8Array(columns))),
      ...message(5, tensor("nothing", uint8, [], Uint8Array.of(0))),
      ...message(5, tensor("scales", float32, [columns], new Uint8Array(Float32Array.from(scales).buffer))),
      ...message(11, valueInfo("queries", uint8, [rows, dimension])),
      ...message(11, valueInfo("scale", float32, [])),
      ...message(11, valueInfo("biases", int32, [1, columns])),
      ...message(11, valueInfo("step", float32, [])),
      ...message(12, valueInfo("scores", uint8, [rows, columns])),
    ],
    tensorHead("candidates", int8, [dimension, columns], candidates),
    buffer,
  );
}

interface LargeTensor {
  readonly head: number[];
  readonly data: Uint8Array;
}

/** A model of `graph`, at whose end a large tensor may lie; in `buffer` where that suffices. */
function model(graph: number[], large?: LargeTensor, buffer?: Uint8Array): Uint8Array {
  const size = graph.length + (large === undefined ? 0 : large.head.length + large.data.length);
  const start = [
    ...integer(1, 8),
    ...message(8, [...text(1, ""), ...integer(2, 13)]),
    ...message(8, [...text(1, microsoft), ...integer(2, 1)]),
    ...varint((7 << 3) | 2),
    ...varint(size),
    ...graph,
    ...(large?.head ?? []),
  ];
  const length = start.length + (large?.data.length ?? 0);
  const bytes = buffer !== undefined && buffer.length >= length ? buffer.subarray(0, length) : new Uint8Array(length);
  bytes.set(start);
  if (large !== undefined) bytes.set(large.data, start.length);
  return bytes;
}

function tensor(name: string, type: number, shape: number[], data: Uint8Array): number[] {
  return [
    ...shape.flatMap((size) => integer(1, size)),
    ...integer(2, type),
    ...text(8, name),
    ...message(9, [...data]),
  ];
}

/** A graph's initial tensor up to its data, which follow as they are. */
function tensorHead(name: string, type: number, shape: number[], data: Int8Array): LargeTensor {
  const inside = [
    ...shape.flatMap((size) => integer(1, size)),
    ...integer(2, type),
    ...text(8, name),
    ...varint((9 << 3) | 2),
    ...varint(data.length),
  ];
  const head = [...varint((5 << 3) | 2), ...varint(inside.length + data.length), ...inside];
  return { head, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}

interface NodeExtras {
  readonly attributes?: number[][];
  readonly domain?: string;
}

function node(
  operator: string,
  inputs: string[],
  outputs: string[],
  { attributes = [], domain }: NodeExtras = {},
): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, operator),
    ...attributes.flatMap((attribute) => message(5, attribute)),
    ...(domain === undefined ? [] : text(7, domain)),
  ];
}

function integerAttribute(name: string, value: number): number[] {
  return [...text(1, name), ...integer(3, value), ...integer(20, 2)];
}

function valueInfo(name: string, type: number, shape: number[]): number[] {
  const dimensions = shape.flatMap((size) => message(1, integer(1, size)));
  return [...text(1, name), ...message(2, message(1, [...integer(1, type), ...message(2, dimensions)]))];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

function message(field: number, bytes: number[]): number[] {
  return [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
}

function integer(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
