import type { CounterRandom } from "../kernels/index.ts";
import type { PixelRect } from "../model/index.ts";
import { layer, targetLayer } from "./layers.ts";
import { type Mosaic, noMosaic, type Style, type StyleRequest } from "./style.ts";
import { shareInside, sourceOfWindow, windowOf } from "./windows.ts";

/**
 * CutMix (Yun et al., ICCV 2019, algorithm A1 with α = 1): a rectangle of another image, of the area 1 - λ with λ
 * uniform, its centre anywhere, cut at the edges, replaces the same place of the target's image. Labels are not mixed, a
 * mask says what is true of each pixel: the target's, less what is covered. Where too little of it would stay
 * visible, or the rectangle is empty, another is drawn.
 */
export const cutmix: Style = {
  name: "cutmix",
  about: "a rectangle of another image is pasted over the target's",
  mostNegatives: () => 1,
  isGrid: false,
  presets: {
    cutmix: {
      about: "CutMix: a rectangle of a random image pasted over the target's image",
      mosaic: { randomShare: 1 },
    },
    "cutmix-mined": { about: "CutMix with mined hard negatives in place of random images", mosaic: {} },
  },
  make: cutmixMosaic,
};

function cutmixMosaic(request: StyleRequest): Mosaic {
  const { facts, settings, ref } = request;
  const { size } = settings;
  const random = request.random("window");
  const own = facts.image(facts.ref(ref).image);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const patch = drawPatch(size, random);
    if (patch === undefined) continue;
    const hidden = shareInside(request, sourceOfWindow(own.width, own.height, size, patch));
    if (facts.ref(ref).masks.length > 0 && 1 - hidden < settings.mosaic.minVisible) continue;
    const negatives = request.negatives(1);
    const image = negatives.images[0];
    if (image === undefined) return { kind: "single", why: negatives.why };
    const shown = windowOf(facts.image(image), size, patch);
    const pasted = { ...layer(facts, image, "stretch", { ...shown, destination: patch }), blur: settings.mosaic.blur };
    const whole = targetLayer(request, [0, 0, size, size], "stretch");
    return { kind: negatives.kind, layers: [whole, pasted], why: negatives.why };
  }
  return noMosaic(request, "visibility");
}

const mostAttempts = 32;

function drawPatch(size: number, random: CounterRandom): PixelRect | undefined {
  const side = Math.floor(size * Math.sqrt(1 - random.float()));
  const start = (): readonly [from: number, length: number] => {
    const centre = random.below(size);
    const from = Math.max(0, centre - (side >> 1));
    return [from, Math.min(size, centre + (side >> 1)) - from];
  };
  const [x, width] = start();
  const [y, height] = start();
  return width < 1 || height < 1 ? undefined : [x, y, width, height];
}
