import { formatCount, formatNumber, type Shard } from "../io/index.ts";
import { fail } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import {
  type CropTable,
  cropTable,
  type Dtype,
  embeddingsName,
  embedPool,
  embedPoolLexical,
  type HubAccess,
  hubAccess,
  type ImageTextModel,
  lexicalName,
  openRelevance,
  parseCrops,
  type SkippedRow,
  sceneClipNote,
} from "../relevance/index.ts";
import { fullListener, type Listener, withPool } from "./listener.ts";

/** What to embed with, and how. */
export interface EmbedStepOptions {
  /** Hub id, model folder, "clip" (default), "scene-clip", "lexical" or "auto": see `openRelevance`. */
  readonly model?: string | undefined;
  /** "cpu" (default) or "cuda". */
  readonly device?: "cpu" | "cuda" | undefined;
  /** Which weights; default "fp32". */
  readonly dtype?: Dtype | undefined;
  /** How to reach the hub; default: as `hubAccess({})`, without anything from the environment. */
  readonly hub?: HubAccess | undefined;
  /** A corrupt image ends the run ("fail", default), or leaves a row of zeros that never becomes a candidate. */
  readonly onBad?: "fail" | "skip" | undefined;
  /** The folder under embeddings/; default: the model's name. */
  readonly name?: string | undefined;
  /** Threads of the model; default: all cores. Never changes a number. */
  readonly threads?: number | undefined;
  /** Images that are decoded and written together; default 16. Part of what makes the numbers. */
  readonly batch?: number | undefined;
  /**
   * Crops that are embedded beside each whole image: "objects" (a square about each annotated object), "objects:N" (the N largest),
   * "grid:N" (N × N tiles), or one of each with a comma between. The best of an image's vectors is an expression's score with it.
   */
  readonly crops?: string | undefined;
  /** Make one share, as a part for `merge`. */
  readonly shard?: Shard | undefined;
  /** Make the vectors anew, in place of finished ones; those stay until the new ones are whole. */
  readonly force?: boolean | undefined;
}

/** What embedding made. */
export interface EmbedStepReport {
  /** The folder under embeddings/. */
  readonly name: string;
  /** The model's id, or "lexical". */
  readonly model: string;
  /** True where all was there already. */
  readonly reused: boolean;
  /** Images that could not be decoded. */
  readonly skipped: readonly SkippedRow[];
  /** What there is now (of a shard: in its part). "none": a shard that has nothing to make. */
  readonly made:
    | {
        readonly kind: "vectors";
        readonly images: number;
        /** Vectors of images, where they have several. */
        readonly crops?: number | undefined;
        readonly expressions: number;
        readonly distinctTexts: number;
        /** Numbers in a vector. */
        readonly dimension: number;
      }
    | { readonly kind: "words"; readonly words: number }
    | { readonly kind: "none" };
}

/**
 * Turns a pool's images and expressions into vectors (or words, with "lexical") under embeddings/<name>. A killed run goes on
 * where it was. Errors: those of `openRelevance` for a model that cannot be had; "exists" for finished vectors of other inputs
 * or another model without `force`; "bad-input" with the image's name where `onBad` is "fail"; "locked"; "io".
 */
export function embed(
  pool: string | Pool,
  options: EmbedStepOptions = {},
  listener: Listener = {},
): Promise<EmbedStepReport> {
  return withPool(pool, async (opened) => {
    const crops = options.crops === undefined ? undefined : parseCrops(options.crops);
    const { model = "clip", hub = hubAccess({}), device = "cpu", dtype = "fp32", threads } = options;
    const { progress, onRemark } = fullListener(listener);
    const relevance = await openRelevance(model, {
      hub,
      device,
      dtype,
      progress,
      ...(threads === undefined ? {} : { threads }),
    });
    for (const note of relevance.notes) if (note !== sceneClipNote || !isDrawn(opened)) onRemark(note);
    if (relevance.kind === "lexical") return embedWords(opened, options);
    try {
      const table = crops === undefined ? undefined : await cropTable(opened, crops);
      if (table !== undefined && (options.shard?.index ?? 0) === 0) tellCrops(opened, table, listener);
      return await embedWith(opened, relevance.model, options, listener, table);
    } finally {
      await relevance.model.close();
    }
  });
}

/** Scenes that nemosaic drew, as far as the names of the sources say: scene-clip is at home there. */
function isDrawn(pool: Pool): boolean {
  return pool.manifest.sources.every(({ name }) => name.startsWith("scenes"));
}

/** Which images have no crops, and which objects no crop. */
function tellCrops(pool: Pool, { of, starts, withoutObjects, leftOut }: CropTable, listener: Listener): void {
  const { onRemark } = fullListener(listener);
  const images = pool.images.count;
  onRemark(
    `${formatNumber(starts.at(-1)! - images)} crops of ${formatCount(images, "image")}, embedded beside the whole images`,
  );
  if (withoutObjects > 0)
    onRemark(`${formatCount(withoutObjects, "image")} without an annotated object: no crops of objects there`);
  if (leftOut > 0)
    onRemark(`${formatCount(leftOut, "object")} without a crop: an image has those of its largest (${of})`);
}

async function embedWords(
  pool: Pool,
  { name, shard, crops, force = false }: EmbedStepOptions,
): Promise<EmbedStepReport> {
  if (crops !== undefined)
    fail(
      "usage",
      "the lexical relevance looks at words, not at pictures: leave --crops out, or name an image-text model",
    );
  if (name !== undefined && name !== lexicalName)
    fail("usage", `the lexical relevance is always kept as embeddings/${lexicalName}; leave --name out`);
  const told = { name: lexicalName, model: "lexical", skipped: [] };
  if ((shard?.index ?? 0) > 0) return { ...told, reused: true, made: { kind: "none" } };
  const { reused, words } = await embedPoolLexical(pool, { force });
  return { ...told, reused, made: { kind: "words", words } };
}

async function embedWith(
  pool: Pool,
  model: ImageTextModel,
  options: EmbedStepOptions,
  listener: Listener,
  crops: CropTable | undefined,
): Promise<EmbedStepReport> {
  const { onBad = "fail", force = false, batch, shard } = options;
  const {
    name = embeddingsName(model.id) + (crops === undefined ? "" : `-${crops.of.replace(/,/g, "-").replace(/:/g, "")}`),
  } = options;
  const { progress } = fullListener(listener);
  const report = await embedPool(pool, model, {
    name,
    onBad,
    force,
    progress,
    crops,
    ...(batch === undefined ? {} : { imageBatch: batch }),
    ...(shard === undefined ? {} : { shard }),
  });
  const { images, expressions, distinctTexts } = report;
  const texts = shard === undefined ? distinctTexts : expressions.rows;
  return {
    name,
    model: model.id,
    reused: images.reused >= images.rows && expressions.reused >= texts,
    skipped: images.skipped,
    made: {
      kind: "vectors",
      images: shard === undefined || crops === undefined ? images.rows : pool.images.count,
      crops: crops === undefined ? undefined : shard === undefined ? crops.starts.at(-1) : images.rows,
      expressions: expressions.rows,
      distinctTexts,
      dimension: model.dimension,
    },
  };
}
