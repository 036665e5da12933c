/** The room `mosaic`: obeys plans, layers to pixels and masks; decides nothing. */
export { type Canvas, compose, composeMask, type LayerContent, resizerOf } from "./compose.ts";
