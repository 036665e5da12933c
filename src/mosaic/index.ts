export { type Canvas, compose, composeMask, type LayerContent, resizerOf } from "./compose.ts";
