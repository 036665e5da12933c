import { expect } from "vitest";
import { NemosaicError } from "../../model/index.ts";

export function noise(length: number): Uint8Array {
  let state = 7;
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** A PNG of the chunks given, with right checksums. */
export function png(...chunks: [name: string, data: Uint8Array][]): Uint8Array {
  const table = Int32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    return c;
  });
  const parts = chunks.map(([name, data]) => {
    const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
    let crc = -1;
    for (const byte of body) crc = table[(crc ^ byte) & 255]! ^ (crc >>> 8);
    const chunk = Buffer.alloc(body.length + 8);
    chunk.writeUInt32BE(data.length, 0);
    body.copy(chunk, 4);
    chunk.writeInt32BE(~crc, chunk.length - 4);
    return chunk;
  });
  return new Uint8Array(Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]));
}

export function ihdr(width: number, height: number, depth: number, colour: number): [string, Uint8Array] {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data[8] = depth;
  data[9] = colour;
  return ["IHDR", data];
}

export async function errorOf(promise: Promise<unknown>): Promise<NemosaicError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(NemosaicError);
  expect((error as Error).message).not.toContain("\n");
  return error as NemosaicError;
}
