import { createServer, type Server as NetServer } from "node:net";
import { noTiming } from "../io/index.ts";
import type { LoaderOptions } from "../loader/index.ts";
import { fail } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import type { Settings } from "../settings/index.ts";
import { type TileKeeping, type TileMode, TileStore } from "../tiles/index.ts";
import { LoaderShelf } from "./loader-shelf.ts";
import { Session, type SessionLimits } from "./session.ts";
import { defaultSocketPath, makePrivate, prepareSocketPath, removeSocket } from "./socket-path.ts";

export interface ServeOptions {
  /** An open pool; the caller closes it after the server. */
  readonly pool: Pool;
  /** For clients that bring no settings of their own. */
  readonly settings: Settings;
  /** Where to listen; default a new name in a private folder. */
  readonly socket?: string;
  readonly limits?: Partial<SessionLimits>;
  /** Clients at a time; one more is turned away. */
  readonly maxClients?: number;
  /** As `Loader.open` takes them, default "build"; `timing` also gets the stage "copy", into shared memory. */
  readonly tiles?: TileMode | TileKeeping;
  readonly timing?: LoaderOptions["timing"];
}

/** A server that listens. */
export interface BatchServer {
  readonly socket: string;
  /** Clients connected now. */
  readonly clients: number;
  /** Loaders open now: one for each (split, seed, settings) in use. */
  readonly loaders: number;
  /** Takes no new clients, removes the socket, and settles when the clients that are there have gone. */
  drain(): Promise<void>;
  /** Ends all connections, removes the socket and settles when everything is given back. */
  close(): Promise<void>;
}

export const defaultLimits: SessionLimits = { credits: 32, batchesInMemory: 2, batchBytes: 2 ** 30 };

/**
 * Serves batches of a pool on a Unix socket, mode 0600, to many clients; docs/formats/stream.md is the protocol. Memory
 * is bounded by maxClients · batchesInMemory · batchBytes, however slow a client is. Errors: those of `prepareSocketPath`.
 */
export async function serve(options: ServeOptions): Promise<BatchServer> {
  const { pool, settings, socket: path = defaultSocketPath(), maxClients = 256 } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { tiles = "build", timing = noTiming } = options;
  const store = new TileStore(pool, typeof tiles === "string" ? { mode: tiles } : tiles);
  const shelf = new LoaderShelf(pool, settings, { tiles: store, timing });
  const sessions = new Set<Session>();
  const server = createServer((connection) => {
    const session = new Session(connection, shelf, limits, timing);
    if (sessions.size >= maxClients) session.turnAway(`this server has ${maxClients} clients already`);
    sessions.add(session);
    void session.ended.finally(() => sessions.delete(session));
  });
  await prepareSocketPath(path);
  await listen(server, path);
  let draining: Promise<void> | undefined;
  const drain = (): Promise<void> => {
    draining ??= (async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await removeSocket(path);
      await closed;
      await Promise.all([...sessions].map((session) => session.ended));
      await store.close();
    })();
    return draining;
  };
  return {
    socket: path,
    get clients() {
      return sessions.size;
    },
    get loaders() {
      return shelf.size;
    },
    drain,
    close() {
      for (const session of sessions) session.close();
      return drain();
    },
  };
}

async function listen(server: NetServer, path: string): Promise<void> {
  // bind happens inside listen(): the mask keeps the moment before chmod private too.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(error));
      server.listen(path, resolve);
    });
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") fail("exists", `a server listens on "${path}" already`, error);
    fail("io", `cannot listen on "${path}": ${code}`, error);
  } finally {
    process.umask(mask);
  }
  await makePrivate(path);
}
