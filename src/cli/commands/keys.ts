import type { Command } from "commander";
import { NemosaicError } from "../../model/index.ts";
import { Pool } from "../../pool/index.ts";
import { type CropTable, cropTable, parseCrops } from "../../relevance/index.ts";
import { action, type SharedOptions, withShared } from "../session.ts";

interface Options extends SharedOptions {
  readonly images: boolean;
  readonly expressions: boolean;
  readonly crops?: string;
}

export function keysCommand(program: Command): void {
  withShared(program.command("keys <pool>"), { sampling: false, seed: false, force: false })
    .description("list images and expressions with the keys that import-vectors and judge take, as JSON lines")
    .option("--images", "images only: image (SHA-256), name, file; offset and bytes where it is packed", false)
    .option("--expressions", "expressions only: expression (source/ref/sentence), text, image", false)
    .option(
      "--crops <kinds>",
      'with each image also the boxes that "embed --crops" cuts, [x, y, width, height] in pixels, the whole image first',
    )
    .addHelpText("after", "\nExample:\n  nemosaic keys pool --images > images.jsonl")
    .action(
      action(async (folder: string, options: Options) => {
        const both = options.images === options.expressions;
        const crops = options.crops === undefined ? undefined : parseCrops(options.crops);
        const pool = await Pool.open(folder);
        try {
          const table = crops === undefined ? undefined : await cropTable(pool, crops);
          if (both || options.images)
            for (let row = 0; row < pool.images.count; row++)
              await write({ ...(await imageLine(pool, row)), ...cropsOf(row, table) });
          if (both || options.expressions)
            for (let row = 0; row < pool.expressions.count; row++) await write(expressionLine(pool, row));
        } finally {
          await pool.close();
        }
      }),
    );
}

function cropsOf(row: number, table: CropTable | undefined): { readonly crops?: number[][] } {
  if (table === undefined) return {};
  const { starts, boxes } = table;
  const box = (at: number): number[] => [...boxes.subarray(at * 4, at * 4 + 4)];
  return { crops: Array.from({ length: starts[row + 1]! - starts[row]! }, (_, at) => box(starts[row]! + at)) };
}

async function imageLine(pool: Pool, row: number): Promise<object> {
  const line = { image: pool.images.hash[row], name: pool.imageName(row) };
  const found = await pool.imagePath(row).then(
    (path) => ({ path }),
    (error: unknown) => {
      if (error instanceof NemosaicError) return { problem: error.message };
      throw error;
    },
  );
  if ("problem" in found) return { ...line, file: null, ...found };
  const { path } = found;
  if (path !== undefined) return { ...line, file: path };
  return {
    ...line,
    file: pool.packPath,
    offset: Number(pool.images.offset[row]),
    bytes: Number(pool.images.bytes[row]),
  };
}

function expressionLine(pool: Pool, row: number): object {
  const image = pool.refs.image[pool.expressions.ref[row] ?? 0] ?? 0;
  return { expression: pool.expressionKey(row), text: pool.expressions.sent[row], image: pool.images.hash[image] };
}

function write(line: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.write(`${JSON.stringify(line)}\n`)) resolve();
    else process.stdout.once("drain", resolve);
  });
}
