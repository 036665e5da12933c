import type { BandContext, CandidateRow, HubCuts } from "../band/index.ts";
import type { Mined, Pool } from "../pool/index.ts";
import { isWithin, sentenceKey, type WordBag, wordBag } from "../sentences/index.ts";
import type { ResolvedSettings } from "../settings/index.ts";

/**
 * The sentences mined for an image as candidates of a band, with what the rules have to know of them: sentences take the place of
 * images. Likeness is that of the images that they are said of to the image itself, known for its neighbours.
 */
export class MinedSentenceRules {
  readonly #pool: Pool;
  readonly #mined: Mined;
  readonly #settings: ResolvedSettings;
  /** By image: keys of the sentences that a person judged true of it. */
  readonly #judged = new Map<number, Set<string>>();
  readonly #refsOfImage = new Map<number, number[]>();
  readonly #keys: (string | undefined)[] = [];
  readonly #bags: (WordBag | undefined)[] = [];
  #hubs: HubCuts | undefined;

  constructor(
    pool: Pool,
    mined: Mined,
    settings: ResolvedSettings,
    judgements: ReadonlyMap<string, ReadonlySet<string>>,
  ) {
    this.#pool = pool;
    this.#mined = mined;
    this.#settings = settings;
    for (let ref = 0; ref < pool.refs.count; ref++) {
      const image = pool.refs.image[ref] ?? 0;
      const refs = this.#refsOfImage.get(image);
      if (refs === undefined) this.#refsOfImage.set(image, [ref]);
      else refs.push(ref);
    }
    this.#readJudgements(judgements);
  }

  withHubs(hubs: HubCuts): this {
    this.#hubs = hubs;
    return this;
  }

  /** Undefined where mining has no sentences for the expression's image. */
  of(expression: number): { readonly row: CandidateRow; readonly context: BandContext } | undefined {
    const pool = this.#pool;
    const ref = pool.expressions.ref[expression] ?? 0;
    const image = pool.refs.image[ref] ?? 0;
    const found = this.#mined.sentences(image);
    if (found === undefined) return undefined;
    const { ids, candidates } = found;
    const own = this.#saidOf(image);
    const judged = this.#judged.get(image);
    const judgedRows = judged === undefined ? [] : ids.filter((row) => judged.has(this.#keyOf(row)));
    const ownScore = pool.targetsOfRef(ref).length > 0 ? this.#mined.own[expression] : undefined;
    return {
      row: {
        ...found,
        i2i: this.#likenessOf(image, ids),
        isRiskKnown: this.#mined.coverage?.isComplete !== false,
        truncated: ids.length < candidates,
        rank: "t2i",
      },
      context: {
        // Rows are sentences: none of them is the image.
        ownImage: -1,
        // True of nothing here: text filters tighten.
        targets: 0,
        expression: image,
        judged: new Set(judgedRows),
        sameSentence: new Set(ids.filter((row) => own.some((said) => isWithin(this.#bagOf(row), said)))),
        kindShare: onlyTheKind,
        ...(ownScore === undefined || Number.isNaN(ownScore) ? {} : { ownScore }),
        ...(this.#hubs === undefined ? {} : { hubs: this.#hubs }),
      },
    };
  }

  /** For each sentence the likeness of the image to its nearest neighbour of which it is said; -1 where no near one is known. */
  #likenessOf(image: number, ids: Int32Array): Float32Array {
    const { guards, band } = this.#settings;
    const least = Math.min(guards.nearDuplicate ?? 2, band.tauImage ?? 2);
    const { ids: images, scores } = this.#mined.neighbours(image) ?? { ids: new Int32Array(0), scores: [] };
    const nearest = new Map<string, number>();
    for (let at = 0; at < images.length; at++) {
      const score = scores[at] ?? -1;
      if (score < least) break;
      for (const row of this.#rowsOf(images[at] ?? 0)) {
        const key = this.#keyOf(row);
        if (!nearest.has(key)) nearest.set(key, score);
      }
    }
    return Float32Array.from(ids, nearest.size === 0 ? () => -1 : (row) => nearest.get(this.#keyOf(row)) ?? -1);
  }

  /** What is said of anything in an image, and true. */
  #saidOf(image: number): WordBag[] {
    return this.#rowsOf(image).map((row) => this.#bagOf(row));
  }

  #rowsOf(image: number): number[] {
    return (this.#refsOfImage.get(image) ?? []).flatMap((ref) => {
      if (this.#pool.targetsOfRef(ref).length === 0) return [];
      const [start, end] = this.#pool.expressionsOfRef(ref);
      return Array.from({ length: end - start }, (_, at) => start + at);
    });
  }

  #keyOf(row: number): string {
    this.#keys[row] ??= sentenceKey(this.#pool.expressions.sent[row] ?? "");
    return this.#keys[row];
  }

  #bagOf(row: number): WordBag {
    this.#bags[row] ??= wordBag(this.#pool.expressions.sent[row] ?? "");
    return this.#bags[row];
  }

  /** Judgements outlive pools: one on an image or expression that is gone says nothing. */
  #readJudgements(judgements: ReadonlyMap<string, ReadonlySet<string>>): void {
    if (judgements.size === 0) return;
    const imageOf = new Map(this.#pool.images.hash.map((hash, row) => [hash, row]));
    for (let row = 0; row < this.#pool.expressions.count; row++)
      for (const hash of judgements.get(this.#pool.expressionKey(row)) ?? []) {
        const image = imageOf.get(hash);
        if (image === undefined) continue;
        const keys = this.#judged.get(image) ?? new Set();
        this.#judged.set(image, keys.add(this.#keyOf(row)));
      }
  }
}

/** One sentence is drawn, not three images: where there are any of the kind there need be no others. */
const onlyTheKind = { least: 3, times: 1 };
