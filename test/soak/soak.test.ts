import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
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
  it.skipIf(process.platform !== "linux")(
    `grows neither in memory nor in open files nor in /dev/shm over ${samples} samples (Linux: it looks into /proc)`,
    { timeout: 60_000 + samples * 5 },
    async () => {
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
          await client.ask("hello", { client: "soak", split: "train", seed: 1, settings: null, set: [], credits: 4 });
          for (let n = 0; n < batchesEach && drawn < samples; n++) {
            const indices = Array.from({ length: batch }, (_, at) => (drawn + at) % 16);
            const body = { epoch: drawn % 1000, indices, slot: null, want: ["image", "mask"] };
            const { kind, payload } = await client.ask("get", body);
            expect(kind, "a batch").toBe(6);
            expect(payload).toBe(batch * 32 * 32 * 4);
            drawn += batch;
          }
          client.close();
          await pause(20);
          seen.push({ drawn, ...stateOf(server.pid ?? 0) });
        }
        const settled = seen[Math.floor(seen.length / 4)] ?? seen[0];
        const last = seen.at(-1);
        if (settled === undefined || last === undefined) throw new Error("nothing was drawn");
        console.info(`soak: ${drawn} samples; ${JSON.stringify(settled)} to ${JSON.stringify(last)}`);
        expect(last.rss - settled.rss, "bytes of growth").toBeLessThan(100e6);
        expect(last.files, "open files").toBeLessThanOrEqual(settled.files + 2);
        expect(readdirSync("/dev/shm").length).toBeLessThanOrEqual(shared);
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

interface Client {
  ask(kind: "hello" | "get", body: unknown): Promise<{ kind: number; payload: number }>;
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
