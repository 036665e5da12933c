import type { Colour } from "./colours.ts";
import type { ThemeName } from "./themes.ts";

/** Width of every scene in pixels. */
export const sceneWidth = 640;
/** Height of every scene in pixels. */
export const sceneHeight = 480;

/** [left, top, width, height] in whole pixels. */
export type PixelBox = readonly [left: number, top: number, width: number, height: number];

/** How an object is put on the canvas. */
export interface Placement {
  /** Middle of the sprite, pixels from the left. */
  readonly x: number;
  /** Where it stands: the sprite's lower edge, pixels from the top. Also its depth: the larger, the nearer. */
  readonly ground: number;
  /** The sprite's larger side in pixels. */
  readonly side: number;
  readonly isFlipped: boolean;
  /** Degrees, clockwise, about the middle of the lower edge. */
  readonly rotation: number;
}

/** What can be seen of an object, measured on the instance map; the meaning of expressions rests on this alone. */
export interface Appearance {
  /** Box of the visible pixels; [0, 0, 0, 0] where there are none. */
  readonly box: PixelBox;
  /** Box of the whole object, as if nothing stood before it. */
  readonly wholeBox: PixelBox;
  /** Visible pixels. */
  readonly area: number;
  /** Pixels of the whole object within the picture. */
  readonly wholeArea: number;
}

/** One object of a scene. */
export interface SceneObject extends Appearance {
  /** 1, 2, 3 … within its scene: from the farthest to the nearest, which is also the order of painting. */
  readonly id: number;
  readonly className: string;
  /** Index into the class's colour variants. */
  readonly variant: number;
  /** Colour words that are plainly true of it. */
  readonly colours: readonly Colour[];
  /** Colour words that are neither plainly true nor plainly false of it. */
  readonly tints: readonly Colour[];
  readonly placement: Placement;
}

/** How the picture behind the objects is painted. */
export interface Backdrop {
  readonly theme: ThemeName;
  /** Which of the theme's palettes. */
  readonly palette: number;
  /** Where the ground begins, pixels from the top. */
  readonly horizon: number;
  /** Shifts the textures, 0 … 65535. */
  readonly texture: number;
  /** Where the light comes from: -1 (left) … 1 (right). */
  readonly light: number;
}

/** A scene's whole description: drawing it and judging any expression of it need nothing else. */
export interface Scene {
  readonly seed: number;
  readonly index: number;
  readonly backdrop: Backdrop;
  /** The class that the scene's refs are about. */
  readonly targetClass: string;
  readonly objects: readonly SceneObject[];
}
