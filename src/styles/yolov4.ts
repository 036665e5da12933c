import type { CounterRandom } from "../kernels/index.ts";
import { fail, type Layer, type PixelRect } from "../model/index.ts";
import { layer } from "./layers.ts";
import { targetPlace } from "./nemo.ts";
import { type Mosaic, noMosaic, type Style, type StyleRequest } from "./style.ts";
import { drawHoldingStart, shareInside, targetBox, windowOf } from "./windows.ts";

/**
 * YOLOv4's mosaic (Bochkovskiy et al., arXiv 2004.10934, and its program darknet): four images at full size, each cut
 * to its quadrant around a cross point that keeps a fifth of the side from every edge. Where the paper draws any window,
 * the target's holds its box if the box fits, and a mosaic that would hide too much of it is drawn again.
 */
export const yolov4: Style = {
  name: "yolov4",
  about: "four full-size images, each cut to its quadrant around a random cross point",
  mostNegatives: () => 3,
  isGrid: false,
  presets: {
    yolov4: {
      about: "YOLOv4's mosaic: four full-size images cut around a random cross point",
      mosaic: { randomShare: 1, placement: "uniform" },
    },
  },
  make: yolov4Mosaic,
};

function yolov4Mosaic(request: StyleRequest): Mosaic {
  const place = targetPlace(request, 2, 2);
  if (place.cell < 0) return noMosaic(request, "placement", { cells: [] });
  const random = request.random("window");
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const cells = quadrants(request.settings.size, random);
    const cell = cells[place.cell] ?? fail("internal", "a quadrant is missing");
    const target = targetWindow(request, cell, random);
    if (target === undefined) continue;
    const negatives = request.negatives(3);
    if (negatives.images.length < 3) return { kind: "single", why: negatives.why };
    let next = 0;
    const layers = cells.map((quadrant, at) =>
      at === place.cell ? target : negativeWindow(request, negatives.images[next++] ?? 0, quadrant, random),
    );
    const why = place.cells === undefined ? negatives.why : { ...negatives.why, cells: place.cells };
    return { kind: negatives.kind, layers, why };
  }
  return noMosaic(request, "visibility");
}

const mostAttempts = 8;
/** darknet's least distance of the cross point from the edges. */
const leastOffset = 0.2;

function quadrants(size: number, random: CounterRandom): PixelRect[] {
  const least = Math.ceil(leastOffset * size);
  const x = least + random.below(size - 2 * least + 1);
  const y = least + random.below(size - 2 * least + 1);
  return [
    [0, 0, x, y],
    [x, 0, size - x, y],
    [0, y, x, size - y],
    [x, y, size - x, size - y],
  ];
}

function targetWindow(request: StyleRequest, cell: PixelRect, random: CounterRandom): Layer | undefined {
  const { facts, ref, settings } = request;
  const { image, masks } = facts.ref(ref);
  const [, , w, h] = cell;
  const box = targetBox(request);
  const x = drawHoldingStart(settings.size, w, box?.[0], box?.[2], random);
  const y = drawHoldingStart(settings.size, h, box?.[1], box?.[3], random);
  const shown = windowOf(facts.image(image), settings.size, [x, y, w, h]);
  if (shareInside(request, shown.source) < settings.mosaic.minVisible) return undefined;
  return layer(facts, image, "cover", { ...shown, destination: cell }, masks);
}

function negativeWindow(request: StyleRequest, image: number, cell: PixelRect, random: CounterRandom): Layer {
  const { facts, settings } = request;
  const [, , w, h] = cell;
  const x = drawHoldingStart(settings.size, w, undefined, undefined, random);
  const y = drawHoldingStart(settings.size, h, undefined, undefined, random);
  const shown = windowOf(facts.image(image), settings.size, [x, y, w, h]);
  return { ...layer(facts, image, "cover", { ...shown, destination: cell }), blur: settings.mosaic.blur };
}
