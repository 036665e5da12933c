import { readJsonLines } from "../../codecs/index.ts";
import { formatNumber } from "../../io/index.ts";
import { fail, quoteValue } from "../../model/index.ts";
import type { Pool } from "../../pool/index.ts";
import { indexExpressionKeys, indexImageKeys } from "./key-rows.ts";

type Line = Readonly<Record<string, unknown>>;

/**
 * Calls `take` with each line of a JSON Lines file of pairs, {"expression": key, "image": SHA-256 or name, …}, that are of this
 * pool, and with its rows. Errors: those of `readJsonLines`; "bad-input" for a line of another form, and where no line is about
 * this pool.
 */
export async function readPairs(
  pool: Pool,
  from: string,
  take: (line: Line, expression: number, image: number, where: string) => void,
): Promise<{ unknown: number; first: string | undefined }> {
  const [expressions, images] = [indexExpressionKeys(pool), indexImageKeys(pool)];
  let [lines, unknown] = [0, 0];
  let first: string | undefined;
  for await (const { value, line: number } of readJsonLines(from)) {
    const where = `line ${number} of ${quoteValue(from)}`;
    const line = Object(value) as Line;
    const { expression, image } = line;
    if (typeof expression !== "string" || typeof image !== "string")
      fail(
        "bad-input",
        `expected {"expression": key, "image": SHA-256 or name, …} in ${where}, got ${quoteValue(value)}`,
      );
    lines++;
    const [row, column] = [expressions.rowOf(expression), images.rowOf(image)];
    if (row !== undefined && column !== undefined) take(line, row, column, where);
    else {
      unknown++;
      first ??= row === undefined ? expression : image;
    }
  }
  if (lines > 0 && lines === unknown)
    fail(
      "bad-input",
      `expected expressions and images of this pool in ${quoteValue(from)}, got ${formatNumber(lines)} lines of which none is, such as ${quoteValue(first)}; "nemosaic keys" lists them`,
    );
  return { unknown, first };
}
