import type { ListColumns } from "../contract.ts";
import type { Facet } from "./facets.ts";

/** What a worker reads off the sentences. */
export interface TextFeatures {
  readonly words: Uint8Array;
  /** 0 no position word, 1 a place in the picture, 2 relative to another thing. */
  readonly position: Uint8Array;
}

export const similarLabels = ["none", "1", "2", "3 or more", "no target"] as const;
export const bandLabels = ["empty", "too few", "some", "full"] as const;
const kindLabels = ["one target", "several targets", "no target"] as const;
const positionLabels = ["none", "in the picture", "relative"] as const;

/** The facets of the list, as far as they are known by now. */
export function listFacets(
  columns: ListColumns,
  features: TextFeatures | undefined,
  bands: Uint8Array | undefined,
): Facet[] {
  const ofRef = (code: (ref: number) => number): Uint16Array => Uint16Array.from(columns.ref, (ref) => code(ref));
  const facets: (Facet | undefined)[] = [
    named(
      "split",
      "Split",
      columns.splits,
      ofRef((ref) => columns.split[ref]!),
    ),
    columns.sources.length > 1
      ? named(
          "source",
          "Dataset",
          columns.sources,
          ofRef((ref) => columns.source[ref]!),
        )
      : undefined,
    named(
      "similar",
      "Similar objects in the image",
      similarLabels,
      ofRef((ref) => similarCode(columns.similar[ref]!)),
    ),
    bands === undefined ? undefined : named("band", "Band", bandLabels, bands),
    features === undefined ? undefined : named("position", "Position words", positionLabels, features.position),
    named(
      "kind",
      "Kind",
      kindLabels,
      ofRef((ref) => kindCode(columns.targets[ref]!)),
    ),
    named(
      "category",
      "Category",
      columns.categories,
      ofRef((ref) => columns.category[ref]!),
    ),
  ];
  return facets.filter((facet) => facet !== undefined);
}

/** Band sizes as facet codes: empty, too few for one mosaic, some, K. */
export function bandCodes(sizes: Uint16Array, need: number, k: number): Uint8Array {
  return Uint8Array.from(sizes, (size) => (size === 0 ? 0 : size < need ? 1 : size < k ? 2 : 3));
}

function named(name: string, title: string, labels: readonly string[], codes: Uint8Array | Uint16Array): Facet {
  return { name, title, labels, codes };
}

function similarCode(count: number): number {
  return count === 255 ? 4 : Math.min(count, 3);
}

function kindCode(targets: number): number {
  return targets === 1 ? 0 : targets === 0 ? 2 : 1;
}
