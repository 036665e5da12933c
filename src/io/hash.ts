import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** SHA-256 of bytes (or of a string's UTF-8), as 64 lower-case hex digits. */
export function hashBytes(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * SHA-256 of a file's content, streamed; of its first `length` bytes where given. `onBytes` hears of each piece. Rejects
 * with the file system's error.
 */
export async function hashFile(
  path: string,
  length?: number,
  onBytes: (count: number) => void = () => undefined,
): Promise<string> {
  const hash = createHash("sha256");
  if (length === 0) return hash.digest("hex");
  const end = length === undefined ? {} : { end: length - 1 };
  const stream = createReadStream(path, { highWaterMark: 1 << 20, ...end });
  stream.on("data", (piece) => onBytes(piece.length));
  try {
    await pipeline(stream, hash);
  } catch (error) {
    // Once a file is open, the system's errors name it no more.
    throw Object.assign(error as Error, { path });
  }
  return hash.digest("hex");
}

/** SHA-256 of a value's canonical JSON: keys sorted, no white space, undefined members left out. */
export function hashJson(value: unknown): string {
  return hashBytes(canonicalJson(value));
}

/** JSON with sorted keys and no white space, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    member !== null && typeof member === "object" && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member,
  );
}
