import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ifMissing } from "../../io/index.ts";
import { scoreSummary } from "../../loader/index.ts";
import { fail, unknownName } from "../../model/index.ts";
import { Mined, type Pool } from "../../pool/index.ts";
import type { MinedInfo } from "../page/contract.ts";

/** The mined sets of a pool, opened when first asked for. Close it when done. */
export class MinedSets {
  readonly #pool: Pool;
  readonly names: readonly string[];
  readonly #open = new Map<string, Promise<Mined>>();

  static async of(pool: Pool): Promise<MinedSets> {
    const entries = await readdir(join(pool.folder, "mined"), { withFileTypes: true }).catch(ifMissing([]));
    const found = await Promise.all(
      entries
        .filter((entry) => entry.isDirectory() && /^[\w.-]+$/.test(entry.name))
        .map(async ({ name }) =>
          (await readdir(join(pool.folder, "mined", name))).includes("mined.json") ? [name] : [],
        ),
    );
    return new MinedSets(pool, found.flat().sort());
  }

  private constructor(pool: Pool, names: readonly string[]) {
    this.#pool = pool;
    this.names = names;
  }

  /** Errors: "usage" for a name that is not there; "bad-input", "incomplete" as `Mined.open`. */
  get(name: string): Promise<Mined> {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    if (!this.names.includes(name)) throw unknownName("mined set", name, this.names);
    const opened = openMined(this.#pool, name);
    opened.catch(() => this.#open.delete(name));
    this.#open.set(name, opened);
    return opened;
  }

  async info(name: string): Promise<MinedInfo> {
    const mined = await this.get(name);
    const { manifest, own, coverage, randomRisk } = mined;
    return {
      name,
      model: manifest.relevance.model,
      kind: manifest.relevance.kind,
      rank: manifest.rank,
      depth: manifest.depth,
      candidates: manifest.candidates.count,
      splits: manifest.candidates.splits,
      scores: scoreSummary(mined),
      ...(coverage === undefined ? {} : { coverage }),
      ...(randomRisk === undefined ? {} : { random: randomRisk }),
      hasRisk: mined.hasRisk,
      own,
    };
  }

  async close(): Promise<void> {
    const all = await Promise.all([...this.#open.values()].map((opened) => opened.catch(() => undefined)));
    this.#open.clear();
    await Promise.all(all.map((mined) => mined?.close()));
  }
}

/** The mined set `name` of an open pool. Errors as `Mined.open`; "not-found" where there is none. */
export async function openMined(pool: Pool, name: string): Promise<Mined> {
  return (
    (await Mined.open(pool.folder, name, pool.manifest.hash)) ??
    fail("not-found", `expected mined candidates in "${pool.folder}/mined/${name}"`)
  );
}
