import { fail } from "../../model/index.ts";
import type { HubAccess } from "./hub-access.ts";

/** One file of a repository at a revision. */
export interface HubFile {
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Path inside the repository, with "/". */
  readonly path: string;
}

/** What the hub says about a file before it sends it. */
export interface FileFacts {
  readonly commit: string;
  /** SHA-256 (64 hex digits) of an LFS file, git's SHA-1 (40) of another; names the blob. */
  readonly etag: string;
  /** Bytes; undefined where the hub does not say. */
  readonly size: number | undefined;
  /** Where to get it; may be another host. */
  readonly url: string;
}

const mostRedirects = 5;

/**
 * Asks for a file's facts by HEAD, as huggingface_hub does: X-Repo-Commit, X-Linked-Etag or ETag, X-Linked-Size. A
 * redirect inside the hub (a renamed repository) is followed, one to the content store is the file's address.
 * Undefined where the repository has no such file. Errors: `not-found` (no such repository or revision, or no access),
 * `network`.
 */
export async function fileFacts(file: HubFile, hub: HubAccess): Promise<FileFacts | undefined> {
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  let commit: string | null = null;
  let url = `${hub.endpoint}/${file.id}/resolve/${encodeURIComponent(file.revision)}/${path}`;
  for (let hop = 0; hop < mostRedirects; hop++) {
    const response = await request(url, { method: "HEAD", redirect: "manual" }, hub);
    const { headers, status } = response;
    const location = headers.get("location");
    const isRedirect = status >= 300 && status < 400 && location !== null;
    commit = headers.get("x-repo-commit") ?? commit;
    const isInside = isRedirect && !/^([a-z]+:)?\/\//i.test(location);
    if (isRedirect && headers.get("x-linked-etag") === null && (isInside || headers.get("x-repo-commit") === null)) {
      url = new URL(location, url).href;
      continue;
    }
    if (!isRedirect && !response.ok) return refuseAnswer(response, file, hub);
    const etag = cleanEtag(headers.get("x-linked-etag") ?? headers.get("etag"));
    if (etag === undefined || commit === null) {
      fail(
        "network",
        `expected the hub's headers (ETag, X-Repo-Commit) from ${url}, got none: is ${hub.endpoint} a hub?`,
      );
    }
    const size = headers.get("x-linked-size") ?? (isRedirect ? null : headers.get("content-length"));
    return {
      commit,
      etag,
      size: size === null ? undefined : Number(size),
      url: isRedirect ? new URL(location, url).href : url,
    };
  }
  return fail("network", `expected an answer from ${url}, got ${mostRedirects} redirects`);
}

/** `fetch` whose failure says what to do; sends the token to the hub's own host only. */
export async function request(url: string, init: RequestInit, hub: HubAccess): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("user-agent", "nemosaic");
  // Compressed answers would have another length and could not be resumed.
  headers.set("accept-encoding", "identity");
  if (hub.token !== undefined && new URL(url).origin === new URL(hub.endpoint).origin) {
    headers.set("authorization", `Bearer ${hub.token}`);
  }
  try {
    return await fetch(url, { ...init, headers });
  } catch (cause) {
    const { host } = new URL(url);
    return fail(
      "network",
      `could not reach ${host}: ${reasonOf(cause)}; check the network, or name a mirror in HF_ENDPOINT`,
      cause,
    );
  }
}

/** The innermost message: fetch itself only says "fetch failed". */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.cause instanceof Error && cause.cause.message !== "") return cause.cause.message;
  const code = (cause.cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? cause.message;
}

function refuseAnswer(response: Response, file: HubFile, hub: HubAccess): undefined {
  const reason = response.headers.get("x-error-code");
  const { status } = response;
  if (status === 404 && reason !== "RepoNotFound" && reason !== "RevisionNotFound") return undefined;
  const access =
    hub.token === undefined
      ? "set HF_TOKEN to a token that may read it"
      : "the token in HF_TOKEN may not read it; accept the model's terms on its page";
  if (reason === "GatedRepo") fail("not-found", `the hub's ${file.id} is gated: ${access}`);
  if (reason === "RevisionNotFound") fail("not-found", `the hub's ${file.id} has no revision "${file.revision}"`);
  if (reason === "RepoNotFound" || status === 401 || status === 403) {
    fail("not-found", `the hub has no ${file.id}, or it is private (${status}): check the name, or ${access}`);
  }
  return fail("network", `expected ${file.id}/${file.path} from ${hub.endpoint}, got ${status} ${response.statusText}`);
}

function cleanEtag(etag: string | null): string | undefined {
  const clean = etag?.replace(/^W\//, "").replace(/"/g, "");
  return clean !== undefined && /^[\w.-]+$/.test(clean) ? clean : undefined;
}
