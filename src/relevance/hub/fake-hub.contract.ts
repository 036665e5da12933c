import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A hub on loopback that answers as the real one: HEAD and GET of /org/name/resolve/<revision>/<path>, LFS by redirect. */
export interface FakeHub {
  readonly endpoint: string;
  /** "METHOD path [range]" of each request, in order. */
  readonly log: string[];
  /** Ends a transfer of this path after so many bytes, once. */
  cutOnce(path: string, afterBytes: number): void;
  /** Sends other bytes of the same length than announced for this path. */
  corrupt(path: string): void;
  /** Requests to the content store that carried an authorization header. */
  readonly leakedTokens: string[];
  close(): Promise<void>;
}

export interface FakeRepository {
  readonly id: string;
  readonly commit: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Paths that are LFS objects: kept on another host and named by SHA-256. */
  readonly large: readonly string[];
  readonly gatedBy?: string;
  readonly renamedFrom?: string;
  /** Answer for small files with a redirect to another path of the hub, as the hub does since 2025. */
  readonly resolveCache?: boolean;
}

export async function startFakeHub(repository: FakeRepository): Promise<FakeHub> {
  const log: string[] = [];
  const leakedTokens: string[] = [];
  const cuts = new Map<string, number>();
  const corrupted = new Set<string>();

  const send = (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    headers: Record<string, string>,
  ): void => {
    let body = Buffer.from(repository.files[path] ?? new Uint8Array());
    if (corrupted.has(path)) body = Buffer.from(body.map((byte) => byte ^ 1));
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const part = body.subarray(from);
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      ...headers,
      "content-length": String(part.length),
      ...(request.headers.range === undefined
        ? {}
        : { "content-range": `bytes ${from}-${body.length - 1}/${body.length}` }),
    });
    const cut = cuts.get(path);
    if (request.method === "HEAD") {
      response.end();
    } else if (cut === undefined) {
      response.end(part);
    } else {
      cuts.delete(path);
      response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 50)); // lets the client read first
    }
  };

  const store = createServer((request, response) => {
    const path = decodeURIComponent((request.url ?? "").slice(1));
    log.push(`STORE ${request.method} ${path} ${request.headers.range ?? ""}`.trim());
    if (request.headers.authorization !== undefined) leakedTokens.push(path);
    send(request, response, path, {});
  });
  const storeOrigin = await listen(store);

  const hub = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? "");
    const match = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/([^?]+)/.exec(url);
    const [, id, revision, path = ""] = match ?? [];
    log.push(`${request.method} ${path} ${request.headers.range ?? ""}`.trim());
    const refuse = (status: number, code: string): void => {
      response.writeHead(status, { "x-error-code": code });
      response.end();
    };
    if (id !== undefined && id === repository.renamedFrom) {
      response.writeHead(307, { location: `/${repository.id}/resolve/${revision}/${path}` });
      response.end();
      return;
    }
    if (id !== repository.id) return refuse(401, "RepoNotFound");
    if (repository.gatedBy !== undefined && request.headers.authorization !== `Bearer ${repository.gatedBy}`) {
      return refuse(401, "GatedRepo");
    }
    if (revision !== "main" && revision !== repository.commit) return refuse(404, "RevisionNotFound");
    const file = repository.files[path];
    if (file === undefined) return refuse(404, "EntryNotFound");
    const commit = { "x-repo-commit": repository.commit };
    if (repository.large.includes(path)) {
      response.writeHead(302, {
        ...commit,
        location: `${storeOrigin}/${encodeURIComponent(path)}`,
        etag: '"some-other-etag"',
        "x-linked-etag": `"${createHash("sha256").update(file).digest("hex")}"`,
        "x-linked-size": String(file.length),
      });
      response.end();
      return;
    }
    if (repository.resolveCache === true && !url.endsWith("?cached")) {
      response.writeHead(307, {
        ...commit,
        location: `${url.replace(/\/resolve\/[^/]+\//, `/resolve/${repository.commit}/`)}?cached`,
      });
      response.end();
      return;
    }
    const sha = createHash("sha1").update(`blob ${file.length}\0`).update(file).digest("hex");
    send(request, response, path, { ...commit, etag: `W/"${sha}"` });
  });
  const endpoint = await listen(hub);

  return {
    endpoint,
    log,
    leakedTokens,
    cutOnce: (path, afterBytes) => cuts.set(path, afterBytes),
    corrupt: (path) => corrupted.add(path),
    async close() {
      for (const server of [hub, store]) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
    },
  };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
