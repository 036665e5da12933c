import { layer, targetLayer } from "./layers.ts";
import { type Mosaic, noMosaic, type Style, type StyleRequest } from "./style.ts";

/**
 * MixGen (Hao et al., WACV 2023 workshops, λ = 1/2): two images blended half and half, their expressions joined. The
 * mask is the union of both targets, since the joined text names both. The other image is drawn as negatives are, and
 * brings one of its refs of this split with one of its sentences.
 */
export const mixgen: Style = {
  name: "mixgen",
  about: "two images are blended, their expressions joined",
  mostNegatives: () => 1,
  isGrid: false,
  presets: {
    mixgen: { about: "MixGen: two images blended half and half, their expressions joined", mosaic: { randomShare: 1 } },
  },
  make: mixgenMosaic,
};

function mixgenMosaic(request: StyleRequest): Mosaic {
  const { facts, settings, expression } = request;
  const negatives = request.negatives(1);
  const image = negatives.images[0];
  if (image === undefined) return { kind: "single", why: negatives.why };
  const refs = facts.refsOfImage(image);
  const random = request.random("partner");
  const ref = refs.length === 0 ? undefined : refs[random.below(refs.length)];
  if (ref === undefined) return noMosaic(request, "partner", negatives.why);
  const [start, end] = facts.expressionsOfRef(ref);
  if (start === end) return noMosaic(request, "partner", negatives.why);
  const partner = facts.expression(start + random.below(end - start));
  const { width, height } = facts.image(image);
  const all = [0, 0, settings.size, settings.size] as const;
  const over = layer(
    facts,
    image,
    "stretch",
    { source: [0, 0, width, height], destination: all },
    facts.ref(ref).masks,
  );
  return {
    kind: negatives.kind,
    layers: [targetLayer(request, all, "stretch"), { ...over, alpha: 0.5 }],
    why: { ...negatives.why, partner: partner.key },
    text: `${facts.expression(expression).text} ${partner.text}`,
  };
}
