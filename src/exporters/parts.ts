import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { hashBytes, ifMissing, openAtomic, writeFileAtomic } from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { EncodedSample, RecordMeta } from "./encoded-sample.ts";
import { type ExportJob, recordCount } from "./job.ts";
import { announceFiles, partsFolder } from "./journal.ts";
import { type OutputFile, writeSmallFile } from "./output.ts";

/** Records of a part: what a killed run loses at most, and the unit that shards divide. */
export const partRecords = 128;

/** Number of parts of a job. */
export function partCount(job: ExportJob): number {
  return Math.ceil(recordCount(job) / partRecords);
}

const partSchema = z.object({
  job: z.string(),
  part: z.number(),
  /** null: the record was left out because its image cannot be read, or the format cannot hold it. */
  records: z.array(
    z.object({ meta: z.record(z.string(), z.unknown()), plan: z.unknown().optional(), blob: z.number() }).nullable(),
  ),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
  blobBytes: z.number(),
  blobHash: z.string(),
  /** One line per sample that another took the place of, or that was left out. */
  remarks: z.array(z.string()),
});
export type Part = z.infer<typeof partSchema>;

/** One record on its way into a part; `undefined` in place of `encoded`: left out. */
export interface PartRecord {
  readonly encoded: EncodedSample | undefined;
  readonly plan: unknown;
  readonly remark: string | undefined;
}

/** Writes a part: its files, its blobs, and last the JSON that makes it count. */
export async function writePart(
  folder: string,
  job: string,
  part: number,
  records: readonly PartRecord[],
  done: Set<string>,
): Promise<void> {
  const files: OutputFile[] = [];
  const paths = records.flatMap(({ encoded }) => (encoded?.files ?? []).map(({ path }) => path));
  await announceFiles(
    folder,
    partName(part),
    paths.filter((path) => !done.has(path)),
  );
  for (const { encoded } of records) {
    for (const { path, bytes } of encoded?.files ?? []) {
      files.push({ path, bytes: bytes.length, sha256: hashBytes(bytes) });
      if (done.has(path)) continue; // several records share one original image
      await writeSmallFile(join(folder, path), bytes);
      done.add(path);
    }
  }
  const blobs = records.flatMap(({ encoded }) => (encoded?.blob === undefined ? [] : [encoded.blob]));
  const blob = Buffer.concat(blobs);
  if (blob.length > 0) {
    const file = await openAtomic(blobPath(folder, part));
    await file.write(blob);
    await file.commit();
  }
  const content: Part = {
    job,
    part,
    records: records.map(({ encoded, plan }) =>
      encoded === undefined
        ? null
        : { meta: encoded.meta, ...(plan === undefined ? {} : { plan }), blob: encoded.blob?.length ?? 0 },
    ),
    files,
    blobBytes: blob.length,
    blobHash: hashBytes(blob),
    remarks: records.flatMap(({ remark }) => (remark === undefined ? [] : [remark])),
  };
  await writeFileAtomic(partPath(folder, part), JSON.stringify(content));
}

/** A part that is there, whole, and of this job; undefined where it has to be drawn (again). */
export async function readPart(folder: string, job: string, part: number): Promise<Part | undefined> {
  const text = await readFile(partPath(folder, part), "utf8").catch(ifMissing(undefined));
  if (text === undefined) return undefined;
  const value = parsePart(text);
  if (value?.job !== job || value.part !== part) return undefined;
  return value;
}

/** As `readPart`, and looks whether its files and blobs still have the sizes that they were written with. */
export async function readCheckedPart(folder: string, job: string, part: number): Promise<Part | undefined> {
  const content = await readPart(folder, job, part);
  if (content === undefined) return undefined;
  const sizes = [...content.files.map(({ path, bytes }) => ({ path: join(folder, path), bytes }))];
  if (content.blobBytes > 0) sizes.push({ path: blobPath(folder, part), bytes: content.blobBytes });
  for (const { path, bytes } of sizes) {
    const info = await stat(path).catch(() => undefined);
    if (info?.size !== bytes) return undefined;
  }
  return content;
}

/** One record as the assembly meets it. */
export interface AssembledRecord {
  readonly number: number;
  readonly split: string;
  readonly meta: RecordMeta;
  readonly plan: unknown;
  readonly part: number;
  /** Where its blob lies in the part's blobs. */
  readonly offset: number;
  readonly bytes: number;
}

/** The finished parts of a job, read in order as often as an assembly needs. Close it when done. */
export class PartReader {
  readonly #folder: string;
  readonly #job: ExportJob;
  readonly #hash: string;
  readonly #handles = new Map<number, FileHandle>();

  constructor(folder: string, job: ExportJob, hash: string) {
    this.#folder = folder;
    this.#job = job;
    this.#hash = hash;
  }

  /** The records of all splits in order, without those that were left out. */
  async *records(): AsyncGenerator<AssembledRecord> {
    const bounds: { name: string; end: number }[] = [];
    for (const { name, records } of this.#job.splits) bounds.push({ name, end: (bounds.at(-1)?.end ?? 0) + records });
    let at = 0;
    for (let part = 0; part < partCount(this.#job); part++) {
      const content = (await readPart(this.#folder, this.#hash, part)) ?? fail("internal", `part ${part} went away`);
      let offset = 0;
      for (const [index, record] of content.records.entries()) {
        const number = part * partRecords + index;
        while (number >= (bounds[at]?.end ?? Number.POSITIVE_INFINITY)) at++;
        if (record === null) continue;
        yield {
          number,
          split: bounds[at]?.name ?? "",
          meta: record.meta,
          plan: record.plan,
          part,
          offset,
          bytes: record.blob,
        };
        offset += record.blob;
      }
    }
  }

  /** The records of one split. */
  async *recordsOf(split: string): AsyncGenerator<AssembledRecord> {
    for await (const record of this.records()) if (record.split === split) yield record;
  }

  /** The blob of a record. Errors: "bad-input" where the part's file is shorter than it was. */
  async blob(record: Pick<AssembledRecord, "part" | "offset" | "bytes">): Promise<Uint8Array> {
    const bytes = new Uint8Array(record.bytes);
    const handle = await this.#open(record.part);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, record.offset + done);
      if (bytesRead === 0)
        fail("bad-input", `"${blobPath(this.#folder, record.part)}" ends early; run the export again with --force`);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
    this.#handles.clear();
  }

  async #open(part: number): Promise<FileHandle> {
    const known = this.#handles.get(part);
    if (known !== undefined) {
      this.#handles.delete(part); // put back as the newest
      this.#handles.set(part, known);
      return known;
    }
    const [oldest] = this.#handles.keys();
    if (oldest !== undefined && this.#handles.size >= 128) {
      await this.#handles.get(oldest)?.close();
      this.#handles.delete(oldest);
    }
    const handle = await open(blobPath(this.#folder, part), "r");
    this.#handles.set(part, handle);
    return handle;
  }
}

function partPath(folder: string, part: number): string {
  return join(folder, partsFolder, `${partName(part)}.json`);
}

function blobPath(folder: string, part: number): string {
  return join(folder, partsFolder, `${partName(part)}.bin`);
}

function partName(part: number): string {
  return String(part).padStart(8, "0");
}

function parsePart(text: string): Part | undefined {
  try {
    const result = partSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined; // cut short: as if it were not there
  }
}
