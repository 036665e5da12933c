export { type Canvas, compose, composeMask, type LayerContent, type LayerPixels, resizerOf } from "./compose.ts";
