import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { diskProblem, exists } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { appendJudgement, type Judgement, type Pool, readJudgements } from "../../pool/index.ts";

/** People's verdicts on a pool, by rows, kept in step with what is appended. */
export class Judged {
  readonly #pool: Pool;
  #rows = new Map<number, Set<number>>();
  /** Raised with every change, so that what was derived from the verdicts can be thrown away. */
  version = 0;
  #last: Promise<void> = Promise.resolve();

  static async of(pool: Pool): Promise<Judged> {
    const judged = new Judged(pool);
    const images = new Map(pool.images.hash.map((hash, row) => [hash, row]));
    for (const [key, hashes] of await readJudgements(pool.folder)) {
      const expression = rowOf(pool, key);
      if (expression === undefined) continue; // verdicts outlive pools
      const rows = [...hashes].flatMap((hash) => images.get(hash) ?? []);
      if (rows.length > 0) judged.#rows.set(expression, new Set(rows));
    }
    return judged;
  }

  private constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Image rows judged to be false negatives of an expression. */
  of(expression: number): ReadonlySet<number> | undefined {
    return this.#rows.get(expression);
  }

  /** Pairs that stand as false negatives. */
  get count(): number {
    let count = 0;
    for (const images of this.#rows.values()) count += images.size;
    return count;
  }

  /** Why nothing can be written; undefined where it can. */
  async readOnly(): Promise<string | undefined> {
    const file = join(this.#pool.folder, "judgements.jsonl");
    const place = (await exists(file)) ? file : this.#pool.folder;
    return access(place, constants.W_OK).then(
      () => undefined,
      (error: NodeJS.ErrnoException) =>
        `"${place}" cannot be written, verdicts are off: ${diskProblem(error.code ?? "") ?? error.message}`,
    );
  }

  /** Appends a verdict, one after the other. Errors: "usage" for rows outside the pool; "io" where it cannot be written. */
  async append(expression: number, image: number, verdict: Judgement["verdict"]): Promise<void> {
    const key = expression < this.#pool.expressions.count ? this.#pool.expressionKey(expression) : undefined;
    const hash = this.#pool.images.hash[image];
    if (key === undefined || hash === undefined)
      fail("usage", `expected rows of the pool, got expression ${expression} and image ${image}`);
    const write = this.#last.then(async () => {
      const why = await this.readOnly();
      if (why !== undefined) fail("io", why);
      await appendJudgement(this.#pool.folder, { expression: key, image: hash, verdict });
    });
    this.#last = write.catch(() => undefined);
    await write;
    const images = this.#rows.get(expression) ?? new Set();
    if (verdict === "false-negative") images.add(image);
    else images.delete(image);
    if (images.size === 0) this.#rows.delete(expression);
    else this.#rows.set(expression, images);
    this.version++;
  }
}

function rowOf(pool: Pool, key: string): number | undefined {
  try {
    return pool.expressionRow(key);
  } catch {
    return undefined;
  }
}
