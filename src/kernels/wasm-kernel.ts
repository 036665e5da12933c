import { engine, type WasmFunction, wasmModule } from "./wasm-code.ts";

/** Functions in WebAssembly and all of the memory that they work in, as bytes and as numbers of 32 bits. */
export type WasmKernel<Functions> = Functions & { readonly bytes: Uint8Array; readonly words: Int32Array };

const pageBytes = 65_536;

/** Gives kernels of `functions` with a memory of their own of at least `length` bytes; the module is compiled once. */
export function kernelMaker<Functions>(
  functions: () => readonly WasmFunction[],
): (length: number) => WasmKernel<Functions> {
  let module: object | undefined;
  return (length) => {
    const memory = new engine.Memory({ initial: Math.ceil(length / pageBytes) });
    module ??= new engine.Module(wasmModule(functions()));
    const { exports } = new engine.Instance(module, { env: { memory } });
    return {
      ...(exports as unknown as Functions),
      bytes: new Uint8Array(memory.buffer),
      words: new Int32Array(memory.buffer),
    };
  };
}

/** As `kernelMaker`, one kernel for all calls: made when first needed, and anew where its memory is too small. */
export function sharedKernel<Functions>(
  functions: () => readonly WasmFunction[],
): (length: number) => WasmKernel<Functions> {
  const make = kernelMaker<Functions>(functions);
  let kernel: WasmKernel<Functions> | undefined;
  return (length) => {
    if (kernel === undefined || kernel.bytes.length < length) kernel = make(length);
    return kernel;
  };
}
