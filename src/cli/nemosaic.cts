#!/usr/bin/env node
// The command's first file: CommonJS, because libuv starts its threads, and with that settles their number, while Node
// loads the first module. Images are decoded on them: one for each core, and no fewer than libuv's own four.
const { availableParallelism } = require("node:os") as typeof import("node:os");

process.env.UV_THREADPOOL_SIZE ??= String(Math.min(Math.max(4, availableParallelism()), 1024));

void import("./main.ts");
