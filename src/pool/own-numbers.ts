/** Where the ids of drawn samples start: above every id that a dataset's own name or number gives. */
export const firstDrawnId = 1_000_000_000;

/** The number that an image's file name ends in, as COCO's names do: COCO_train2014_000000581857.jpg → 581857. */
export function imageNumber(path: string): number | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, "");
  return ownNumber(/(\d+)$/.exec(name)?.[1]?.replace(/^0+(?=\d)/, ""));
}

/** A dataset's id as a number below `firstDrawnId`; undefined where it is none. */
export function ownNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return undefined;
  return Number(text) < firstDrawnId ? Number(text) : undefined;
}
