/** The room `serve`: batches to many clients over a Unix socket and shared memory. */
export { type BatchServer, defaultLimits, type ServeOptions, serve } from "./server.ts";
export type { SessionLimits } from "./session.ts";
export { defaultSocketPath } from "./socket-path.ts";
