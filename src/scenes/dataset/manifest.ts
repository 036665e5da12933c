import type { SceneTally } from "./chunk.ts";
import type { SceneSettings } from "./options.ts";

/** The manifest, scenes.json: written last, so a folder that has it is whole. */
export interface ScenesManifest {
  readonly format: "nemosaic-scenes";
  readonly version: 1;
  readonly producer: string;
  readonly settings: SceneSettings;
  /** SHA-256 of settings, sprites and grammar; two folders with the same one hold the same bytes. */
  readonly settingsHash: string;
  readonly spritesHash: string;
  readonly counts: SceneTally;
  readonly shares: {
    /** Of the refs: those with another object of the target's class in the picture. */
    readonly hardRefs: number;
    /** Of the images: those whose refs are such. */
    readonly hardImages: number;
    /** Of the refs: those with a relation where class, colour and size do not name the target. */
    readonly relationRefs: number;
  };
  /** SHA-256 by file; "images" is the hash of all images' hashes in order, joined by line ends. */
  readonly hashes: Readonly<Record<string, string>>;
}
