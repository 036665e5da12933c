import type { CounterRandom } from "../kernels/index.ts";
import { comparesWithOthers, countNamed } from "../language/index.ts";
import { fail, type Layer, type PixelRect } from "../model/index.ts";
import { landmarksOf } from "./landmarks.ts";
import { layer } from "./layers.ts";
import { negativesOfCells, type TargetPlace, targetPlace } from "./nemo.ts";
import { type Mosaic, noMosaic, type PictureObject, type Style, type StyleRequest } from "./style.ts";
import { boxAround, drawHoldingStart, type FloatRect, inSample, shareInside, windowOf } from "./windows.ts";

/**
 * Four images in the scale of the single image, each cut to its quadrant: the target's around the target and every landmark that the
 * sentence names, the others around an object of the target's kind, else one that the sentence names, else any. The cross
 * point keeps a fifth of the side from every edge and leaves the target's quadrant large enough for what it has to hold;
 * where the landmarks are too far apart for that there is no mosaic, and a target alone may be cut down to `minVisible`. Nor is
 * there one for a sentence that compares ("bigger dog"): the others are as large here as it is.
 */
export const fullSize: Style = {
  name: "full-size",
  about: "four images keep their scale, each cut around the target, or around what could be taken for it",
  mostNegatives: () => 3,
  isGrid: false,
  presets: {
    "full-size": {
      about: "mined hard negatives at full size: images cut around their objects, the target where its words put it",
      mosaic: {},
    },
    "full-size-random": { about: "the same with random images: what mining adds to it", mosaic: { randomShare: 1 } },
  },
  make: fullSizeMosaic,
};

/** The least distance of the cross point from the edges, as in YOLOv4's mosaic. */
const leastOffset = 0.2;
const nowhere = { cell: -1 } as const;

function fullSizeMosaic(request: StyleRequest): Mosaic {
  const { facts, settings, ref } = request;
  const { text } = facts.expression(request.expression);
  const place: TargetPlace = comparesWithOthers(text) ? nowhere : targetPlace(request, 2, 2);
  if (place.cell < 0) return noMosaic(request, "placement", { cells: [] });
  const random = request.random("window");
  const { image, masks } = facts.ref(ref);
  const landmarks = landmarksOf(request);
  const own = facts.objectsOfImage(image).filter(({ key }) => masks.includes(key));
  const held = boxAround([...own, ...landmarks].map(({ box }) => inSample(request, image, box)));
  const most = settings.size - Math.ceil(leastOffset * settings.size);
  if (landmarks.length > 0 && held !== undefined && (held[2] > most || held[3] > most))
    return noMosaic(request, "visibility");
  const cells = quadrants(settings.size, place.cell, held, random);
  const cell = cells[place.cell] ?? fail("internal", "a quadrant is missing");
  const target = window(request, image, cell, held, random, masks);
  const [x, y, width, height] = target.source;
  const isCut = landmarks.some(({ box }) => {
    return box[0] < x || box[1] < y || box[0] + box[2] > x + width || box[1] + box[3] > y + height;
  });
  if (isCut || shareInside(request, target.source) < settings.mosaic.minVisible) return noMosaic(request, "visibility");
  const negatives = negativesOfCells(request, 2, 2, place);
  if (negatives.images.length < 3) return { kind: "single", why: negatives.why };
  let next = 0;
  const layers = cells.map((quadrant, at) => {
    if (at === place.cell) return target;
    const other = negatives.images[next++] ?? fail("internal", "fewer negatives than cells");
    const box = relevantObject(request, other, random)?.box;
    const around = box === undefined ? undefined : inSample(request, other, box);
    return { ...window(request, other, quadrant, around, random), blur: settings.mosaic.blur };
  });
  const why = place.cells === undefined ? negatives.why : { ...negatives.why, cells: place.cells };
  return { kind: negatives.kind, layers, why };
}

/** The quadrants around a cross point, uniform among those at which quadrant `cell` is as large as `held`, as far as may be. */
function quadrants(size: number, cell: number, held: FloatRect | undefined, random: CounterRandom): PixelRect[] {
  const least = Math.ceil(leastOffset * size);
  const split = (isFar: boolean, extent: number): number => {
    const shortest = Math.min(size - least, Math.max(least, Math.ceil(extent)));
    const length = shortest + random.below(size - least - shortest + 1);
    return isFar ? size - length : length;
  };
  const x = split(cell % 2 === 1, held?.[2] ?? 0);
  const y = split(cell >= 2, held?.[3] ?? 0);
  return [
    [0, 0, x, y],
    [x, 0, size - x, y],
    [0, y, x, size - y],
    [x, y, size - x, size - y],
  ];
}

/** An image's part that fills a cell in the scale of the single image, with the box in it, or the cell in the box. */
function window(
  request: StyleRequest,
  image: number,
  cell: PixelRect,
  box: FloatRect | undefined,
  random: CounterRandom,
  masks?: readonly string[],
): Layer {
  const { facts, settings } = request;
  const [, , w, h] = cell;
  const x = drawHoldingStart(settings.size, w, box?.[0], box?.[2], random);
  // Of what is taller than the cell the upper part is shown: heads tell more than flanks.
  const isTall = masks === undefined && box !== undefined && box[3] > h;
  const y = isTall
    ? Math.min(settings.size - h, Math.floor(box[1]))
    : drawHoldingStart(settings.size, h, box?.[1], box?.[3], random);
  const shown = windowOf(facts.image(image), settings.size, [x, y, w, h]);
  return layer(facts, image, "cover", { ...shown, destination: cell }, masks);
}

/** What of another image could be taken for the target: an object of its kind, else one that the sentence names, else any. */
function relevantObject(request: StyleRequest, image: number, random: CounterRandom): PictureObject | undefined {
  const { facts, expression, ref } = request;
  const { image: own, masks } = facts.ref(ref);
  const kinds = new Set(
    facts.objectsOfImage(own).flatMap(({ key, category }) => (masks.includes(key) ? [category] : [])),
  );
  const { text } = facts.expression(expression);
  const all = facts.objectsOfImage(image);
  const alike = all.filter(({ category }) => kinds.has(category));
  const named = alike.length > 0 ? alike : all.filter(({ category }) => countNamed(text, category) > 0);
  const found = named.length > 0 ? named : all;
  return found.length === 0 ? undefined : random.pick(found);
}
