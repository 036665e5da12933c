import { noTiming, type StageTimer } from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { PlanFacts } from "../plan/index.ts";
import { chooseMined, Mined, Pool, readJudgements, suggestNames } from "../pool/index.ts";
import { drawsNegatives, type ResolvedSettings, resolveSettings, type Settings, usesMined } from "../settings/index.ts";
import { type TileKeeping, type TileMode, TileStore } from "../tiles/index.ts";
import { openTokenizer, type Tokenizer } from "../tokens/index.ts";
import { planFacts, scoreSummary } from "./facts.ts";
import { type ImageVectors, openImageVectors } from "./image-vectors.ts";
import { sentenceFacts } from "./sentence-facts.ts";

/** What a loader draws from and how, beside the settings. */
export interface LoaderOptions {
  /** Default "train". Only this split is augmented; the others give single images, every sentence and the truth. */
  readonly split?: string;
  readonly seed?: number;
  /**
   * use (default) = copy cells from the pool's tiles where there are any, decode the rest; build = also keep what had to
   * be decoded, with limits where wanted; off = always decode. The pixels are the same. A store is shared by several loaders of
   * one pool, and closed by who opened it.
   */
  readonly tiles?: TileMode | TileKeeping | TileStore | undefined;
  /** Gets the stages "plan", "tiles", "decode", "resize", "compose", "tokens". */
  readonly timing?: StageTimer;
}

/** What a loader is made of. */
export interface LoaderParts {
  readonly pool: Pool;
  /** Whether the pool was opened for this loader, and closes with it. */
  readonly ownsPool: boolean;
  readonly settings: ResolvedSettings;
  readonly split: string;
  readonly seed: number;
  readonly augmented: boolean;
  readonly facts: PlanFacts;
  readonly mined: Mined | undefined;
  readonly store: TileStore;
  /** Whether the store was opened for this loader, and closes with it. */
  readonly ownsStore: boolean;
  readonly tokenizer: Tokenizer | undefined;
  readonly vectors: ImageVectors | undefined;
  readonly timing: StageTimer;
}

/** Opens what a loader needs of a pool for one split; where that fails, what was opened is closed. Errors as `Loader.open`. */
export async function openParts(
  pool: string | Pool,
  asked: Settings,
  { split = "train", seed = 0, tiles = "use", timing = noTiming }: LoaderOptions,
): Promise<LoaderParts> {
  const ownsPool = typeof pool === "string";
  const opened = ownsPool ? await Pool.open(pool) : pool;
  let mined: Mined | undefined;
  let vectors: ImageVectors | undefined;
  try {
    if (!Number.isSafeInteger(seed) || seed < 0) fail("usage", `expected a seed from 0 to 2^53 - 1, got ${seed}`);
    const augmented = split === "train";
    const drawsMined = augmented && usesMined(asked);
    const readsMined = drawsMined || (augmented && drawsNegatives(asked, "mined"));
    const settings = readsMined ? { ...asked, mined: await chooseMined(opened.folder, asked.mined) } : asked;
    mined = await Mined.open(opened.folder, settings.mined, opened.manifest.hash);
    if (drawsMined) await requireMined(opened, mined, settings);
    const resolved = resolveSettings(settings, scoreSummary(mined), augmented);
    const judgements = await readJudgements(opened.folder);
    if (drawsMined && mined !== undefined && settings.draw.method === "mmr")
      vectors = await openImageVectors(opened, mined);
    const sentences = augmented
      ? await sentenceFacts(opened, { settings: resolved, mined, split, judgements })
      : undefined;
    const facts = planFacts(opened, {
      split,
      unit: augmented ? settings.unit : "expression",
      settings: resolved,
      mined,
      judgements,
      sentences,
      ...(vectors === undefined ? {} : { vectors }),
    });
    return {
      pool: opened,
      ownsPool,
      settings: resolved,
      split,
      seed,
      augmented,
      facts,
      mined,
      store:
        tiles instanceof TileStore ? tiles : new TileStore(opened, typeof tiles === "string" ? { mode: tiles } : tiles),
      ownsStore: !(tiles instanceof TileStore),
      tokenizer: settings.tokens.kind === "none" ? undefined : openTokenizer(settings.tokens.kind),
      vectors,
      timing,
    };
  } catch (error) {
    await vectors?.close();
    await mined?.close();
    if (ownsPool) await opened.close();
    throw error;
  }
}

/** Errors: "incomplete" where the settings draw from a mined set, or scores of one, that is not there. */
async function requireMined(pool: Pool, mined: Mined | undefined, settings: Settings): Promise<void> {
  if (mined === undefined) {
    fail(
      "incomplete",
      `"${pool.folder}" has no mined/${settings.mined}${(await suggestNames(pool.folder)) || '; run "nemosaic embed" and "nemosaic mine" first, or use --preset random or none'}`,
    );
  }
  if (settings.band.tauText !== null && !mined.hasTextScores) {
    fail(
      "incomplete",
      `band.tauText needs text-to-text scores, and mined/${settings.mined} has none; run "nemosaic mine --t2t"`,
    );
  }
}
