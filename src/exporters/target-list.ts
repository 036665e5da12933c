/**
 * Several targets of one sample, for the formats that have one mask a sample. Trainers read that mask and pass over this
 * list, of which our importers make the targets again:
 *
 *   targets   [{category, size [height, width], counts}, …]   COCO's compressed run lengths; left out for one target or none
 */
import { encodeCocoRle } from "../codecs/index.ts";
import type { ExportSample } from "./exporter.ts";

/** One target of several. */
export type ListedTarget = {
  readonly category: string;
  readonly size: [height: number, width: number];
  readonly counts: string;
};

/** A sample's targets where it has several, as the member of a description. */
export function targetList({ targets, image }: Pick<ExportSample, "targets" | "image">): { targets?: ListedTarget[] } {
  if (targets.length < 2) return {};
  const { height, width } = image;
  return {
    targets: targets.map(({ category, mask }) => {
      const { counts } = encodeCocoRle(mask, height, width);
      return { category: category.name, size: [height, width], counts };
    }),
  };
}
