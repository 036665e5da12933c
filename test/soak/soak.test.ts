import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { type FileHandle, open, rm, unlink } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFrame, headerBytes } from "../../src/serve/frame.ts";
import { main, requireBuilt, run, tinyClip } from "../kill/workplace.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";

/** Samples to draw: 20,000 in `npm test`, a million with NEMOSAIC_SOAK=1000000. */
const samples = Number(process.env.NEMOSAIC_SOAK ?? 20_000);
const batch = 100;
/** Pixels and mask of a batch at 32 × 32. */
const batchBytes = batch * 32 * 32 * 4;
/** A client leaves and another comes after so many batches. */
const batchesEach = 20;
const settings = ["size=32", "guards.nearDuplicate=null", "band.tau=null", "band.tauImage=null", "mosaic.gamma=1"];
const sets = settings.flatMap((word) => ["--set", word]);
let folder: string;

beforeAll(async () => {
  requireBuilt();
  folder = await scratchFolder();
  await writeSmallRefer(folder, 24);
  for (const args of [
    ["import", "refer", "tiny", "--images", "images", "--pool", "pool", "--quiet"],
    ["embed", "pool", "--model", tinyClip, "--quiet", "--threads", "1"],
    ["mine", "pool", "--quiet", "--threads", "1"],
    ["tiles", "pool", "--quiet", ...sets],
  ]) {
    const { status, err } = await run(folder, args);
    if (status !== 0) throw new Error(`${args.join(" ")}: ${err}`);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a server that streams for long", () => {
  it.skipIf(process.platform !== "linux").each([
    { way: "the socket", slots: 0 },
    { way: "slots of shared memory", slots: 3 },
  ])(
    `grows neither in memory nor in open files nor in /dev/shm over ${samples} samples through $way (Linux: it looks into /proc)`,
    { timeout: 60_000 + samples * 5 },
    async ({ way, slots }) => {
      const socket = join(folder, "s");
      const server = spawn(process.execPath, [main, "serve", "pool", "--socket", socket, "--quiet", ...sets], {
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let err = "";
      server.stderr.on("data", (text) => {
        err += text;
      });
      try {
        const shared = readdirSync("/dev/shm").length;
        let drawn = 0;
        const seen: { drawn: number; rss: number; files: number }[] = [];
        while (drawn < samples) {
          const client = await connected(socket, () => err);
          const memory = slots === 0 ? undefined : await sharedMemory(slots);
          await client.ask("hello", { client: "soak", split: "train", seed: 1, settings: null, set: [], credits: 4 });
          if (memory !== undefined) expect(await client.ask("slots", memory.offer)).toEqual({ kind: 4, payload: 0 });
          for (let n = 0; n < batchesEach && drawn < samples; n++) {
            const indices = Array.from({ length: batch }, (_, at) => (drawn + at) % 16);
            const slot = memory === undefined ? null : n % slots;
            if (slot !== null) await memory?.clear(slot);
            const body = { epoch: drawn % 1000, indices, slot, want: ["image", "mask"] };
            const { kind, payload } = await client.ask("get", body);
            expect(kind, "a batch").toBe(6);
            expect(payload).toBe(slot === null ? batchBytes : 0);
            if (slot !== null && n % 5 === 0) expect(memory?.emptySamples(slot), "samples that are not drawn").toBe(0);
            drawn += batch;
          }
          client.close();
          await memory?.close();
          await pause(20);
          seen.push({ drawn, ...stateOf(server.pid ?? 0) });
        }
        const settled = seen[Math.floor(seen.length / 4)] ?? seen[0];
        const last = seen.at(-1);
        if (settled === undefined || last === undefined) throw new Error("nothing was drawn");
        console.info(`soak: ${drawn} samples through ${way}; ${JSON.stringify(settled)} to ${JSON.stringify(last)}`);
        expect(last.rss - settled.rss, "bytes of growth").toBeLessThan(100e6);
        expect(last.files, "open files").toBeLessThanOrEqual(settled.files + 2);
        expect(readdirSync("/dev/shm").length).toBeLessThanOrEqual(shared);
        await pause(500);
        expect(sharedBy(server.pid ?? 0), "shared memory that the server still holds").toEqual([]);
      } finally {
        server.kill();
      }
    },
  );
});

function stateOf(pid: number): { rss: number; files: number } {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  return { rss: pages * 4096, files: readdirSync(`/proc/${pid}/fd`).length };
}

/** Files of shared memory that a process has open. */
function sharedBy(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder)
    .map((name) => {
      try {
        return readlinkSync(join(folder, name));
      } catch {
        return ""; // closed in between
      }
    })
    .filter((path) => path.startsWith("/dev/shm"));
}

interface SharedMemory {
  readonly offer: object;
  clear(slot: number): Promise<void>;
  /** Samples of a slot whose pixels are all 0. */
  emptySamples(slot: number): number;
  close(): Promise<void>;
}

/** Nameless memory of `slots` batches, as the Python client offers it. */
async function sharedMemory(slots: number): Promise<SharedMemory> {
  const token = randomBytes(32);
  const path = `/dev/shm/nemosaic-soak-${process.pid}-${token.toString("hex", 0, 4)}`;
  const file: FileHandle = await open(path, "wx+");
  await unlink(path);
  await file.truncate(slots * batchBytes);
  await file.write(token, 0, token.length, 0);
  const zeros = new Uint8Array(batchBytes);
  const pixels = new Uint8Array(batch * 32 * 32 * 3);
  return {
    offer: { path: `/proc/${process.pid}/fd/${file.fd}`, slots, slotBytes: batchBytes, token: token.toString("hex") },
    clear: async (slot) => {
      await file.write(zeros, 0, batchBytes, slot * batchBytes);
    },
    emptySamples: (slot) => {
      readSync(file.fd, pixels, 0, pixels.length, slot * batchBytes);
      const each = 32 * 32 * 3;
      return Array.from({ length: batch }).filter((_, at) =>
        pixels.subarray(at * each, (at + 1) * each).every((value) => value === 0),
      ).length;
    },
    close: () => file.close(),
  };
}

interface Client {
  ask(kind: "hello" | "slots" | "get", body: unknown): Promise<{ kind: number; payload: number }>;
  close(): void;
}

/** A client that throws payloads away. */
async function connected(path: string, errors: () => string): Promise<Client> {
  const socket = await opened(path, errors);
  let pending = Buffer.alloc(0);
  let skip = 0;
  let answer: { kind: number; payload: number } | undefined;
  let resolve: ((value: { kind: number; payload: number }) => void) | undefined;
  const settle = (): void => {
    if (answer === undefined || skip > 0 || resolve === undefined) return;
    const [done, value] = [resolve, answer];
    [resolve, answer] = [undefined, undefined];
    done(value);
  };
  socket.on("data", (data: Buffer) => {
    let chunk = data;
    for (;;) {
      const skipped = Math.min(skip, chunk.length);
      skip -= skipped;
      chunk = chunk.subarray(skipped);
      settle();
      pending = Buffer.concat([pending, chunk]);
      chunk = Buffer.alloc(0);
      if (skip > 0 || pending.length < headerBytes) return;
      const json = pending.readUInt32LE(12);
      if (pending.length < headerBytes + json) return;
      const payload = Number(pending.readBigUInt64LE(16));
      answer = { kind: pending.readUInt16LE(6), payload };
      skip = payload;
      chunk = pending.subarray(headerBytes + json);
      pending = Buffer.alloc(0);
    }
  });
  let request = 0;
  return {
    ask: (kind, body) =>
      new Promise((done) => {
        resolve = done;
        socket.write(encodeFrame(kind, ++request, body));
      }),
    close: () => socket.destroy(),
  };
}

async function opened(path: string, errors: () => string): Promise<Socket> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = createConnection(path);
    const error = await new Promise<Error | undefined>((done) => {
      socket.once("connect", () => done(undefined));
      socket.once("error", done);
    });
    if (error === undefined) return socket;
    await pause(100);
  }
  throw new Error(`the server did not answer: ${errors()}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
