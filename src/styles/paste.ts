import type { CounterRandom } from "../kernels/index.ts";
import { rleAreaInside } from "../kernels/index.ts";
import { findFurtherPlaces, type Side } from "../language/index.ts";
import type { Layer, PixelRect, PlanReasons } from "../model/index.ts";
import { landmarksOf } from "./landmarks.ts";
import { layer, targetLayer } from "./layers.ts";
import { type Mosaic, noMosaic, type PictureObject, type Style, type StyleRequest } from "./style.ts";
import { type FloatRect, inSample } from "./windows.ts";

/**
 * One to three objects of the target's kind are cut out of other images by their masks and put beside it. Each is scaled to
 * about the target's size, stands on about the target's ground, and keeps to an edge of the picture where it was cut off by one in its
 * own (by the upper only where the target is, too: heads do not hang from the sky). The words say on which side of the target a further object leaves the sentence true (`placesForFurther`); where they
 * leave none, or no image drawn shows an object of that kind, the single image is given. Neither of the target nor of a landmark
 * that the sentence names do the boxes of the objects pasted hide more than 1 - `minVisible`;
 * the target is hidden by more than a tenth only where no other place was found.
 */
export const paste: Style = {
  name: "paste",
  about: "one to three objects of the target's kind are cut out of other images and put beside it",
  mostNegatives: () => 3,
  isGrid: false,
  presets: {
    paste: { about: "mined hard objects of the target's kind, cut out and put beside it", mosaic: {} },
    "paste-random": { about: "the same from random images that show the kind", mosaic: { randomShare: 1 } },
  },
  make: pasteMosaic,
};

/** Bounds of a pasted object: its area as a share of the target's, its enlargement, the least side in the sample's pixels. */
const areaRatio = { least: 0.4, most: 1.6 } as const;
const mostEnlarged = 2;
const leastSide = 8;
const mostAttempts = 24;
/** In the first attempts no more of the target than this is hidden. */
const openAttempts = 16;
const openHidden = 0.1;
/** How far above or below the target's ground it may stand, of the side. */
const groundSlack = 0.12;

function pasteMosaic(request: StyleRequest): Mosaic {
  const { facts, expression, ref } = request;
  const { image, masks } = facts.ref(ref);
  const own = facts.objectsOfImage(image).filter(({ key }) => masks.includes(key));
  const [target] = own;
  if (target === undefined || own.length > 1 || masks.length > 1 || target.category === "")
    return noMosaic(request, "no-object");
  const sides = findFurtherPlaces(facts.expression(expression).text);
  if (sides === undefined) return noMosaic(request, "placement");
  const random = request.random("paste");
  const accepts = (other: number): boolean => findFitting(request, other, target).length > 0;
  const wanted = 1 + random.below(3);
  const some = request.negatives(wanted, { accepts });
  const negatives = some.images.length === 0 && wanted > 1 ? request.negatives(1, { accepts }) : some;
  if (negatives.images.length === 0) return noMosaic(request, "no-object", negatives.why);

  const spots = new Spots(request, target, sides);
  const layers: Layer[] = [];
  const drawn: PlanReasons["negatives"][number][] = [];
  for (const [at, other] of negatives.images.entries()) {
    const object = random.pick(findFitting(request, other, target));
    const spot = spots.find(other, object, random);
    const reason = negatives.why.negatives[at];
    if (spot === undefined || reason === undefined) continue;
    const cut = layer(facts, other, "stretch", { source: object.box, destination: spot });
    layers.push({ ...cut, blur: request.settings.mosaic.blur, clip: [object.key] });
    drawn.push(reason);
  }
  if (layers.length === 0) return noMosaic(request, "visibility", negatives.why);
  const { size } = request.settings;
  const whole = targetLayer(request, [0, 0, size, size], "stretch");
  return { kind: negatives.kind, layers: [whole, ...layers], why: { ...negatives.why, negatives: drawn } };
}

/** The objects of a target's kind that can be cut out: not cut off by opposite edges of their image, and not tiny. */
function findFitting({ facts }: StyleRequest, image: number, target: PictureObject): PictureObject[] {
  const { width, height } = facts.image(image);
  const isTargetCut = target.box[1] <= 1;
  return facts.objectsOfImage(image).filter(({ category, box, area }) => {
    if (category !== target.category || area < leastSide * leastSide) return false;
    const [left, right, top, bottom] = edgesOf(box, width, height);
    return !(left && right) && !(top && (bottom || !isTargetCut));
  });
}

/** Whether a box touches the left, right, top and bottom edge of its image. */
function edgesOf([x, y, w, h]: PixelRect, width: number, height: number): [boolean, boolean, boolean, boolean] {
  return [x <= 1, x + w >= width - 1, y <= 1, y + h >= height - 1];
}

/** Finds places beside a target, and remembers how much of it and of its landmarks they hide. */
class Spots {
  readonly #request: StyleRequest;
  readonly #target: PictureObject;
  readonly #sides: readonly Side[];
  readonly #box: FloatRect;
  readonly #landmarks: readonly FloatRect[];
  readonly #taken: PixelRect[] = [];

  constructor(request: StyleRequest, target: PictureObject, sides: readonly Side[]) {
    const { image } = request.facts.ref(request.ref);
    this.#request = request;
    this.#target = target;
    this.#sides = sides;
    this.#box = inSample(request, image, target.box);
    this.#landmarks = landmarksOf(request).map(({ box }) => inSample(request, image, box));
  }

  /** A place for an object of another image in the sample; undefined where none was found. */
  find(image: number, object: PictureObject, random: CounterRandom): PixelRect | undefined {
    const most = 1 - this.#request.settings.mosaic.minVisible;
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const spot = this.#draw(image, object, random);
      const limit = attempt < openAttempts ? Math.min(openHidden, most) : most;
      if (spot === undefined || !this.#isOnSides(spot) || this.#hidesTooMuch(spot, limit)) continue;
      this.#taken.push(spot);
      return spot;
    }
    return undefined;
  }

  #draw(image: number, object: PictureObject, random: CounterRandom): PixelRect | undefined {
    const { facts, ref, settings } = this.#request;
    const { size } = settings;
    const own = facts.image(facts.ref(ref).image);
    const { least, most } = areaRatio;
    const ratio = least * (most / least) ** random.float();
    // Pixels of the target's image for a pixel of the other: both are stretched alike then.
    const scale = Math.min(mostEnlarged, Math.sqrt((ratio * this.#target.area) / object.area));
    const [, , w, h] = object.box;
    const width = Math.round((w * scale * size) / own.width);
    const height = Math.round((h * scale * size) / own.height);
    const isPlausible = (object.area * scale * scale) / this.#target.area >= least / 2;
    if (!isPlausible || width < leastSide || height < leastSide || width > size || height > size) return undefined;
    const other = facts.image(image);
    const [left, right, top, bottom] = edgesOf(object.box, other.width, other.height);
    const anywhere = random.below(size - width + 1);
    const ground = this.#box[1] + this.#box[3] + (2 * random.float() - 1) * groundSlack * size;
    const standing = Math.max(0, Math.min(size - height, Math.round(ground - height)));
    const x = left ? 0 : right ? size - width : anywhere;
    const y = top ? 0 : bottom ? size - height : standing;
    return [x, y, width, height];
  }

  /** Beyond the target's far edge with its middle, and not further towards the place named than the target's middle. */
  #isOnSides([x, y, width, height]: PixelRect): boolean {
    const [left, top, across, down] = this.#box;
    return this.#sides.every((side) => {
      if (side === "right") return x + width / 2 > left + across && x > left + across / 2;
      if (side === "left") return x + width / 2 < left && x + width < left + across / 2;
      if (side === "below") return y + height / 2 > top + down && y > top + down / 2;
      return y + height / 2 < top && y + height < top + down / 2;
    });
  }

  /** By boxes, so that holes in what is pasted do not count as sight. */
  #hidesTooMuch(spot: PixelRect, most: number): boolean {
    const { facts, ref, settings } = this.#request;
    const all = [...this.#taken, spot];
    const { width, height } = facts.image(facts.ref(ref).image);
    const mask = facts.targetMask(ref);
    const covered = all.reduce((sum, [x, y, w, h]) => {
      if (mask === undefined) return sum;
      const from = (value: number, extent: number): number => Math.max(0, Math.floor((value * extent) / settings.size));
      const to = (value: number, extent: number): number =>
        Math.min(extent, Math.ceil((value * extent) / settings.size));
      const part = { x: from(x, width), y: from(y, height), width: 0, height: 0 };
      part.width = Math.max(1, to(x + w, width) - part.x);
      part.height = Math.max(1, to(y + h, height) - part.y);
      return sum + rleAreaInside(mask, part);
    }, 0);
    if (covered > most * this.#target.area) return true;
    return this.#landmarks.some((landmark) => {
      const hidden = all.reduce((sum, taken) => sum + sharedArea(landmark, taken), 0);
      return hidden > most * landmark[2] * landmark[3];
    });
  }
}

function sharedArea(a: FloatRect, b: FloatRect): number {
  const across = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return Math.max(0, across) * Math.max(0, down);
}
