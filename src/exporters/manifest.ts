import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ifMissing, makeFolder, producer, writeFileAtomic } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";
import { type ExportJob, parseJob } from "./job.ts";
import { announceFiles, partsFolder, removeForetold } from "./journal.ts";
import type { ExportOutput } from "./output.ts";
import type { PartReader } from "./parts.ts";

const exportFormat = "nemosaic-export";
const exportVersion = 1;
const manifestName = "export.json";
const sumsName = "SHA256SUMS";
/** Remarks kept in the manifest; all are counted. */
const keptRemarks = 100;

const manifestSchema = z.object({
  format: z.literal(exportFormat),
  version: z.literal(exportVersion),
  producer: z.string(),
  /** Equal jobs have equal hashes. */
  hash: z.string(),
  job: z.unknown(),
  /** Records by split, and how many of them were drawn as each kind of sample. */
  counts: z.record(
    z.string(),
    z.object({
      records: z.number(),
      originals: z.number(),
      leftOut: z.number(),
      kinds: z.record(z.string(), z.number()),
    }),
  ),
  /** Samples replaced or left out (an image cannot be read, the format cannot hold it): how many, and the first of them in words. */
  remarks: z.object({ count: z.number(), first: z.array(z.string()) }),
  /** Second ways to folders, which no list of hashes can hold. */
  links: z.array(z.string()).default([]),
  /** Every other file is listed with its hash in SHA256SUMS. */
  files: z.object({ list: z.string(), count: z.number(), bytes: z.number(), sha256: z.string() }),
});

/** The content of export.json, the file that makes an export complete. */
export type ExportManifest = Omit<z.infer<typeof manifestSchema>, "job"> & { readonly job: ExportJob };

/** Reads the manifest of a finished export; undefined where there is none. Errors: "bad-input". */
export async function readExportManifest(folder: string): Promise<ExportManifest | undefined> {
  const path = join(folder, manifestName);
  const text = await readFile(path, "utf8").catch(ifMissing(undefined));
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    fail(
      "bad-input",
      `expected JSON in "${path}": ${(error as Error).message}; remove the folder and export again`,
      error,
    );
  }
  const result = manifestSchema.safeParse(value);
  if (!result.success)
    fail("bad-input", `expected format "${exportFormat}" ${exportVersion} in "${path}", got ${quoteValue(value)}`);
  return { ...result.data, job: parseJob(result.data.job, path) };
}

/** Writes SHA256SUMS (as `sha256sum -c` reads it) and, last, export.json. */
export async function writeExportManifest(
  job: ExportJob,
  hash: string,
  parts: PartReader,
  remarks: readonly string[],
  output: ExportOutput,
): Promise<ExportManifest> {
  const { files } = output;
  await output.stream(sumsName, async (append) => {
    for (const { path, sha256 } of files) await append(`${sha256}  ${path}\n`);
  });
  const sums = output.files.find(({ path }) => path === sumsName) ?? fail("internal", "no list of hashes");
  const manifest: ExportManifest = {
    format: exportFormat,
    version: exportVersion,
    producer,
    hash,
    job,
    counts: await countRecords(job, parts),
    remarks: { count: remarks.length, first: remarks.slice(0, keptRemarks) },
    links: output.links,
    files: {
      list: sumsName,
      count: files.length,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      sha256: sums.sha256,
    },
  };
  await writeFileAtomic(join(output.folder, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

/** Removes a finished export: its manifest first, then the files that it lists and the folders that they leave empty. */
export async function removeExport(folder: string, manifest: ExportManifest): Promise<void> {
  const sums = await readFile(join(folder, manifest.files.list), "utf8").catch(ifMissing(""));
  const paths = sums.split("\n").flatMap((line) => (line === "" ? [] : [line.slice(66)]));
  await announceFiles(folder, "former", [...paths, ...manifest.links, manifest.files.list]);
  await rm(join(folder, manifestName), { force: true });
  await removeForetold(folder);
}

/** The job whose parts lie in `folder`; undefined where none was begun or its file is unreadable. */
export async function readJob(folder: string): Promise<ExportJob | undefined> {
  const path = join(folder, partsFolder, "job.json");
  const text = await readFile(path, "utf8").catch(ifMissing(undefined));
  if (text === undefined) return undefined;
  try {
    return parseJob((JSON.parse(text) as { job?: unknown }).job, path);
  } catch {
    return undefined;
  }
}

/** Notes which job the parts of `folder` belong to. */
export async function writeJob(folder: string, job: ExportJob, hash: string): Promise<void> {
  await makeFolder(join(folder, partsFolder));
  await writeFileAtomic(
    join(folder, partsFolder, "job.json"),
    `${JSON.stringify({ format: `${exportFormat}-job`, version: exportVersion, producer, hash, job }, undefined, 2)}\n`,
  );
}

/** Notes that a shard has drawn all of its parts. */
export async function markShard(
  folder: string,
  hash: string,
  shard: { readonly index: number; readonly count: number },
): Promise<void> {
  await writeFileAtomic(
    join(folder, partsFolder, `shard-${shard.index}-of-${shard.count}.json`),
    `${JSON.stringify({ hash, ...shard })}\n`,
  );
}

/** The shards that finished. */
export async function finishedShards(folder: string): Promise<{ index: number; count: number }[]> {
  const names = await readdir(join(folder, partsFolder)).catch(ifMissing([]));
  return names.flatMap((name) => {
    const match = /^shard-(\d+)-of-(\d+)\.json$/.exec(name);
    return match === null ? [] : [{ index: Number(match[1]), count: Number(match[2]) }];
  });
}

async function countRecords(job: ExportJob, parts: PartReader): Promise<ExportManifest["counts"]> {
  const counts: Record<string, { records: number; originals: number; leftOut: number; kinds: Record<string, number> }> =
    {};
  for (const { name, records } of job.splits) counts[name] = { records: 0, originals: 0, leftOut: records, kinds: {} };
  for await (const { split, plan } of parts.records()) {
    const count = counts[split] ?? fail("internal", `no split "${split}"`);
    count.records++;
    count.leftOut--;
    if (plan === undefined || plan === null) count.originals++;
    else {
      const { kind } = plan as { kind: string };
      count.kinds[kind] = (count.kinds[kind] ?? 0) + 1;
    }
  }
  return counts;
}
