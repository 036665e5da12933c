/** The room `scenes`: a referring dataset that the package draws for itself, and what its sentences are true of. */
export type { ChunkResult, SceneLine, SceneTally } from "./chunk.ts";
export { classNamed, objectClasses } from "./classes.ts";
export { type Colour, colourWords } from "./colours.ts";
export {
  defaultSceneOptions,
  generateScene,
  generateWithRefs,
  type SceneOptions,
  type SceneWithRefs,
} from "./generate.ts";
export { holds, type Judged, judge, mayHold } from "./judge.ts";
export {
  type ExpressionKind,
  expressionKinds,
  kindOf,
  type Modifier,
  type ParsedExpression,
  type Phrase,
  type PlainModifier,
  type Pole,
  type Relation,
} from "./logic.ts";
export type { ScenesManifest } from "./manifest.ts";
export type { ColourVariant, ObjectClass } from "./object-class.ts";
export {
  defaultSceneSettings,
  type SceneSettings,
  sceneOptionsHelp,
  sceneSettingsOf,
  type WriteScenesOptions,
} from "./options.ts";
export { parseExpression, tryParseExpression } from "./parse.ts";
export { textOf } from "./phrase-text.ts";
export { expressionsOf, refTo, refToNone, refToSeveral, type SceneRef, type SceneSentence } from "./refer.ts";
export { type DrawnScene, instancesOf, renderScene } from "./render.ts";
export {
  type Appearance,
  type Backdrop,
  type PixelBox,
  type Placement,
  type Scene,
  type SceneObject,
  sceneHeight,
  sceneWidth,
} from "./scene.ts";
export { loadSprites, type Sprite, type SpriteSet } from "./sprites.ts";
export type { Truth } from "./truth.ts";
export { type ScenesReport, writeScenes } from "./write.ts";
