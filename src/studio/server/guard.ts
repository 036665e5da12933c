import { timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { fail } from "../../model/index.ts";

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Lets only this machine's own page in: the Host header must be one of `hosts` (a foreign name that resolves to
 * loopback is how a web page would get here), an Origin must be ours, reads are GET or HEAD, and a write is a JSON
 * POST with the token that the page was given. Sets the headers that keep the page from loading anything foreign.
 */
export function guard(hosts: () => ReadonlySet<string>, token: string): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header("host") ?? "";
    if (!hosts().has(host.toLowerCase()))
      fail("refused", `expected a request to ${[...hosts()].join(" or ")}, got one to ${JSON.stringify(host)}`);
    const origin = context.req.header("origin");
    if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`)
      fail("refused", `expected a request from the studio's own page, got one from ${JSON.stringify(origin)}`);
    const site = context.req.header("sec-fetch-site");
    // A link to the page may stand anywhere (a notebook, say); pictures and data are for the page alone.
    const isLink = context.req.header("sec-fetch-mode") === "navigate" && context.req.path === "/";
    if (site !== undefined && site !== "same-origin" && site !== "none" && !isLink)
      fail("refused", `expected a request from the studio's own page, got one from a ${site} page`);
    const { method } = context.req;
    if (method !== "GET" && method !== "HEAD") {
      if (method !== "POST") fail("refused", `expected GET or POST, got ${method}`);
      if (!/^application\/json\s*(;|$)/i.test(context.req.header("content-type") ?? ""))
        fail("refused", "expected a JSON body (content-type: application/json)");
      if (!isSame(context.req.header("x-nemosaic-token") ?? "", token))
        fail("refused", "the studio was started again since this page was opened: load the page again");
    }
    await next();
    context.header("content-security-policy", policy);
    context.header("x-content-type-options", "nosniff");
    context.header("referrer-policy", "no-referrer");
    context.header("cross-origin-resource-policy", "same-origin");
    context.header("cross-origin-opener-policy", "same-origin");
    if (context.res.headers.get("cache-control") === null) context.header("cache-control", "no-store");
  };
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
