/** Opens what `npm run kernels` compiled: see docs/development.md, "Change a kernel". */

/** A kernel's functions, and all of the memory that they work in, as bytes and as numbers of 32 bits. */
export type WasmKernel<Functions> = Functions & {
  readonly bytes: Uint8Array;
  readonly ints: Int32Array;
  readonly floats: Float32Array;
};

const pageBytes = 65_536;

/**
 * Gives kernels of the module in `base64`, each over a memory of its own of at least `length` bytes; the module is compiled once.
 * Throws a RangeError where there is no such memory.
 */
export function kernelMaker<Functions>(base64: string): (length: number) => WasmKernel<Functions> {
  let module: object | undefined;
  return (length) => {
    const memory = new engine.Memory({ initial: Math.ceil(length / pageBytes) });
    module ??= new engine.Module(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
    const { exports } = new engine.Instance<Functions>(module, { env: { memory } });
    return {
      ...exports,
      bytes: new Uint8Array(memory.buffer),
      ints: new Int32Array(memory.buffer),
      floats: new Float32Array(memory.buffer),
    };
  };
}

/** One kernel for all calls: opened when first needed, and anew where its memory is too small. */
export function sharedKernel<Functions>(
  open: (length: number) => WasmKernel<Functions>,
): (length: number) => WasmKernel<Functions> {
  let kernel: WasmKernel<Functions> | undefined;
  return (length) => {
    if (kernel === undefined || kernel.bytes.length < length) kernel = open(length);
    return kernel;
  };
}

/** The part of the engine's interface used here; Node's types leave it to the browser's. */
interface Engine {
  readonly Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new <Exports>(module: object, imports: object) => { readonly exports: Exports };
}

const engine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
