import { existsSync } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mineSmall, scratchFolder, smallPool } from "../../test/small-pool.ts";
import { stageTiming } from "../io/index.ts";
import { Loader } from "../loader/index.ts";
import type { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { encodeFrame, type FrameKind, frameKinds, headerBytes } from "./frame.ts";
import { type BatchServer, serve } from "./server.ts";

let pool: Pool;
let folder: string;
const settings = parseSettings({ preset: "random", size: 32 }, "test");

beforeAll(async () => {
  pool = await smallPool();
  await mineSmall(pool);
  folder = await scratchFolder();
});

afterAll(async () => {
  await pool.close();
  await rm(folder, { recursive: true, force: true });
});

interface Answer {
  readonly kind: number;
  readonly id: number;
  readonly body: Record<string, unknown>;
  readonly payload: Buffer;
}

/** A client of a few lines: what a peer written from docs/formats/stream.md has to do. */
class TestClient {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  readonly #wanting: (() => void)[] = [];

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      for (const wake of this.#wanting.splice(0)) wake();
    });
    this.socket.on("error", () => undefined);
  }

  send(kind: FrameKind, id: number, body: unknown): void {
    this.socket.write(encodeFrame(kind, id, body));
  }

  async hello(changes: object = {}): Promise<Answer> {
    this.send("hello", 1, { client: "test", split: "train", seed: 0, settings: null, set: [], credits: 4, ...changes });
    return this.receive();
  }

  async receive(): Promise<Answer> {
    await this.#have(headerBytes);
    const [kind, id] = [this.#bytes.readUInt16LE(6), this.#bytes.readUInt32LE(8)];
    const [json, payload] = [this.#bytes.readUInt32LE(12), Number(this.#bytes.readBigUInt64LE(16))];
    await this.#have(headerBytes + json + payload);
    const text = this.#bytes.toString("utf8", headerBytes, headerBytes + json);
    const rest = Buffer.from(this.#bytes.subarray(headerBytes + json, headerBytes + json + payload));
    this.#bytes = Buffer.from(this.#bytes.subarray(headerBytes + json + payload));
    return { kind, id, body: JSON.parse(text) as Record<string, unknown>, payload: rest };
  }

  async #have(bytes: number): Promise<void> {
    while (this.#bytes.length < bytes) await new Promise<void>((resolve) => this.#wanting.push(resolve));
  }
}

async function withServer(name: string, use: (server: BatchServer, path: string) => Promise<void>): Promise<void> {
  const path = join(folder, `${name}.sock`);
  const server = await serve({ pool, settings, socket: path });
  try {
    await use(server, path);
  } finally {
    await server.close();
  }
  expect(existsSync(path)).toBe(false);
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

describe("serve", () => {
  it("writes samples into a client's memory as they are drawn, only where it was told to, and times its stages", async () => {
    const indices = [3, 1, 0, 2, 5, 4, 1, 7, 6];
    const loader = await Loader.open(pool, settings, { split: "train", seed: 0 });
    const expected = await loader.get(2, indices);
    await loader.close();
    const slotBytes = 2 ** 16;
    const memory = await open(join(folder, "memory"), "w+");
    const path = join(folder, "slots.sock");
    const timing = stageTiming(() => performance.now());
    const server = await serve({ pool, settings, socket: path, timing, tiles: "off" });
    try {
      await rm(join(folder, "memory"));
      await memory.truncate(3 * slotBytes);
      await memory.write(Buffer.alloc(3 * slotBytes, 77));
      await memory.write(Buffer.alloc(32, 5), 0, 32, 0);
      const client = new TestClient(path);
      await client.hello();
      const token = "05".repeat(32);
      client.send("slots", 2, { path: `/proc/${process.pid}/fd/${memory.fd}`, slots: 3, slotBytes, token });
      expect((await client.receive()).kind).toBe(frameKinds.ready);
      client.send("get", 3, { epoch: 2, indices, slot: 1, want: ["image", "mask", "tokens"] });
      const { body, payload } = await client.receive();
      expect([body.slot, payload.length]).toEqual([1, 0]);
      const tensors = body.tensors as { offset: number; bytes: number; name: "image" | "mask" | "tokens" }[];
      const slot = Buffer.alloc(3 * slotBytes);
      await memory.read(slot, 0, slot.length, 0);
      let end = slotBytes;
      for (const { name, offset, bytes } of tensors) {
        const { buffer, byteOffset, byteLength } = expected[name];
        const sent = slot.subarray(slotBytes + offset, slotBytes + offset + bytes);
        expect(Buffer.compare(sent, Buffer.from(buffer, byteOffset, byteLength)), name).toBe(0);
        expect(slot.subarray(end, slotBytes + offset).every((byte) => byte === 77)).toBe(true);
        end = slotBytes + offset + bytes;
      }
      expect(slot.subarray(32, slotBytes).every((byte) => byte === 77)).toBe(true);
      expect(slot.subarray(end).every((byte) => byte === 77)).toBe(true);
      client.socket.destroy();
    } finally {
      await server.close();
      await memory.close();
    }
    const stages = new Map(timing.report().stages.map(({ stage, count }) => [stage, count]));
    expect([stages.get("plan"), stages.get("copy"), stages.get("tokens")]).toEqual([9, 19, 1]);
  });

  it("gives the bytes, texts and plans of Loader.get", async () => {
    const loader = await Loader.open(pool, settings, { split: "train", seed: 0 });
    const expected = await loader.get(2, [3, 1]);
    await withServer("bytes", async (_, path) => {
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const client = new TestClient(path);
      const welcome = await client.hello();
      expect(welcome.body).toMatchObject({ identity: loader.identity, length: loader.length, size: 32, credits: 4 });
      client.send("get", 7, {
        epoch: 2,
        indices: [3, 1],
        slot: null,
        want: ["image", "mask", "tokens", "texts", "plans"],
      });
      const { kind, id, body, payload } = await client.receive();
      expect([kind, id]).toEqual([frameKinds.batch, 7]);
      expect(body).toMatchObject({ texts: expected.texts, plans: expected.plans, indices: [3, 1] });
      const part = (at: number): Buffer => {
        const { offset, bytes } = (body.tensors as { offset: number; bytes: number }[])[at]!;
        return payload.subarray(offset, offset + bytes);
      };
      expect(part(0).equals(Buffer.from(expected.image))).toBe(true);
      expect(part(1).equals(Buffer.from(expected.mask))).toBe(true);
      expect(new Int32Array(new Uint8Array(part(2)).buffer)).toEqual(expected.tokens);
      client.socket.destroy();
    });
    await loader.close();
  });

  it("gives truth at original size for splits that are not augmented", async () => {
    await withServer("truth", async (_, path) => {
      const client = new TestClient(path);
      expect((await client.hello({ split: "val" })).body.augmented).toBe(false);
      client.send("get", 2, { epoch: 0, indices: [0], slot: null, want: ["truths", "plans"] });
      const { body } = await client.receive();
      const [{ size, counts }] = body.truths as [{ size: [number, number]; counts: number[] }];
      const [plan] = body.plans as [{ layers: [{ source: [number, number, number, number] }] }];
      expect(size).toEqual([plan.layers[0].source[3], plan.layers[0].source[2]]);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(size[0] * size[1]);
      expect(counts.length).toBeGreaterThan(2);
      client.socket.destroy();
    });
  });

  it("keeps one loader for each combination in use and closes it with its last client", async () => {
    await withServer("shelf", async (server, path) => {
      const clients = [new TestClient(path), new TestClient(path), new TestClient(path)];
      await clients[0]!.hello();
      await clients[1]!.hello();
      expect(server.loaders).toBe(1);
      // Mined negatives by the client's own settings.
      await clients[2]!.hello({
        settings: { preset: "nemo", mosaic: { gamma: 1 }, band: { risk: null } },
        set: ["size=40"],
      });
      expect([server.loaders, server.clients]).toEqual([2, 3]);
      clients[2]!.send("get", 5, { epoch: 0, indices: [0], slot: null, want: ["plans"] });
      expect(((await clients[2]!.receive()).body.plans as { kind: string }[])[0]?.kind).toBe("mined");
      clients[0]!.socket.destroy();
      clients[2]!.socket.destroy();
      await until(() => server.clients === 1 && server.loaders === 1);
      clients[1]!.socket.destroy();
      await until(() => server.clients === 0 && server.loaders === 0);
    });
  });

  it("frees a client that is killed in the middle of its requests", async () => {
    await withServer("killed", async (server, path) => {
      for (let round = 0; round < 5; round++) {
        const client = new TestClient(path);
        await client.hello({ set: ["size=512"] });
        for (let id = 1; id <= 4; id++)
          client.send("get", id, { epoch: 0, indices: [0, 1, 2, 3, 4, 5], slot: null, want: ["image"] });
        if (round % 2 === 0) await client.receive();
        client.socket.destroy();
      }
      await until(() => server.clients === 0 && server.loaders === 0);
    });
  });

  it("drain takes no new client and waits for those that are there", async () => {
    const path = join(folder, "drain.sock");
    const server = await serve({ pool, settings, socket: path });
    const client = new TestClient(path);
    await client.hello();
    let isOver = false;
    const drained = server.drain().then(() => {
      isOver = true;
    });
    await until(() => !existsSync(path));
    client.send("get", 3, { epoch: 0, indices: [1], slot: null, want: ["image"] });
    expect((await client.receive()).id).toBe(3);
    expect(isOver).toBe(false);
    client.socket.destroy();
    await drained;
  });

  it("turns away one client too many, saying so", async () => {
    const path = join(folder, "full.sock");
    const server = await serve({ pool, settings, socket: path, maxClients: 1 });
    const first = new TestClient(path);
    await first.hello();
    const second = new TestClient(path);
    expect((await second.receive()).body).toMatchObject({
      fatal: true,
      message: expect.stringContaining("1 clients already"),
    });
    first.socket.destroy();
    await server.close();
  });

  it("refuses a second server on the same path", async () => {
    await withServer("twice", async (_, path) => {
      await expect(serve({ pool, settings, socket: path })).rejects.toMatchObject({ code: "exists" });
    });
  });
});
