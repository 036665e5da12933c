import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { decodeImage } from "../../codecs/index.ts";
import { hashBytes } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { objectClasses } from "../classes.ts";
import type { Colour } from "../colours.ts";
import { repaintSprite } from "./repaint.ts";

/** Pixels of a sprite, colours multiplied by opacity: `4 * width * height` bytes R G B A, row by row. */
export interface SpriteLevel {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A sprite at full size, half, a quarter and an eighth. Nothing in it is ever written to. */
export interface Sprite {
  readonly width: number;
  readonly height: number;
  readonly levels: readonly SpriteLevel[];
  /** The part of the width on which it stands, from left to right, 0 … 1. */
  readonly footing: readonly [from: number, to: number];
}

/** Every sprite in every colour, ready to draw. */
export interface SpriteSet {
  /** The sprite of a class's colour variant (an index into its `variants`). */
  get(className: string, variant: number): Sprite;
  /** SHA-256 over all sprite files, in the order of the classes. */
  readonly hash: string;
}

const folder = new URL("../../../assets/scenes/", import.meta.url);

/**
 * Reads and decodes the sprites that ship with the package (a quarter of a second); colour variants are painted at
 * their first use. Errors: "not-found" where the package is not whole.
 */
export async function loadSprites(): Promise<SpriteSet> {
  const raw = await Promise.all(
    objectClasses.map(async (entry) => {
      const path = fileURLToPath(new URL(`${entry.name.replaceAll(" ", "-")}.webp`, folder));
      const bytes = await readFile(path).catch((error: unknown) =>
        fail(
          "not-found",
          `expected the sprite "${path}", found none: the package is not whole; install it again`,
          error,
        ),
      );
      return { entry, bytes, stacked: await decodeImage(bytes) };
    }),
  );
  const stacks = new Map(raw.map(({ entry, stacked }) => [entry.name, { entry, stacked }]));
  const made = new Map<string, Sprite>();
  return {
    hash: hashBytes(raw.map(({ bytes }) => hashBytes(bytes)).join()),
    get(className, variant) {
      const key = `${className}/${variant}`;
      const known = made.get(key);
      if (known !== undefined) return known;
      const found = stacks.get(className);
      const look = found?.entry.variants[variant];
      if (found === undefined || look === undefined)
        fail("bad-input", `expected a class and its variant, got "${key}"`);
      const band = found.entry.band;
      const paint =
        look.repaint === undefined || band === undefined ? undefined : { band, colour: look.repaint as Colour };
      const { width, height, data } = found.stacked;
      const rgb = data.slice(0, (width * height * 3) / 2);
      const sprite = spriteOf(
        paint === undefined ? rgb : repaintSprite(rgb, paint.band, paint.colour),
        data.subarray((width * height * 3) / 2),
        width,
        height / 2,
      );
      made.set(key, sprite);
      return sprite;
    },
  };
}

/** Builds the levels of a sprite from its colours and its opacity (three equal bytes a pixel). */
function spriteOf(rgb: Uint8Array, opacity: Uint8Array, width: number, height: number): Sprite {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    // Lossy compression leaves a faint haze where there was nothing, and holes where there was something.
    const stored = opacity[i * 3] ?? 0;
    const alpha = stored < 10 ? 0 : stored > 246 ? 255 : stored;
    for (let channel = 0; channel < 3; channel++) {
      data[i * 4 + channel] = Math.round(((rgb[i * 3 + channel] ?? 0) * alpha) / 255);
    }
    data[i * 4 + 3] = alpha;
  }
  const levels: SpriteLevel[] = [{ width, height, data }];
  for (let level: SpriteLevel = { width, height, data }; levels.length < 4; levels.push(level))
    level = halveSprite(level);
  return { width, height, levels, footing: footingOf(data, width, height) };
}

function halveSprite(level: SpriteLevel): SpriteLevel {
  const width = Math.ceil(level.width / 2);
  const height = Math.ceil(level.height / 2);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 4; channel++) {
        let sum = 2;
        for (const dy of [0, 1]) {
          for (const dx of [0, 1]) {
            const row = 2 * y + dy;
            const column = 2 * x + dx;
            // Beyond the border there is nothing, so that every level covers the same ground.
            if (row < level.height && column < level.width) {
              sum += level.data[(row * level.width + column) * 4 + channel] ?? 0;
            }
          }
        }
        data[(y * width + x) * 4 + channel] = sum >> 2;
      }
    }
  }
  return { width, height, data };
}

function footingOf(data: Uint8Array, width: number, height: number): [number, number] {
  let from = width;
  let to = -1;
  for (let y = Math.floor(height * 0.93); y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((data[(y * width + x) * 4 + 3] ?? 0) < 128) continue;
      from = Math.min(from, x);
      to = Math.max(to, x);
    }
  }
  return to < from ? [0.2, 0.8] : [from / width, (to + 1) / width];
}
