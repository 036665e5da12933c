import type { HubCuts } from "../../band/index.ts";
import { encodeJpeg } from "../../codecs/index.ts";
import { hashJson } from "../../io/index.ts";
import { rleFromMask, rleToString } from "../../kernels/index.ts";
import { Loader, splitsOf } from "../../loader/index.ts";
import { planSample } from "../../plan/index.ts";
import type { Pool } from "../../pool/index.ts";
import { defaults, parseSettings } from "../../settings/index.ts";
import type { MosaicAnswer } from "../page/contract.ts";

const keptLoaders = 4;

/**
 * Draws mosaics of one expression from settings that nobody saved yet. Loaders are kept for the last few settings,
 * since a person changes one thing at a time. Close it when done.
 */
export class Mosaics {
  readonly #pool: Pool;
  readonly #seed: number;
  #loaders = new Map<string, Promise<Loader>>();

  constructor(pool: Pool, seed: number) {
    this.#pool = pool;
    this.#seed = seed;
  }

  /**
   * Mosaic number `draw` of an expression. γ and the schedule are left aside, as it is a mosaic that is asked for.
   * `judgements` is the version of the verdicts. Errors: "settings", "incomplete", and those of the image decoder.
   */
  async draw(expression: number, draw: number, tree: unknown, judgements: number): Promise<MosaicAnswer> {
    const given = parseSettings(tree, "the studio's page");
    const settings = {
      ...given,
      unit: "expression" as const,
      mosaic: { ...given.mosaic, gamma: 1 },
      schedule: defaults.schedule,
      tokens: { ...given.tokens, kind: "none" as const },
    };
    const loader = await this.#loader(settings, judgements);
    const facts = { ...loader.facts, unit: "expression" as const, units: Int32Array.of(expression) };
    // An epoch of its own for each draw of each expression: no two share their random numbers.
    const plan = planSample(facts, loader.settings, this.#seed, (expression * 4096 + draw) % 2 ** 31, 0);
    const { image, mask } = await loader.draw(plan);
    const size = { width: plan.size, height: plan.size };
    return {
      plan,
      images: plan.layers.map((layer) => this.#pool.imageRow(layer.image)),
      mask: rleToString(rleFromMask(mask, plan.size, plan.size)),
      jpeg: await encodeJpeg({ ...size, channels: 3, data: image }, 88),
    };
  }

  /** The hub cap's cuts under these settings; undefined without one. */
  async hubs(tree: unknown, judgements: number): Promise<HubCuts | undefined> {
    const settings = parseSettings(tree, "the studio's page");
    const { facts } = await this.#loader({ ...settings, unit: "expression" }, judgements);
    const [any] = facts.units;
    return any === undefined ? undefined : facts.bandContext(any).hubs;
  }

  async close(): Promise<void> {
    const loaders = [...this.#loaders.values()];
    this.#loaders = new Map();
    await Promise.all(loaders.map(async (loader) => (await loader.catch(() => undefined))?.close()));
  }

  #loader(settings: ReturnType<typeof parseSettings>, judgements: number): Promise<Loader> {
    const key = hashJson({ settings, judgements });
    const known = this.#loaders.get(key);
    if (known !== undefined) return known;
    const splits = splitsOf(this.#pool);
    const split = splits.includes("train") ? "train" : (splits[0] ?? "train");
    const loader = Loader.open(this.#pool, settings, { split, seed: this.#seed });
    loader.catch(() => this.#loaders.delete(key));
    this.#loaders.set(key, loader);
    for (const [oldest, old] of this.#loaders) {
      if (this.#loaders.size <= keptLoaders) break;
      this.#loaders.delete(oldest);
      // Drawings under way may still read from it.
      setTimeout(() => void old.then((unused) => unused.close()).catch(() => undefined), 60_000).unref();
    }
    return loader;
  }
}
