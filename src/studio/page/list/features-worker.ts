import { expressionFeatures } from "../../../language/index.ts";
import type { TextFeatures } from "./list-facets.ts";

/** Reads the features of sentences (joined by line feeds) off the main thread. */
self.onmessage = ({ data }: MessageEvent<Uint8Array>) => {
  const texts = new TextDecoder().decode(data).split("\n");
  const words = new Uint8Array(texts.length);
  const position = new Uint8Array(texts.length);
  texts.forEach((text, row) => {
    const features = expressionFeatures(text);
    words[row] = Math.min(255, features.words);
    position[row] = !features.hasPositionWord ? 0 : features.hasRelation ? 2 : 1;
  });
  const answer: TextFeatures = { words, position };
  self.postMessage(answer);
};
