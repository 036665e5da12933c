export { type Canvas, compose, type LayerContent, type LayerPixels, resizerOf } from "./compose.ts";
