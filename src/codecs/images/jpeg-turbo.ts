import { createRequire } from "node:module";

/** The part of @julusian/jpeg-turbo that is used: libjpeg-turbo on libuv's threads, into memory of the caller's. */
interface Binding {
  readonly FORMAT_RGB: number;
  decompress(
    image: Buffer,
    out: Buffer,
    options: { format: number },
  ): Promise<{ readonly width: number; readonly height: number }>;
}

let binding: Binding | false | undefined;

/**
 * Whether the decoder is there: it is an optional peer dependency, with programs for Linux, macOS and Windows on x64 and ARM.
 */
export function hasJpegTurbo(): boolean {
  return bindingOf() !== undefined;
}

/**
 * Decodes a JPEG of width × height pixels to RGB at the start of `into`, which must hold it and be left alone until this
 * settles. False where there is no decoder, or it has anything to say against the file, be it a warning: whoever asks then
 * uses the other decoder, which knows what is damage. It takes the fast inverse DCT: up to 22 of 255 beside the exact one,
 * 1.2 in the mean of a photograph.
 */
export async function decodeJpegInto(
  bytes: Uint8Array,
  width: number,
  height: number,
  into: Uint8Array,
): Promise<boolean> {
  const decoder = bindingOf();
  if (decoder === undefined || into.length < width * height * 3) return false;
  try {
    const decoded = await decoder.decompress(bufferOf(bytes), bufferOf(into), { format: decoder.FORMAT_RGB });
    return decoded.width === width && decoded.height === height;
  } catch {
    return false;
  }
}

function bindingOf(): Binding | undefined {
  if (binding === undefined) {
    try {
      binding = createRequire(import.meta.url)("@julusian/jpeg-turbo") as Binding;
    } catch {
      binding = false; // not installed, or no program for this machine
    }
  }
  return binding === false ? undefined : binding;
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}
