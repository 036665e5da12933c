import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { onDisk, type Progress } from "../../io/index.ts";
import { fail, NemosaicError } from "../../model/index.ts";
import type { HubAccess } from "./hub-access.ts";
import { type FileFacts, reasonOf, request } from "./metadata.ts";

export interface BlobDownload {
  /** For a person: repository and path. */
  readonly name: string;
  readonly facts: FileFacts;
  /** The file to fill; what is in it already is kept and the rest asked for. */
  readonly partial: string;
  readonly hub: HubAccess;
  readonly progress: Progress;
}

/**
 * Fills `partial` with the file and checks its size and hash. A cut transfer is taken up where it ended, after the
 * pauses of `hub.retryAfterMs`, and by the next run. Errors: `network`; `checksum` (the partial file is then removed).
 */
export async function downloadBlob(download: BlobDownload): Promise<void> {
  const { name, facts, partial, hub, progress } = download;
  const task = progress.begin(`download ${name}`, facts.size, "bytes");
  try {
    let reported = 0;
    for (let attempt = 0; ; attempt++) {
      try {
        await transfer(
          download,
          (bytes) => {
            reported += bytes;
            task.advance(bytes);
          },
          reported,
        );
        break;
      } catch (error) {
        const wait = hub.retryAfterMs[attempt];
        if (!(error instanceof NemosaicError) || error.code !== "network" || wait === undefined) throw error;
        task.note(`${error.message}; trying again in ${wait / 1000} s`);
        await pause(wait);
      }
    }
    await verify(name, facts, partial);
  } finally {
    task.end();
  }
}

async function transfer(
  { name, facts, partial, hub }: BlobDownload,
  onBytes: (count: number) => void,
  reported: number,
): Promise<void> {
  let have = (await stat(partial).catch(() => undefined))?.size ?? 0;
  if (facts.size !== undefined && have > facts.size) {
    await rm(partial);
    have = 0;
  }
  if (have > reported) onBytes(have - reported);
  if (facts.size !== undefined && have === facts.size) return;
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await request(facts.url, { headers }, hub);
  if (response.status === 416) {
    await rm(partial, { force: true });
    fail("network", `the hub refused to continue ${name} at byte ${have}; it starts over`);
  }
  if (!response.ok || response.body === null) {
    fail("network", `expected ${name} from ${new URL(facts.url).host}, got ${response.status} ${response.statusText}`);
  }
  const continues = response.status === 206 && startOf(response.headers.get("content-range")) === have;
  const file = await onDisk(partial, () => open(partial, continues ? "a" : "w"));
  try {
    await append(response.body, file, partial, onBytes, name);
  } finally {
    await file.close();
  }
  const got = (await stat(partial)).size;
  if (facts.size !== undefined && got < facts.size)
    fail("network", `the transfer of ${name} ended at byte ${got} of ${facts.size}`);
}

async function append(
  body: ReadableStream<Uint8Array>,
  file: FileHandle,
  partial: string,
  onBytes: (count: number) => void,
  name: string,
): Promise<void> {
  const reader = body.getReader();
  for (;;) {
    const chunk = await reader.read().catch((cause: unknown) => {
      fail("network", `the transfer of ${name} was cut: ${reasonOf(cause)}`, cause);
    });
    if (chunk.done) return;
    await onDisk(partial, () => file.appendFile(chunk.value));
    onBytes(chunk.value.length);
  }
}

/** "bytes 100-199/200" → 100. */
function startOf(range: string | null): number | undefined {
  const start = /^bytes (\d+)-/.exec(range ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

/** LFS files are named by their SHA-256, others by git's SHA-1 of a blob; an etag of another kind leaves the size. */
async function verify(name: string, { etag, size }: FileFacts, partial: string): Promise<void> {
  const { size: got } = await stat(partial);
  if (size !== undefined && got > size) {
    await rm(partial);
    fail(
      "checksum",
      `expected ${size} bytes of ${name}, got ${got}: the download was removed, run the same command again`,
    );
  }
  const hash = hashFor(etag, got);
  if (hash === undefined) return;
  await pipeline(createReadStream(partial, { highWaterMark: 1 << 20 }), hash);
  const digest = hash.digest("hex");
  if (digest === etag) return;
  await rm(partial);
  fail(
    "checksum",
    `expected ${name} with the hash ${etag}, got ${digest}: the download was removed, run the same command again`,
  );
}

function hashFor(etag: string, size: number): Hash | undefined {
  if (/^[0-9a-f]{64}$/.test(etag)) return createHash("sha256");
  if (/^[0-9a-f]{40}$/.test(etag)) return createHash("sha1").update(`blob ${size}\0`);
  return undefined;
}
