import { resolve } from "node:path";
import type { Command } from "commander";
import { parseBytes, readTileVariables, type StageTiming, stageTiming, timingText } from "../../io/index.ts";
import { Pool } from "../../pool/index.ts";
import { serve } from "../../serve/index.ts";
import type { TileKeeping } from "../../tiles/index.ts";
import {
  action,
  choiceOption,
  integerOption,
  readSettings,
  remark,
  type SharedOptions,
  withShared,
} from "../session.ts";

interface Options extends SharedOptions {
  readonly socket?: string;
  readonly owned: boolean;
  readonly maxClients: number;
  readonly tiles?: "use" | "build" | "off";
  readonly tilesMaxBytes?: number;
  readonly tilesFolder?: string;
  readonly timing: boolean;
}

const advice = {
  plan: "choosing samples is the limit: a smaller mining depth leaves fewer candidates to look at",
  decode: 'images are decoded for every sample: run "nemosaic tiles" once, or let them be kept (--tiles build)',
  resize: 'images are resized for every sample: run "nemosaic tiles" once, or let them be kept (--tiles build)',
  tiles: "reading tiles is the limit: more memory for the system's page cache, or a faster disk",
  compose: "the server is as fast as memory; a second one can take half of the ranks",
  copy: "the server is as fast as memory; a second one can take half of the ranks",
  tokens: "tokenising is the limit: tokens.kind=none leaves it to the training script",
};

export function serveCommand(program: Command): void {
  withShared(program.command("serve <pool>"), { force: false })
    .description("serve batches of a pool to training processes on this machine (docs/pytorch.md)")
    .option("--socket <path>", "where to listen (default: a new name in a private folder)")
    .option("--max-clients <n>", "clients at a time", integerOption("--max-clients", 1), 256)
    .option(
      "--tiles <mode>",
      "build = draw from tiles and store what had to be decoded; use = draw from existing tiles; off = always decode (default: NEMOSAIC_TILES, else build)",
      choiceOption("--tiles", ["use", "build", "off"]),
    )
    .option(
      "--tiles-max-bytes <n>",
      "keep tiles within this many bytes (default: NEMOSAIC_TILES_MAX_BYTES, else a fifth of the free disk, at most 32G)",
      (text: string) => parseBytes(text, "--tiles-max-bytes"),
    )
    .option(
      "--tiles-folder <path>",
      "keep tiles there (default: NEMOSAIC_TILES_FOLDER, else the pool, else the user's cache)",
    )
    .option("--timing", "say at the end which stage was slowest", false)
    .option(
      "--owned",
      "end when standard input is closed and the clients are gone: for programs that start a server",
      false,
    )
    .addHelpText(
      "after",
      `
Prints one JSON line with the socket's path when it is ready. The client chooses split, seed and
settings; the settings given here are for clients that send none.

Example:
  nemosaic serve pool --socket /tmp/nemosaic-1000/train.sock`,
    )
    .action(
      action(async (folder: string, options: Options) => {
        const settings = await readSettings(options);
        const pool = await Pool.open(folder);
        try {
          const { socket, maxClients } = options;
          const timing = options.timing ? stageTiming(() => performance.now()) : undefined;
          const server = await serve({
            pool,
            settings,
            maxClients,
            tiles: keepingOf(options),
            ...(timing === undefined ? {} : { timing }),
            ...(socket === undefined ? {} : { socket }),
          });
          const stopped = untilStopped();
          process.stdout.write(
            `${JSON.stringify({ socket: server.socket, pid: process.pid, pool: pool.manifest.hash })}\n`,
          );
          remark(options, `serving "${folder}" on ${server.socket}${options.owned ? "" : "; Ctrl-C ends it"}`);
          // Clients that joined may be a batch behind the owner: they keep the server until they leave.
          await Promise.race([stopped, ...(options.owned ? [untilOwnerIsGone().then(() => server.drain())] : [])]);
          await server.close();
          if (timing !== undefined) process.stderr.write(`${timingText(timing, adviceFor(timing))}\n`);
        } finally {
          await pool.close();
        }
      }),
    );
}

/** What the options say of tiles, else the environment. What is told of them comes with --quiet too: it is about a full disk. */
function keepingOf({ tiles, tilesMaxBytes, tilesFolder }: Options): TileKeeping {
  const variables = readTileVariables();
  return {
    mode: tiles ?? variables.mode ?? "build",
    maxBytes: tilesMaxBytes ?? variables.maxBytes,
    folder: tilesFolder === undefined ? variables.folder : resolve(tilesFolder),
    tell: (line) => void process.stderr.write(`${line}\n`),
  };
}

/** Where the server was idle for most of its time, no stage of it held anything back. */
function adviceFor(timing: StageTiming): Readonly<Record<string, string>> {
  const { wallMs, stages } = timing.report();
  const busy = stages.reduce((sum, { ms }) => sum + ms, 0);
  if (busy > wallMs / 2) return advice;
  const idle = "but the server waited for most of its time: the training script is the limit, not the data";
  return Object.fromEntries(Object.keys(advice).map((stage) => [stage, idle]));
}

function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}

/** The owner holds the other end of standard input; the system closes it however the owner ends. */
function untilOwnerIsGone(): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ["end", "close", "error"] as const) process.stdin.once(event, () => resolve());
    process.stdin.resume();
  });
}
