/**
 * Tiny ONNX models, encoded by hand (protobuf wire format; field numbers from onnx.proto3, opset 13):
 *
 *   queries [q, d], candidates [c, d]                →  Gemm(transB)   → scores [q, c]
 *   queries [q, d], candidates [d, c], zero []       →  MatMulInteger  → scores [q, c]
 */

const [float32, uint8, int8, int32] = [1, 2, 3, 6];

/** The model's bytes for fixed shapes. */
export function gemmGraph(rows: number, columns: number, dimension: number): Uint8Array {
  return model([
    ...message(1, node("Gemm", ["queries", "candidates"], ["scores"], [integerAttribute("transB", 1)])),
    ...text(2, "scores"),
    ...message(11, valueInfo("queries", float32, [rows, dimension])),
    ...message(11, valueInfo("candidates", float32, [columns, dimension])),
    ...message(12, valueInfo("scores", float32, [rows, columns])),
  ]);
}

/** The model of the product of integers: uint8 queries, of which the uint8 `zero` is subtracted, and int8 candidates, transposed. */
export function integerGraph(rows: number, columns: number, dimension: number): Uint8Array {
  return model([
    ...message(1, node("MatMulInteger", ["queries", "candidates", "zero"], ["scores"], [])),
    ...text(2, "scores"),
    ...message(11, valueInfo("queries", uint8, [rows, dimension])),
    ...message(11, valueInfo("candidates", int8, [dimension, columns])),
    ...message(11, valueInfo("zero", uint8, [])),
    ...message(12, valueInfo("scores", int32, [rows, columns])),
  ]);
}

function model(graph: number[]): Uint8Array {
  const opset = [...text(1, ""), ...integer(2, 13)];
  return Uint8Array.from([...integer(1, 8), ...message(7, graph), ...message(8, opset)]);
}

function node(operator: string, inputs: string[], outputs: string[], attributes: number[][]): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, operator),
    ...attributes.flatMap((attribute) => message(5, attribute)),
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
