import { basename } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { floatToHalf, halfToFloat } from "../../kernels/index.ts";
import { fail, quoteValue } from "../../model/index.ts";

export type Device = "cpu" | "cuda";

export interface SessionOptions {
  readonly device: Device;
  /** Threads inside one run; undefined: one per core. */
  readonly threads: number | undefined;
  /** Whether threads that wait for work within a run keep their core busy; default true, onnxruntime's own. */
  readonly spinning?: boolean;
}

/** An axis of an input or output: a number, or the name of a free axis. */
export type Axis = number | string;

export interface Port {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly Axis[];
}

/** A loaded ONNX file: its ports by name, and runs that ask for one output. Holds native memory until `close`. */
export interface OnnxSession {
  readonly path: string;
  readonly inputs: ReadonlyMap<string, Port>;
  readonly outputs: ReadonlyMap<string, Port>;
  run(feeds: Readonly<Record<string, Tensor>>, output: string): Promise<FloatMatrix>;
  close(): Promise<void>;
}

/** Rows of an output, row-major, float32. */
export interface FloatMatrix {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Opens an ONNX file. Errors: `bad-input` where it is no model, `unsupported` where the device is not there. */
export async function openSession(path: string, options: SessionOptions): Promise<OnnxSession> {
  const session = await createSession(path, options);
  const inputs = portsOf(session.inputMetadata);
  const outputs = portsOf(session.outputMetadata);
  return {
    path,
    inputs,
    outputs,
    async run(feeds, output) {
      let results: InferenceSession.OnnxValueMapType;
      try {
        results = await session.run(feeds, [output]);
      } catch (cause) {
        return fail("bad-input", `"${basename(path)}" failed on ${feedText(feeds)}: ${messageOf(cause)}`, cause);
      }
      const tensor = results[output];
      if (!(tensor instanceof Tensor)) return fail("bad-input", `expected output ${quoteValue(output)} from "${path}"`);
      return { data: floatsOf(tensor, path), shape: tensor.dims };
    },
    close: () => session.release(),
  };
}

keepHalvesAsBits();

/**
 * Has onnxruntime keep float16 in Uint16Array, as it does where there is no Float16Array. Node 24 has one, which
 * onnxruntime's JavaScript takes and its native part (1.30) cannot read: "not enough space: expected 49152, got 0".
 * onnxruntime looks once, when the first tensor is made.
 */
function keepHalvesAsBits(): void {
  const known = Object.getOwnPropertyDescriptor(globalThis, "Float16Array");
  if (known === undefined) return;
  Reflect.deleteProperty(globalThis, "Float16Array");
  try {
    new Tensor("float16", new Uint16Array(0), [0]);
  } finally {
    Object.defineProperty(globalThis, "Float16Array", known);
  }
}

/** A tensor of floats in the type that the port asks for. onnxruntime-node takes no shared memory, so that is copied. */
export function floatTensor(port: Port, data: Float32Array, shape: readonly number[]): Tensor {
  if (port.type === "float32")
    return new Tensor("float32", data.buffer instanceof SharedArrayBuffer ? data.slice() : data, shape);
  if (port.type === "float16") return new Tensor("float16", floatToHalf(data), shape);
  return fail("unsupported", `expected input ${quoteValue(port.name)} of floats, the model wants ${port.type}`);
}

/** A tensor of whole numbers in the type that the port asks for. */
export function wholeTensor(port: Port, data: Int32Array | Uint8Array, shape: readonly number[]): Tensor {
  if (port.type === "int64")
    return new Tensor(
      "int64",
      BigInt64Array.from(data, (value) => BigInt(value)),
      shape,
    );
  if (port.type === "int32") return new Tensor("int32", Int32Array.from(data), shape);
  if (port.type === "bool")
    return new Tensor(
      "bool",
      Uint8Array.from(data, (value) => Number(value !== 0)),
      shape,
    );
  return fail("unsupported", `expected input ${quoteValue(port.name)} of whole numbers, the model wants ${port.type}`);
}

async function createSession(
  path: string,
  { device, threads, spinning = true }: SessionOptions,
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(path, {
      executionProviders: [device],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      ...(spinning ? {} : { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
    });
  } catch (cause) {
    if (device === "cuda") {
      fail(
        "unsupported",
        `the device "cuda" is not available to onnxruntime-node here: ${messageOf(cause)}. Install onnxruntime-node with its CUDA files, or take --device cpu`,
        cause,
      );
    }
    return fail("bad-input", `expected an ONNX model in "${path}": ${messageOf(cause)}`, cause);
  }
}

function portsOf(metadata: readonly InferenceSession.ValueMetadata[]): Map<string, Port> {
  const ports = new Map<string, Port>();
  for (const entry of metadata) {
    if (entry.isTensor) ports.set(entry.name, { name: entry.name, type: entry.type, shape: entry.shape });
  }
  return ports;
}

function floatsOf(tensor: Tensor, path: string): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  if (tensor.type === "float16" && tensor.data instanceof Uint16Array) return halfToFloat(tensor.data);
  return fail("unsupported", `expected floats from "${path}", got ${tensor.type}`);
}

function feedText(feeds: Readonly<Record<string, Tensor>>): string {
  return Object.entries(feeds)
    .map(([name, tensor]) => `${name} [${tensor.dims.join(", ")}]`)
    .join(", ");
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0] ?? "";
}
