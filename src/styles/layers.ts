import { rleBox } from "../kernels/index.ts";
import type { Layer, PixelRect } from "../model/index.ts";
import { type Fitted, fitImage } from "./fit.ts";
import type { StyleFacts, StyleRequest } from "./style.ts";

/** The expression's own image in a cell. `fit` is the settings' unless given. */
export function targetLayer(request: StyleRequest, cell: PixelRect, fit = request.settings.mosaic.fit): Layer {
  const { facts, ref, isFalse } = request;
  const { image, masks } = facts.ref(ref);
  const { width, height } = facts.image(image);
  const mask = isFalse ? undefined : fit === "cover" ? facts.targetMask(ref) : undefined;
  return layer(
    facts,
    image,
    fit,
    fitImage(fit, width, height, cell, mask === undefined ? undefined : rleBox(mask)),
    isFalse ? [] : masks,
  );
}

/** Another image in a cell, as the settings fit and blur it. */
export function negativeLayer(request: StyleRequest, image: number, cell: PixelRect): Layer {
  const { facts, settings } = request;
  const { width, height } = facts.image(image);
  const { fit, blur } = settings.mosaic;
  return { ...layer(facts, image, fit, fitImage(fit, width, height, cell)), blur };
}

/** A layer of an image: a target's where `masks` are given. */
export function layer(
  facts: StyleFacts,
  image: number,
  fit: Layer["fit"],
  { source, destination, window }: Fitted & Pick<Layer, "window">,
  masks?: readonly string[],
): Layer {
  return {
    role: masks === undefined ? "negative" : "target",
    image: facts.image(image).key,
    source,
    destination,
    fit,
    alpha: 1,
    blur: 0,
    masks: masks ?? [],
    ...(window === undefined ? {} : { window }),
  };
}
