import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createAdaptorServer } from "@hono/node-server";
import { exists } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import type { Pool } from "../../pool/index.ts";
import { studioApp } from "./app.ts";
import { Chances } from "./chances.ts";
import { Judged } from "./judged.ts";
import { MinedSets } from "./mined-sets.ts";
import { Mosaics } from "./mosaics.ts";
import { Pictures } from "./pictures.ts";
import { SettingsFile } from "./settings-file.ts";

export interface StudioOptions {
  /** Stays the caller's to close. */
  readonly pool: Pool;
  /** The file that every page reads and "save settings" writes; it need not be there. */
  readonly settingsPath: string;
  /** What the page starts with over the file: a preset's name and `key=value` words. */
  readonly preset?: string | undefined;
  readonly set?: readonly string[];
  /** 0 = any free one. */
  readonly port: number;
  readonly seed: number;
  /** Files of the evaluator: its --json output and its --samples. */
  readonly evaluation?: string;
  readonly samples?: string;
  /** The built page; default: beside this file, as the build puts it. */
  readonly pageFolder?: string;
}

export interface Studio {
  readonly url: string;
  /** The mined set that the page starts with; undefined where the pool has none. */
  readonly mined: string | undefined;
  close(): Promise<void>;
}

/**
 * Serves the studio's page and data on loopback until closed.
 * Errors: "incomplete" where the page is not built; "io" where the port is taken; "bad-input" for damaged judgements.
 */
export async function startStudio(options: StudioOptions): Promise<Studio> {
  const { pool, settingsPath, preset, set = [], seed, evaluation, samples } = options;
  const pageFolder = options.pageFolder ?? join(dirname(fileURLToPath(import.meta.url)), "..", "page");
  if (!(await exists(join(pageFolder, "index.html"))))
    fail("incomplete", `expected the built page in "${pageFolder}"; run "npm run build" first`);
  const mined = await MinedSets.of(pool);
  const mosaics = new Mosaics(pool, seed);
  const chances = new Chances(pool);
  const settings = new SettingsFile(resolve(settingsPath), { preset, set }, mined.names);
  const start = mined.names.length === 0 ? undefined : (await settings.read()).start.mined;
  let hosts: ReadonlySet<string> = new Set();
  const app = studioApp({
    pool,
    mined,
    judged: await Judged.of(pool),
    pictures: new Pictures(pool),
    mosaics,
    chances,
    settings,
    seed,
    evaluation,
    samples,
    pageFolder,
    token: randomBytes(24).toString("base64url"),
    hosts: () => hosts,
  });
  const server = createAdaptorServer({ fetch: app.fetch });
  const port = await new Promise<number>((listening, failed) => {
    server.once("error", failed);
    server.listen(options.port, "127.0.0.1", () => listening((server.address() as AddressInfo).port));
  }).catch((error: NodeJS.ErrnoException) => {
    const what =
      error.code === "EADDRINUSE" ? "is in use; choose another with --port" : `cannot be used: ${error.message}`;
    return fail("io", `port ${options.port} of 127.0.0.1 ${what}`, error);
  });
  hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`]);
  return {
    url: `http://127.0.0.1:${port}/`,
    mined: start,
    close: async () => {
      await new Promise<void>((closed) => {
        server.close(() => closed());
        if ("closeAllConnections" in server) server.closeAllConnections();
      });
      await mosaics.close();
      await chances.close();
      await mined.close();
    },
  };
}
