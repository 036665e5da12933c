import type { Socket } from "node:net";
import { producer, type StageTimer } from "../io/index.ts";
import { normalisations, warningsOf } from "../loader/index.ts";
import { fail, NemosaicError } from "../model/index.ts";
import { type BatchBody, makeBatch, payloadBytesOf, type WriteAt } from "./batch-body.ts";
import { encodeFrame, type Frame, FrameReader, protocolVersion } from "./frame.ts";
import type { LoaderLease, LoaderShelf } from "./loader-shelf.ts";
import { type GetRequest, parseGet, parseHello, parseSlots } from "./messages.ts";
import { openSlotFile, type SlotFile } from "./slot-file.ts";

export interface SessionLimits {
  /** Requests that one client may have under way. */
  readonly credits: number;
  /** Batches of one client that are being made, or made and not yet taken: what bounds the memory of a slow client. */
  readonly batchesInMemory: number;
  /** Bytes of one batch's arrays. */
  readonly batchBytes: number;
}

interface Pending {
  readonly id: number;
  readonly request: GetRequest;
}

/**
 * One client, from its hello until its socket closes. Requests wait as a few bytes each until one of `batchesInMemory`
 * places is free; a place is free again when the client has taken its batch (or the shared memory has). Answers may
 * overtake each other. A closed socket gives back everything.
 */
export class Session {
  readonly #socket: Socket;
  readonly #shelf: LoaderShelf;
  readonly #limits: SessionLimits;
  readonly #timing: StageTimer;
  readonly #reader = new FrameReader();
  readonly #waiting: Pending[] = [];
  #active = 0;
  /** Requests whose answer is not on its way: given back before the client can see the answer and ask for more. */
  #unanswered = 0;
  #credits = 0;
  #lease: LoaderLease | undefined;
  #slots: SlotFile | undefined;
  #closed = false;
  #work: Promise<void> = Promise.resolve();
  readonly #ended: Promise<void>;

  constructor(socket: Socket, shelf: LoaderShelf, limits: SessionLimits, timing: StageTimer) {
    this.#socket = socket;
    this.#shelf = shelf;
    this.#limits = limits;
    this.#timing = timing;
    this.#ended = new Promise((resolve) => {
      socket.once("close", () => {
        this.#closed = true;
        this.#waiting.length = 0;
        resolve(this.#work.then(() => this.#giveBack()));
      });
    });
    socket.on("error", () => undefined); // "close" follows; a client that was killed is no error of ours
    socket.on("data", (chunk) => this.#receive(typeof chunk === "string" ? Buffer.from(chunk) : chunk));
  }

  /** Settles when the socket is closed and everything is given back. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.destroy();
  }

  /** Says why this client is not served, and ends the connection. */
  turnAway(why: string): void {
    this.#refuse(0, new NemosaicError("locked", why));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#accept(frame);
    } catch (error) {
      this.#refuse(0, error);
    }
  }

  #accept(frame: Frame): void {
    const { kind, request: id, body } = frame;
    switch (kind) {
      case "hello":
      case "slots":
        // One after the other: slots need the loader that hello opens.
        this.#work = this.#work
          .then(() => (kind === "hello" ? this.#hello(id, body) : this.#openSlots(id, body)))
          .catch((error: unknown) => this.#answerError(id, error));
        return;
      case "get": {
        if (this.#credits === 0) fail("bad-input", 'expected "hello" and its answer before "get"');
        const request = parseGet(body);
        if (this.#unanswered >= this.#credits) {
          fail("bad-input", `expected at most ${this.#credits} requests under way, as agreed in "welcome"`);
        }
        this.#unanswered++;
        this.#waiting.push({ id, request });
        this.#start();
        return;
      }
      default:
        fail("bad-input", `expected "hello", "slots" or "get" from a client, got "${kind}"`);
    }
  }

  async #hello(id: number, body: unknown): Promise<void> {
    if (this.#lease !== undefined) fail("bad-input", 'expected one "hello", got a second');
    const hello = parseHello(body);
    const lease = await this.#shelf.lease(hello);
    this.#lease = lease;
    const { loader } = lease;
    this.#credits = Math.min(hello.credits, this.#limits.credits);
    const { settings } = loader;
    this.#send(
      encodeFrame("welcome", id, {
        protocol: protocolVersion,
        server: producer,
        pid: process.pid,
        pool: loader.facts.pool,
        settings: loader.facts.settings,
        identity: loader.identity,
        split: loader.split,
        seed: loader.seed,
        augmented: loader.augmented,
        length: loader.length,
        size: settings.size,
        tokens: { kind: settings.tokens.kind, length: settings.tokens.kind === "none" ? 0 : settings.tokens.length },
        resolved: settings,
        credits: this.#credits,
        normalisation: normalisations,
        warnings: warningsOf(loader),
      }),
    );
  }

  async #openSlots(id: number, body: unknown): Promise<void> {
    if (this.#lease === undefined) fail("bad-input", 'expected "hello" before "slots"');
    if (this.#slots !== undefined) fail("bad-input", 'expected one "slots", got a second');
    this.#slots = await openSlotFile(parseSlots(body));
    this.#send(encodeFrame("ready", id, {}));
  }

  #start(): void {
    while (!this.#closed && this.#active < this.#limits.batchesInMemory) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#active++;
      const done = this.#serve(next)
        .catch((error: unknown) => {
          this.#unanswered--;
          this.#answerError(next.id, error);
        })
        .then(() => {
          this.#active--;
          this.#start();
        });
      this.#work = Promise.all([this.#work, done]).then(() => undefined);
    }
  }

  async #serve({ id, request }: Pending): Promise<void> {
    const { loader, around } = this.#lease ?? fail("internal", "a request without a loader");
    const bytes = payloadBytesOf(loader, request);
    if (bytes > this.#limits.batchBytes)
      fail(
        "usage",
        `a batch of ${bytes} bytes is over this server's limit of ${this.#limits.batchBytes}; ask for fewer samples`,
      );
    const { slot } = request;
    if (slot !== null && (this.#slots === undefined || slot >= this.#slots.slots))
      fail("bad-input", `expected a slot that was agreed on, got ${slot}`);
    const shared = slot !== null && this.#slots !== undefined && bytes <= this.#slots.slotBytes;
    const write: WriteAt | undefined = shared ? (offset, part) => this.#toSlot(slot, offset, part) : undefined;
    const batch = await around(() => makeBatch(loader, request, write));
    if (this.#closed) return;
    if (shared) {
      const answer = encodeFrame("batch", id, { ...batch.json, slot });
      this.#unanswered--;
      await this.#sent(answer);
      return;
    }
    await this.#sendWithPayload(id, batch);
  }

  /** A client that has gone takes nothing: its memory is closed with the session, after the batches under way. */
  #toSlot(slot: number, offset: number, bytes: Uint8Array): void {
    if (this.#closed) return;
    const start = this.#timing.now();
    this.#slots?.write(slot, offset, bytes);
    this.#timing.since("copy", start);
  }

  async #sendWithPayload(id: number, batch: BatchBody): Promise<void> {
    const head = encodeFrame("batch", id, { ...batch.json, slot: null }, batch.payloadBytes);
    this.#unanswered--;
    // No await between the parts: answers of two requests must not mix.
    this.#socket.cork();
    this.#send(head);
    let at = 0;
    batch.tensors.forEach(({ offset, bytes }, place) => {
      if (offset > at) this.#send(Buffer.alloc(offset - at));
      this.#send(batch.arrays?.[place] ?? fail("internal", "a batch without its arrays"));
      at = offset + bytes;
    });
    const taken = this.#sent(Buffer.alloc(0));
    this.#socket.uncork();
    await taken;
  }

  #send(bytes: Uint8Array): void {
    if (!this.#closed) this.#socket.write(bytes);
  }

  /** Writes, and settles when the operating system has taken everything written so far, or the socket is closed. */
  #sent(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        this.#socket.off("close", over);
        resolve();
      };
      this.#socket.once("close", over);
      this.#socket.write(bytes, over);
    });
  }

  #answerError(id: number, error: unknown): void {
    this.#send(encodeFrame("error", id, errorBody(error)));
  }

  /** For bytes that are no request: nothing after them can be trusted. */
  #refuse(id: number, error: unknown): void {
    if (this.#closed) return;
    this.#socket.removeAllListeners("data");
    this.#socket.end(encodeFrame("error", id, { ...errorBody(error), fatal: true }));
    this.#socket.resume();
  }

  async #giveBack(): Promise<void> {
    await this.#slots?.close();
    await this.#lease?.release();
  }
}

function errorBody(error: unknown): { code: string; message: string } {
  if (error instanceof NemosaicError) return { code: error.code, message: error.message };
  return {
    code: "internal",
    message: `unexpected error in the server: ${error instanceof Error ? error.message : String(error)}`,
  };
}
