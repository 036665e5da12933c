import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { objectClasses } from "../classes.ts";
import { pigments } from "../colours.ts";
import { nouns, nounsOfClass } from "../grammar/nouns.ts";
import { loadSprites, type SpriteSet } from "./sprites.ts";

const assets = resolve(import.meta.dirname, "..", "..", "..", "assets", "scenes");

describe("the classes", () => {
  let sprites: SpriteSet;
  beforeAll(async () => {
    sprites = await loadSprites();
  });

  it("are at least 60 in at least 10 categories, each with its own sprite, and no sprite is left over", () => {
    expect(objectClasses.length).toBeGreaterThanOrEqual(60);
    expect(new Set(objectClasses.map((entry) => entry.category)).size).toBeGreaterThanOrEqual(10);
    const files = readdirSync(assets).filter((name) => name.endsWith(".webp"));
    expect(files.sort()).toEqual(objectClasses.map((entry) => `${entry.name.replaceAll(" ", "-")}.webp`).sort());
  });

  it("come with the licence of their pictures", () => {
    const notice = readFileSync(join(assets, "NOTICE.md"), "utf8");
    expect(notice).toContain("MIT License");
    expect(notice).toContain("Copyright (c) Microsoft Corporation");
    expect(notice).toContain(`${objectClasses.length} pictures`);
  });

  it("have names that no two of them share", () => {
    const names = objectClasses.flatMap((entry) => [entry.name, ...entry.synonyms.map(([singular]) => singular)]);
    expect(new Set(names).size).toBe(names.length);
    for (const entry of objectClasses) expect(nounsOfClass(entry.name)[0]?.classes).toEqual(new Set([entry.name]));
  });

  it("are spoken of by nouns whose words mean known classes only", () => {
    const known = new Set(objectClasses.map((entry) => entry.name));
    for (const noun of nouns) {
      for (const name of [...noun.classes, ...noun.doubtful]) expect(known, noun.name).toContain(name);
      for (const name of noun.doubtful) expect(noun.classes.has(name), `${noun.name}: ${name}`).toBe(false);
    }
  });

  it("never have a colour that is both true and in doubt", () => {
    for (const entry of objectClasses) {
      for (const look of entry.variants)
        expect(
          look.tints.filter((tint) => look.colours.includes(tint)),
          entry.name,
        ).toEqual([]);
    }
  });

  it("show each variant's colour on a good part of the sprite", () => {
    let seen = 0;
    for (const entry of objectClasses) {
      entry.variants.forEach((look, variant) => {
        if (look.repaint === undefined) return;
        const level = sprites.get(entry.name, variant).levels[0]!;
        let like = 0;
        let solid = 0;
        for (let at = 0; at < level.data.length; at += 4) {
          if (level.data[at + 3]! < 250) continue;
          solid++;
          if (isLike(level.data[at]!, level.data[at + 1]!, level.data[at + 2]!, look.repaint)) like++;
        }
        expect(like / solid, `${look.repaint} ${entry.name}`).toBeGreaterThan(0.14);
        seen++;
      });
    }
    expect(seen).toBeGreaterThan(80);
  });
});

/** Judged from the outside: by hue for colours, by brightness for black, gray and white. */
function isLike(red: number, green: number, blue: number, colour: keyof typeof pigments): boolean {
  const value = Math.max(red, green, blue);
  const spread = value - Math.min(red, green, blue);
  const chroma = value === 0 ? 0 : spread / value;
  if (colour === "white") return value > 200 && chroma < 0.15;
  if (colour === "black") return value < 95;
  if (colour === "gray") return value > 70 && value < 215 && chroma < 0.2;
  const sector =
    value === red
      ? ((green - blue) / spread + 6) % 6
      : value === green
        ? (blue - red) / spread + 2
        : (red - green) / spread + 4;
  const away = Math.abs(sector * 60 - pigments[colour].hue);
  return chroma > 0.15 && Math.min(away, 360 - away) < 16;
}
