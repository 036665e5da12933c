import { fail } from "../model/index.ts";
import type { EditedSentence, SentenceFacts } from "../plan/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import { openRiskEstimate } from "../risk/index.ts";
import { EditedSentences } from "../sentences/index.ts";
import { drawsNegatives, type ResolvedSettings } from "../settings/index.ts";

/**
 * What is known of sentences that are false of the pool's images, as far as the settings draw such; undefined where they draw none.
 * Errors: "incomplete" where the settings ask for a source that this pool has not.
 */
export async function sentenceFacts(
  pool: Pool,
  settings: ResolvedSettings,
  mined: Mined | undefined,
): Promise<SentenceFacts | undefined> {
  if (!drawsNegatives(settings)) return undefined;
  const edits = new EditedSentences(pool);
  if (drawsNegatives(settings, "edited")) {
    const coverage = mined?.coverage ?? (await openRiskEstimate(pool)).coverage;
    if (!coverage.isComplete)
      fail(
        "incomplete",
        `edited sentences need images with all objects annotated, and those of "${pool.folder}" are not (${coverage.reason}); import with the dataset's instances.json, or set gres.negativeSource to mined or random`,
      );
  }
  if (drawsNegatives(settings, "mined"))
    fail(
      "incomplete",
      `gres.negativeSource "${settings.gres.negativeSource}" needs sentences mined for images, and "${pool.folder}" has none; run "nemosaic mine --sentences", or set it to edited or random`,
    );
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
    mined: () => undefined,
    shows: (image, category) => edits.shows(image, category),
  };
}

const mostRemembered = 50_000;
