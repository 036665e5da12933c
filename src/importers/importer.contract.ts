import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashFile } from "../io/index.ts";
import { rleArea, rleFromString } from "../kernels/index.ts";
import {
  type AnnotationRecord,
  type DatasetRecord,
  type ImageRecord,
  NemosaicError,
  type RefRecord,
  type Segmentation,
} from "../model/index.ts";
import type { ImportOptions } from "./importer.ts";
import { findImporter, recogniseImporter } from "./registry.ts";

/** What the contract suite needs of a format. */
export interface ImporterCase {
  readonly format: string;
  /** What distinguishes it from other cases of the same format. */
  readonly variant?: string;
  /** Writes a sound dataset with refs in two splits or more below `folder`, or one split where the format has one. */
  make(folder: string): ImportOptions | Promise<ImportOptions>;
  /** Files without which nothing can be read, relative to `folder`. */
  readonly vital: readonly string[];
}

/** The records of one type. */
export function only<T extends DatasetRecord["type"]>(
  records: readonly DatasetRecord[],
  type: T,
): Extract<DatasetRecord, { type: T }>[] {
  return records.filter((record): record is Extract<DatasetRecord, { type: T }> => record.type === type);
}

/** Pixels of a mask of run lengths, -1 for any other. */
export function areaOf(segmentation: Segmentation | undefined): number {
  return segmentation?.kind === "rle" ? rleArea(rleFromString(segmentation.counts, ...segmentation.size)) : -1;
}

/** Everything a source streams. */
export async function allRecords(options: ImportOptions, format: string): Promise<DatasetRecord[]> {
  const source = await findImporter(format).open(options);
  return collect(source.records());
}

/** An async iterable as an array. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** A temporary folder for each test of the enclosing `describe`. */
export function freshFolder(): () => string {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nemosaic-import-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}

/** What every importer promises. */
export function itKeepsTheContract(kase: ImporterCase): void {
  const { format, variant, make, vital } = kase;
  describe(`importer ${format}${variant === undefined ? "" : ` (${variant})`}`, () => {
    const folder = freshFolder();

    it("is recognised by auto, which says how", async () => {
      const options = await make(folder());
      const found = await recogniseImporter(options.source);
      expect(found.importer.name).toBe(format);
      expect(found.how.length).toBeGreaterThan(10);
      const asFound = await collect((await found.importer.open({ ...options, ...found.options })).records());
      expect(asFound).toEqual(await allRecords(options, format));
    });

    it("streams sound data without a bad record", async () => {
      const records = await allRecords(await make(folder()), format);
      expect(records.filter((record) => record.type === "bad")).toEqual([]);
      for (const type of ["image", "annotation", "ref", "expression"]) {
        expect(records.filter((record) => record.type === type).length, type).toBeGreaterThan(0);
      }
    });

    it("streams an image before its annotations, these before their refs, and a ref before its expressions", async () => {
      expectSoundOrder(await allRecords(await make(folder()), format));
    });

    it("gives the same records on every reading and every opening", async () => {
      const options = await make(folder());
      const source = await findImporter(format).open(options);
      const first = await collect(source.records());
      expect(await collect(source.records())).toEqual(first);
      expect(await allRecords(options, format)).toEqual(first);
    });

    it("lets its reader stop early and begin again", async () => {
      const options = await make(folder());
      const source = await findImporter(format).open(options);
      const all = await collect(source.records());
      for (const stop of [1, 3]) {
        const first: DatasetRecord[] = [];
        for await (const record of source.records()) if (first.push(record) === stop) break;
        expect(first).toEqual(all.slice(0, stop));
      }
      expect(await collect(source.records())).toEqual(all);
    });

    it("names itself and hashes the files it reads", async () => {
      const options = await make(folder());
      const source = await findImporter(format).open(options);
      expect(source.format).toBe(format);
      expect(source.name).not.toBe("");
      expect(source.files.length).toBeGreaterThan(0);
      for (const file of source.files) expect(file.sha256).toBe(await hashFile(file.path));
      expect((await findImporter(format).open({ ...options, name: "mine" })).name).toBe("mine");
    });

    it("refuses an unknown option and suggests the nearest", async () => {
      const options = { ...(await make(folder())), splitby: "unc" };
      await expect(findImporter(format).open(options)).rejects.toThrow(/splitby.*Did you mean "splitBy"/);
    });

    it("says where it looked when nothing is there", async () => {
      const source = join(folder(), "nowhere");
      await expectOneError(() => allRecords({ source }, format), "not-found", /nowhere/);
    });

    it("refuses an images folder that is none", async () => {
      const options = await make(folder());
      if (options.images === undefined)
        return expect(format).toMatch(/jsonl|cris-lmdb|hf-parquet|reasonseg|sa2va|saco|table|webdataset/);
      await expectOneError(
        () => allRecords({ ...options, images: join(folder(), "no-images") }, format),
        "not-found",
        /no-images/,
      );
    });

    for (const file of vital) {
      it(`survives 40 damaged copies of ${file}: cut anywhere, bytes changed`, async () => {
        const options = await make(folder());
        const path = join(folder(), file);
        const sound = readFileSync(path);
        let noticed = 0;
        for (let round = 0; round < 40; round++) {
          writeFileSync(path, damageBytes(sound, round));
          const { error, bad: found } = await drain(options, format);
          if (error !== undefined) expectClear(error, `round ${round}`);
          if (error !== undefined || found > 0) noticed++;
        }
        expect(noticed, "copies whose damage was noticed").toBeGreaterThan(15);
      }, 60_000);

      it.runIf(/\.jsonl?$/.test(file) && format !== "reasonseg")(
        `refuses ${file} in another encoding, with line and byte`,
        async () => {
          const options = await make(folder());
          const path = join(folder(), file);
          const sound = readFileSync(path);
          const word =
            ["car", "mug", "elephant", "shirt", "sofa"].map((text) => sound.indexOf(text)).find((at) => at > 0) ?? -1;
          expect(word, "a word to spoil").toBeGreaterThan(0);
          // Windows-1252's é, and the GBK bytes of a Chinese character.
          for (const spoilt of [[0xe9], [0xba, 0xec]]) {
            writeFileSync(
              path,
              Buffer.concat([sound.subarray(0, word), Buffer.from(spoilt), sound.subarray(word + spoilt.length)]),
            );
            const line = sound.subarray(0, word).toString("latin1").split("\n").length;
            const place = new RegExp(`line ${line}, byte ${word} of .*save the file as UTF-8`);
            await expectOneError(() => allRecords(options, format), "bad-input", place);
          }
          for (const bytes of [
            Buffer.from(sound.toString(), "utf16le"),
            Buffer.from(`\ufeff${sound.toString()}`, "utf16le"),
            Buffer.from(`\ufeff${sound.toString()}`, "utf16le").swap16(),
          ]) {
            writeFileSync(path, bytes);
            await expectOneError(() => allRecords(options, format), "bad-input", /UTF-16; save the file as UTF-8/);
          }
        },
      );

      for (const [oddity, spoil] of Object.entries(garbage)) {
        it(`answers ${oddity} in place of ${file} with a clear error or bad records`, async () => {
          const options = await make(folder());
          spoil(join(folder(), file));
          const outcome = await drain(options, format);
          if (outcome.error === undefined) {
            expect(outcome.bad, `bad records beside ${outcome.good} good ones`).toBeGreaterThan(0);
          } else {
            expectClear(outcome.error);
          }
        }, 20_000);
      }
    }
  });
}

/** Asserts the order of records that `ImportSource.records` promises, and that ids are text and unique. */
export function expectSoundOrder(records: readonly DatasetRecord[]): void {
  const images = new Map<string, ImageRecord>();
  const annotations = new Map<string, AnnotationRecord>();
  const refs = new Map<string, RefRecord>();
  const expressions = new Set<string>();
  for (const record of records) {
    if (record.type === "image") {
      expect(images.has(record.id), `image ${record.id} twice`).toBe(false);
      expect(record.file).toMatch(/^[^/\\].*$/);
      images.set(expectText(record.id), record);
    } else if (record.type === "annotation") {
      expect(annotations.has(record.id), `annotation ${record.id} twice`).toBe(false);
      expect(images.has(record.imageId), `image of annotation ${record.id}`).toBe(true);
      annotations.set(expectText(record.id), record);
    } else if (record.type === "ref") {
      expect(refs.has(record.id), `ref ${record.id} twice`).toBe(false);
      expect(images.has(record.imageId), `image of ref ${record.id}`).toBe(true);
      expect(record.split).not.toBe("");
      for (const id of record.annotationIds)
        expect(annotations.get(id)?.imageId, `annotation ${id}`).toBe(record.imageId);
      refs.set(expectText(record.id), record);
    } else if (record.type === "expression") {
      expect(refs.has(record.refId), `ref of expression ${record.id}`).toBe(true);
      const key = `${record.refId}\0${expectText(record.id)}`;
      expect(expressions.has(key), `expression ${record.refId}/${record.id} twice`).toBe(false);
      expect(record.sent.trim()).not.toBe("");
      expressions.add(key);
    } else {
      expect(record.where).not.toBe("");
    }
  }
  expect(images.size).toBeGreaterThan(0);
}

/** Asserts that an operation ends with a NemosaicError of that code and message. */
export async function expectOneError(operation: () => Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const error = await operation().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expectClear(error);
  expect((error as NemosaicError).message).toMatch(message);
  expect((error as NemosaicError).code).toBe(code);
}

/** What stands where a dataset's file should: each by the name of its oddity. */
const garbage: Readonly<Record<string, (path: string) => void>> = {
  "an empty file": (path) => writeFileSync(path, ""),
  "a truncated file": (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)),
  "a JSON number": (path) => writeFileSync(path, "17"),
  "a JSON list of text": (path) => writeFileSync(path, '["a", "b"]'),
  "binary noise": (path) =>
    writeFileSync(path, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + (i >> 3)) % 256))),
  "a folder": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  "a pickle that runs a command": (path) => writeFileSync(path, "cos\nsystem\n(S'true'\ntR."),
  "a pickle of a dict": (path) => writeFileSync(path, Buffer.from([0x80, 2, 0x7d, 0x2e])),
  "deeply nested brackets": (path) => writeFileSync(path, "[".repeat(200_000)),
};

/** A copy of `sound` with its end cut off (even rounds) or with one to four bytes changed (odd ones). */
function damageBytes(sound: Buffer, round: number): Buffer {
  let state = round * 2654435761 + 12345;
  const next = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  if (round % 2 === 0) return sound.subarray(0, next(sound.length));
  const copy = Buffer.from(sound);
  for (let i = 0; i <= round % 4; i++) copy[next(copy.length)] = next(256);
  return copy;
}

async function drain(options: ImportOptions, format: string): Promise<{ error?: unknown; good: number; bad: number }> {
  let [good, bad] = [0, 0];
  try {
    for await (const record of (await findImporter(format).open(options)).records()) {
      if (record.type === "bad") bad++;
      else good++;
    }
  } catch (error) {
    return { error, good, bad };
  }
  return { good, bad };
}

function expectClear(error: unknown, when = "error"): void {
  expect(error, when).toBeInstanceOf(NemosaicError);
  const { message, code } = error as NemosaicError;
  expect(code, message).not.toBe("internal");
  expect(message).not.toMatch(/\n/);
  expect(message.length).toBeGreaterThan(20);
  expect(message.length).toBeLessThan(1000);
}

function expectText(id: unknown): string {
  expect(typeof id).toBe("string");
  expect(id).not.toBe("");
  return id as string;
}
