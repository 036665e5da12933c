import { mostNegatives } from "../../../settings/index.ts";
import { streamBandSizes } from "../api.ts";
import { type Filtered, filterRows, matchWords, selectRange } from "../list/facets.ts";
import { bandCodes, listFacets } from "../list/list-facets.ts";
import { orderBy } from "../list/orders.ts";
import { reuse } from "./reuse.svelte.ts";
import { route } from "./route.svelte.ts";
import { settings } from "./settings.svelte.ts";
import { studio } from "./studio.svelte.ts";

/** Pools up to this many expressions have their bands measured again whenever the settings rest. */
const quickExpressions = 20_000;

/** The filtered, sorted list; and the size of every band, measured by the server in the background. */
class ListState {
  sizes = $state.raw<Uint16Array>();
  /** Expressions measured so far, of those there are; undefined when at rest. */
  measuring = $state<number>();
  /** The settings that `sizes` holds for, as text. */
  measuredFor = $state("");
  /** The settings that are being measured now. */
  underWay: string | undefined;
  #abort: AbortController | undefined;

  /** Negatives that one mosaic needs under the present settings. */
  need = $derived(settings.current === undefined ? 3 : mostNegatives(settings.current));
  bandKey = $derived(bandKeyOf());
  isStale = $derived(this.sizes !== undefined && this.measuredFor !== this.bandKey);

  /**
   * What a size meant when it was measured. Not what it means under the settings of this moment: the list must not be
   * filtered anew, all 142,000 rows of it, in every frame of a drag.
   */
  #measuredUnder = $state.raw({ need: 3, k: 100 });
  #bands = $derived(
    this.sizes === undefined ? undefined : bandCodes(this.sizes, this.#measuredUnder.need, this.#measuredUnder.k),
  );
  facets = $derived(studio.columns === undefined ? [] : listFacets(studio.columns, studio.features, this.#bands));

  order = $derived.by(() => {
    const { columns, features, mined } = studio;
    if (columns === undefined) return undefined;
    const descending = route.descending;
    switch (route.order) {
      case "pool":
        return descending ? Int32Array.from(columns.ref.keys()).reverse() : undefined;
      case "score":
        return mined === undefined ? undefined : orderBy(mined.own, descending);
      case "words":
        return features === undefined ? undefined : orderBy(features.words, descending);
      case "similar":
        return orderBy(
          Float32Array.from(columns.ref, (ref) => {
            const count = columns.similar[ref]!;
            return count === 255 ? Number.NaN : count;
          }),
          descending,
        );
      case "band":
        return this.sizes === undefined ? undefined : orderBy(this.sizes, descending);
    }
  });

  #textPasses = $derived(matchWords(studio.lowerTexts, route.query));
  #otherPasses = $derived.by(() => {
    const passes: Uint8Array[] = [];
    const { columns, mined } = studio;
    if (route.scoreRange !== undefined && mined !== undefined) passes.push(selectRange(mined.own, ...route.scoreRange));
    const { image } = route;
    if (image !== undefined && columns !== undefined)
      passes.push(Uint8Array.from(columns.ref, (ref) => (columns.image[ref] === image ? 1 : 0)));
    const { uses } = route;
    if (uses !== undefined && columns !== undefined && reuse.uses !== undefined) {
      const counts = reuse.uses;
      const isIn = Uint8Array.from({ length: studio.info?.pool.images ?? 0 }, (_, row) => {
        const count = counts.get(row) ?? 0;
        return count >= uses[0] && count <= uses[1] ? 1 : 0;
      });
      passes.push(Uint8Array.from(columns.ref, (ref) => isIn[columns.image[ref]!]!));
    }
    return passes;
  });

  filtered = $derived.by<Filtered>(() => {
    const passes = this.#textPasses === undefined ? this.#otherPasses : [this.#textPasses, ...this.#otherPasses];
    const allowed = Object.fromEntries(
      this.facets.flatMap((facet) => {
        const chosen = route.filters[facet.name];
        return chosen === undefined
          ? []
          : [[facet.name, chosen.map((label) => facet.labels.indexOf(label)).filter((code) => code >= 0)]];
      }),
    );
    return filterRows(this.facets, allowed, studio.texts.length, passes, this.order);
  });

  /** Whether a change of settings measures all bands again by itself. */
  get isQuick(): boolean {
    return studio.texts.length <= quickExpressions;
  }

  /** Measures every band under the present settings. */
  async measure(): Promise<void> {
    const tree = settings.current;
    if (tree === undefined || studio.mined === undefined) return;
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    const key = this.bandKey;
    const under = { need: this.need, k: tree.band.k };
    this.underWay = key;
    const sizes = new Uint16Array(studio.texts.length);
    this.measuring = this.sizes === undefined || !this.isQuick ? 0 : undefined;
    try {
      await streamBandSizes(tree, abort.signal, (start, part) => {
        sizes.set(part, start);
        if (this.measuring !== undefined) this.measuring = start + part.length;
      });
      this.#measuredUnder = under;
      this.sizes = sizes;
      this.measuredFor = key;
      this.measuring = undefined;
    } catch {
      if (this.#abort === abort) this.measuring = undefined; // the list does without; a newer run keeps its own state
    } finally {
      if (this.#abort === abort) this.underWay = undefined;
    }
  }
}

/** What the size of a band depends on. */
function bandKeyOf(): string {
  const { current } = settings;
  if (current === undefined) return "";
  const { band, guards, mined, ...rest } = current;
  const { gres, legacy } = rest as { gres?: unknown; legacy?: unknown };
  return JSON.stringify({ band, guards, gres, legacy, mined, judged: studio.judged });
}

export const list = new ListState();
