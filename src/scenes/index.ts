/**
 * The room `scenes`: a referring dataset that the package draws for itself, and what its sentences are true of.
 *
 *   scene.ts, classes/, colours.ts, themes.ts   what a scene is made of
 *   grammar/   sentences to logic and back
 *   meaning/   what logic is true of, plainly, plainly not, or in doubt
 *   picture/   a scene to pixels
 *   dataset/   scenes made up, with their refs, written in REFER's form
 */

export { objectClasses } from "./classes.ts";
export { type Colour, colourWords } from "./colours.ts";
export type { ChunkResult, SceneLine, SceneTally } from "./dataset/chunk.ts";
export {
  defaultSceneOptions,
  generateScene,
  generateWithRefs,
  type SceneOptions,
  type SceneWithRefs,
} from "./dataset/generate.ts";
export type { ScenesManifest } from "./dataset/manifest.ts";
export {
  defaultSceneSettings,
  type SceneSettings,
  sceneOptionsHelp,
  sceneSettingsOf,
  type WriteScenesOptions,
} from "./dataset/options.ts";
export { expressionsOf, refTo, refToNone, refToSeveral, type SceneRef, type SceneSentence } from "./dataset/refer.ts";
export { type ScenesReport, writeScenes } from "./dataset/write.ts";
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
} from "./grammar/logic.ts";
export { parseExpression, tryParseExpression } from "./grammar/parse.ts";
export { textOf } from "./grammar/phrase-text.ts";
export { holds, type Judged, judge, mayHold } from "./meaning/judge.ts";
export type { Truth } from "./meaning/truth.ts";
export type { ColourVariant, ObjectClass } from "./object-class.ts";
export { type DrawnScene, instancesOf, renderScene } from "./picture/render.ts";
export { loadSprites, type Sprite, type SpriteSet } from "./picture/sprites.ts";
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
