import { bandOf, type CandidateRow, HubCounter, type HubCuts } from "../band/index.ts";
import { fail } from "../model/index.ts";
import type { EditedSentence, SentenceFacts } from "../plan/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import { openRiskEstimate } from "../risk/index.ts";
import { EditedSentences } from "../sentences/index.ts";
import { drawsNegatives, type ResolvedSettings } from "../settings/index.ts";
import { MinedSentenceRules } from "./mined-sentences.ts";

export interface SentenceFactsOptions {
  readonly settings: ResolvedSettings;
  readonly mined: Mined | undefined;
  readonly split: string;
  /** False negatives by expression key → image hashes. */
  readonly judgements: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * What is known of sentences that are false of the pool's images, as far as the settings draw such; undefined where they draw none.
 * Looks at all mined sentences once where there is a hub cap. Errors: "incomplete" where the settings ask for a source that this
 * pool has not.
 */
export async function sentenceFacts(pool: Pool, options: SentenceFactsOptions): Promise<SentenceFacts | undefined> {
  const { settings, mined } = options;
  if (!drawsNegatives(settings)) return undefined;
  if (drawsNegatives(settings, "edited")) await checkCoverage(pool, mined);
  const edits = new EditedSentences(pool);
  const rules = drawsNegatives(settings, "mined") ? await minedRules(pool, options) : undefined;
  const known = new Map<number, readonly EditedSentence[]>();
  return {
    edited: (expression) => {
      let made = known.get(expression);
      if (made === undefined) {
        if (known.size >= mostRemembered) known.clear();
        made = edits.of(expression);
        known.set(expression, made);
      }
      return made;
    },
    mined: (expression) => rules?.of(expression),
    categoryOf: (expression) => {
      const [target] = pool.targetsOfRef(pool.expressions.ref[expression] ?? 0);
      return pool.annotations.category[target ?? -1] ?? "";
    },
    shows: (image, category) => edits.shows(image, category),
  };
}

const mostRemembered = 50_000;

/** Errors: "incomplete" where images are annotated too sparsely for what is changed to be checked. */
async function checkCoverage(pool: Pool, mined: Mined | undefined): Promise<void> {
  const coverage = mined?.coverage ?? (await openRiskEstimate(pool)).coverage;
  if (coverage.isComplete) return;
  fail(
    "incomplete",
    `edited sentences need images with all objects annotated, and those of "${pool.folder}" are not (${coverage.reason}); import with the dataset's instances.json, or set gres.negativeSource to mined or random`,
  );
}

async function minedRules(
  pool: Pool,
  { settings, mined, split, judgements }: SentenceFactsOptions,
): Promise<MinedSentenceRules> {
  if (mined?.sentenceFacts === undefined)
    fail(
      "incomplete",
      `gres.negativeSource "${settings.gres.negativeSource}" needs sentences ranked for images, and mined/${settings.mined} of "${pool.folder}" has none; run "nemosaic mine --sentences", or set it to edited or random`,
    );
  const rules = new MinedSentenceRules(pool, mined, settings, judgements);
  return settings.band.hubCap === null ? rules : rules.withHubs(hubsOf(pool, rules, settings, split));
}

/** Which images keep a sentence that more than `band.hubCap` want: those that score it best. */
function hubsOf(pool: Pool, rules: MinedSentenceRules, settings: ResolvedSettings, split: string): HubCuts {
  const counter = new HubCounter(pool.expressions.count, settings.band.hubCap ?? 1);
  const seen = new Set<number>();
  for (let ref = 0; ref < pool.refs.count; ref++) {
    const image = pool.refs.image[ref] ?? 0;
    const [start, end] = pool.expressionsOfRef(ref);
    if (pool.refs.split[ref] !== split || end === start || seen.has(image)) continue;
    seen.add(image);
    const found = rules.of(start);
    if (found === undefined) continue;
    const row: CandidateRow = found.row;
    // An image wants a sentence once, whichever of its refs is drawn.
    for (const at of bandOf(row, { ...found.context, expression: image }, settings).survivors)
      counter.want(row.ids[at] ?? 0, image, row.t2i[at] ?? 0);
  }
  return counter.cuts();
}
