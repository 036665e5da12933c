/**
 * One message of the stream, docs/formats/stream.md. All numbers are little-endian.
 *
 *   byte 0    4 bytes  "NMSC"
 *        4    u16      protocol version, 1
 *        6    u16      kind, see `frameKinds`
 *        8    u32      request: chosen by the client, repeated in the answer; 0 for the server's own messages
 *       12    u32      bytes of JSON that follow the header
 *       16    u64      bytes of payload that follow the JSON
 *       24    u64      0
 *       32             JSON (UTF-8), then the payload
 */
import { fail, NemosaicError } from "../model/index.ts";

/** A message of the stream. */
export interface Frame {
  readonly kind: FrameKind;
  readonly request: number;
  readonly body: unknown;
}

export const frameKinds = { hello: 1, welcome: 2, slots: 3, ready: 4, get: 5, batch: 6, error: 7 } as const;

export type FrameKind = keyof typeof frameKinds;

export const protocolVersion = 1;
export const headerBytes = 32;

/** Clients send settings and indices: more than this is no request. */
const maxJsonBytes = 4 * 2 ** 20;
const magic = Buffer.from("NMSC", "latin1");
const kindNames = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([name, kind]) => [kind, name as FrameKind]),
);

/** The header and the JSON of a message whose payload of `payloadBytes` bytes is sent after it. */
export function encodeFrame(kind: FrameKind, request: number, body: unknown, payloadBytes = 0): Buffer {
  const json = Buffer.from(JSON.stringify(body), "utf8");
  const frame = Buffer.alloc(headerBytes + json.length);
  magic.copy(frame);
  frame.writeUInt16LE(protocolVersion, 4);
  frame.writeUInt16LE(frameKinds[kind], 6);
  frame.writeUInt32LE(request, 8);
  frame.writeUInt32LE(json.length, 12);
  frame.writeBigUInt64LE(BigInt(payloadBytes), 16);
  json.copy(frame, headerBytes);
  return frame;
}

/**
 * Cuts a client's bytes into messages, however they arrive. Clients send no payloads. `push` throws a NemosaicError
 * ("bad-input", or "unsupported" for another protocol version) for bytes that are no message; the connection is then
 * of no more use.
 */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      if (this.#length < headerBytes) return frames;
      const header = this.#peek(headerBytes);
      const { kind, request, jsonBytes } = readHeader(header);
      if (this.#length < headerBytes + jsonBytes) return frames;
      const json = this.#take(headerBytes + jsonBytes).toString("utf8", headerBytes);
      frames.push({ kind, request, body: parseBody(json) });
    }
  }

  #peek(bytes: number): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= bytes) return first;
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #take(bytes: number): Buffer {
    const all = this.#peek(bytes);
    const rest = all.subarray(bytes);
    this.#chunks.shift();
    if (rest.length > 0) this.#chunks.unshift(rest);
    this.#length -= bytes;
    return all.subarray(0, bytes);
  }
}

function readHeader(header: Buffer): { kind: FrameKind; request: number; jsonBytes: number } {
  if (!header.subarray(0, 4).equals(magic)) {
    fail(
      "bad-input",
      `expected a message that starts with "NMSC", got bytes ${header.toString("hex", 0, 4)}; is this a nemosaic client?`,
    );
  }
  const version = header.readUInt16LE(4);
  if (version !== protocolVersion) {
    fail(
      "unsupported",
      `expected protocol version ${protocolVersion}, got ${version}; install the same version of nemosaic on both ends`,
    );
  }
  const number = header.readUInt16LE(6);
  const kind =
    kindNames.get(number) ?? fail("bad-input", `expected a message kind from 1 to ${kindNames.size}, got ${number}`);
  const jsonBytes = header.readUInt32LE(12);
  const payloadBytes = header.readBigUInt64LE(16);
  if (jsonBytes > maxJsonBytes)
    fail("refused", `expected at most ${maxJsonBytes} bytes of JSON in a request, got ${jsonBytes}`);
  if (payloadBytes !== 0n) fail("bad-input", `expected no payload in a request, got ${payloadBytes} bytes`);
  return { kind, request: header.readUInt32LE(8), jsonBytes };
}

function parseBody(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof NemosaicError) throw error;
    return fail("bad-input", `expected JSON after the header of a message: ${(error as Error).message}`, error);
  }
}
