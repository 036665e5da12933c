/** The room `styles`: ways to put a mosaic together, a file and an entry of the registry each; pure. */
export { fitImage } from "./fit.ts";
export { gridCells, movedCells } from "./grid.ts";
export { gridShapes } from "./grid-shape.ts";
export { targetLayer } from "./layers.ts";
export { styleNames, styleOf, styles } from "./registry.ts";
export {
  type Mosaic,
  type MosaicOptions,
  type NegativeOptions,
  type Negatives,
  noBand,
  noMosaic,
  type PictureObject,
  type Style,
  type StyleFacts,
  type StylePreset,
  type StyleRequest,
  type StyleStream,
  wantedKind,
} from "./style.ts";
export { targetShare } from "./windows.ts";
