import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { mineSmall } from "../../test/small-pool.ts";
import { type Progress, silentProgress } from "../io/index.ts";
import { Pool } from "../pool/index.ts";
import { parseSettings } from "../settings/index.ts";
import { type ExportOptions, type ExportReport, exportPool } from "./index.ts";
import { makeSmallPool } from "./small-pool.contract.ts";

export const settings = parseSettings(
  {
    size: 40,
    mosaic: { gamma: 0.6, randomShare: 0.5 },
    band: { tau: null, tauImage: null },
    guards: { nearDuplicate: null },
  },
  "test",
);
export const epochs = 16; // 9 refs × 16 and half as many originals: more than one part
/** A small mined pool, and exports of it below a temporary folder. */
export interface ExportRuns {
  readonly home: string;
  readonly pool: Pool;
  run(format: string, output: string, more?: Partial<ExportOptions>): Promise<ExportReport>;
  /** Every file below a folder with its hash; links with where they lead. */
  tree(folder: string): Promise<Record<string, string>>;
  /** Every folder below a folder. */
  folders(folder: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openExportRuns(): Promise<ExportRuns> {
  const home = await mkdtemp(join(tmpdir(), "nemosaic-export-"));
  const pool = await Pool.open(await makeSmallPool(home));
  await mineSmall(pool);
  return {
    home,
    pool,
    run: (format, output, more = {}) =>
      exportPool(pool, settings, {
        format,
        output: join(home, output),
        splits: ["train", "val"],
        seed: 5,
        epochs,
        firstEpoch: 0,
        originals: 0.5,
        image: { kind: "png" },
        options: { shardSamples: 50 },
        force: false,
        concurrency: 4,
        progress: silentProgress,
        ...more,
      }),
    tree: (folder) => treeOf(join(home, folder)),
    folders: (folder) => foldersOf(join(home, folder)),
    close: async () => {
      await pool.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function treeOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(path)}`;
    else if (entry.isFile())
      found[name] = createHash("sha256")
        .update(await readFile(path))
        .digest("hex");
  }
  return found;
}

async function foldersOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isDirectory() ? relative(folder, join(entry.parentPath, entry.name)) : []))
    .sort();
}

/** A progress that stops the export, as a kill would, after `samples`. */
export function stopAfter(samples: number): Progress {
  let left = samples;
  return {
    begin: () => ({
      advance: () => {
        if (left-- <= 0) throw new Error("stopped");
      },
      note: () => undefined,
      end: () => undefined,
    }),
  };
}

/** A progress that stops the export at the end of the task of that name. */
export function stopWhen(name: string): Progress {
  return {
    begin: (label) => (label === name ? stopAfter(0).begin("", 0, "") : silentProgress.begin(label, 0, "")),
  };
}
