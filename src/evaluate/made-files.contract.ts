import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll } from "vitest";
import { rleToString } from "../kernels/index.ts";
import { type EvaluateOptions, evaluate, evaluateDefaults } from "./evaluate.ts";
import type { Evaluation } from "./evaluation.ts";
import { box, drawn, polygons, truthOf } from "./made-samples.contract.ts";
import { openPredictions } from "./predictions/index.ts";
import { evaluationPresets } from "./presets.ts";
import type { Truth } from "./truth.ts";

/** Predictions on disk that tests make up, and three expressions to score; no part of the product. */

const folder = await mkdtemp(join(tmpdir(), "evaluate-"));
afterAll(() => rm(folder, { recursive: true, force: true }));
let made = 0;

/** Writes files into a new folder and gives its path; they are removed after the test file. */
export async function writeTestFiles(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const place = join(folder, String(made++));
  await mkdir(place);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(place, name)), { recursive: true });
    await writeFile(join(place, name), content);
  }
  return place;
}

/** Evaluates predictions on disk, under "lisa" unless `changes` say otherwise. */
export async function run(
  path: string,
  truths: readonly Truth[],
  changes: Partial<EvaluateOptions> = {},
  ids?: string,
): Promise<Evaluation> {
  const predictions = await openPredictions(path, ids);
  try {
    return await evaluate(truths, predictions, {
      ...evaluateDefaults,
      preset: evaluationPresets.lisa,
      replicates: 2,
      ...changes,
    });
  } finally {
    await predictions.close();
  }
}

/** A PNG of one grey channel, 1, 8 or 16 bits. */
export function greyPng(levels: readonly number[], width: number, bits: 1 | 8 | 16): Uint8Array {
  const height = levels.length / width;
  const rows = Array.from({ length: height }, (_, y) => {
    const row = levels.slice(y * width, (y + 1) * width);
    if (bits === 8) return Buffer.from([0, ...row]);
    if (bits === 16) return Buffer.from([0, ...row.flatMap((level) => [level >> 8, level & 255])]);
    const bytes = Buffer.alloc(1 + Math.ceil(width / 8));
    row.forEach((level, x) => {
      bytes[1 + (x >> 3)]! |= level << (7 - (x & 7));
    });
    return bytes;
  });
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = bits;
  const parts = [
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

/** The samples' IoU, rounded to four places. */
export const ious = (evaluation: Evaluation): number[] =>
  evaluation.samples.map(({ score }) => Math.round(score.iou * 1e4) / 1e4);

/** The upper left 2 × 2 pixels. */
export const square = [polygons(box(0, 0, 2, 2))];
/** Two refs in images of 4 × 4: ref 10, the square, has sentences 1 and 2; ref 11, the whole image, has 3. */
export const truths: Truth[] = [
  truthOf({ source: "a", refId: "10", sentenceId: "1", segmentations: square, sentenceCount: 2 }),
  truthOf({ source: "a", refId: "10", sentenceId: "2", segmentations: square, sentenceIndex: 1, sentenceCount: 2 }),
  truthOf({ source: "a", refId: "11", sentenceId: "3", segmentations: [polygons(box(0, 0, 4, 4))] }),
];
export const squareLevels = (on: number): number[] => [on, on, 0, 0, on, on, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
export const full = (on: number): number[] => Array.from({ length: 16 }, () => on);
export const rle = (...rows: string[]) => ({
  size: [rows.length, rows[0]!.length],
  counts: rleToString(drawn(...rows)),
});
export const squareRle = rle("##..", "##..", "....", "....");
export const fullRle = rle("####", "####", "####", "####");
