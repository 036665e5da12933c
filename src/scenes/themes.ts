import type { SurroundingPlace } from "./object-class.ts";

/** A red, green and blue of 0 … 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The colours of one backdrop, from the top of the picture to its lower edge. */
export interface Palette {
  readonly skyTop: Rgb;
  readonly skyLow: Rgb;
  /** What stands at the horizon: hills, houses, the sea, a skirting board. */
  readonly far: Rgb;
  readonly groundFar: Rgb;
  readonly groundNear: Rgb;
}

/** Names of the themes. */
export type ThemeName = "meadow" | "beach" | "street" | "table" | "room" | "studio";

/** A kind of surroundings. */
export interface Theme {
  /** Which classes stand there; undefined for all. */
  readonly place: SurroundingPlace | undefined;
  readonly weight: number;
  /** Range of the horizon, pixels from the top. */
  readonly horizon: readonly [from: number, to: number];
  readonly palettes: readonly Palette[];
}

const palette = (skyTop: Rgb, skyLow: Rgb, far: Rgb, groundFar: Rgb, groundNear: Rgb): Palette => ({
  skyTop,
  skyLow,
  far,
  groundFar,
  groundNear,
});

/** The themes by name. */
export const themes: Readonly<Record<ThemeName, Theme>> = {
  meadow: {
    place: "wild",
    weight: 5,
    horizon: [150, 205],
    palettes: [
      palette([126, 187, 235], [219, 238, 246], [133, 178, 150], [160, 203, 116], [104, 165, 78]),
      palette([247, 191, 150], [253, 231, 205], [150, 160, 158], [183, 196, 118], [128, 156, 78]),
      palette([151, 198, 226], [236, 240, 238], [120, 162, 172], [193, 208, 138], [150, 178, 92]),
      palette([170, 182, 226], [240, 228, 240], [142, 156, 190], [150, 196, 150], [94, 152, 110]),
    ],
  },
  beach: {
    place: "beach",
    weight: 2,
    horizon: [150, 190],
    palettes: [
      palette([116, 188, 236], [214, 239, 248], [72, 164, 196], [240, 222, 180], [226, 196, 142]),
      palette([252, 190, 150], [255, 230, 202], [122, 158, 190], [240, 214, 178], [216, 182, 142]),
      palette([150, 206, 226], [230, 244, 244], [96, 186, 180], [246, 234, 204], [232, 210, 168]),
    ],
  },
  street: {
    place: "street",
    weight: 4,
    horizon: [155, 200],
    palettes: [
      palette([156, 200, 234], [230, 240, 246], [178, 188, 206], [176, 178, 184], [138, 141, 150]),
      palette([248, 204, 172], [252, 234, 218], [200, 172, 168], [186, 176, 174], [146, 138, 140]),
      palette([184, 196, 226], [238, 234, 244], [166, 172, 204], [192, 188, 182], [156, 152, 148]),
    ],
  },
  table: {
    place: "table",
    weight: 6,
    horizon: [140, 185],
    palettes: [
      palette([226, 232, 228], [242, 244, 238], [168, 118, 80], [206, 158, 112], [178, 126, 82]),
      palette([180, 206, 212], [218, 230, 230], [178, 140, 104], [222, 188, 148], [196, 154, 112]),
      palette([240, 222, 206], [250, 240, 228], [112, 84, 70], [150, 114, 92], [116, 84, 66]),
      palette([206, 216, 196], [234, 238, 224], [190, 186, 178], [232, 229, 222], [206, 202, 194]),
      palette([206, 200, 226], [234, 230, 242], [150, 132, 128], [198, 178, 168], [166, 144, 136]),
    ],
  },
  room: {
    place: "room",
    weight: 5,
    horizon: [165, 215],
    palettes: [
      palette([232, 222, 206], [244, 238, 226], [250, 248, 244], [204, 166, 126], [168, 126, 88]),
      palette([190, 210, 218], [220, 232, 234], [246, 248, 248], [196, 176, 154], [158, 136, 114]),
      palette([212, 222, 204], [234, 238, 226], [250, 250, 246], [186, 152, 124], [146, 112, 86]),
      palette([236, 214, 210], [246, 232, 228], [252, 248, 246], [214, 196, 180], [180, 158, 142]),
    ],
  },
  studio: {
    place: undefined,
    weight: 2,
    horizon: [150, 190],
    palettes: [
      palette([198, 222, 236], [226, 238, 244], [226, 238, 244], [216, 230, 238], [186, 206, 220]),
      palette([246, 222, 204], [252, 238, 226], [252, 238, 226], [246, 228, 212], [228, 202, 182]),
      palette([214, 228, 208], [234, 242, 228], [234, 242, 228], [224, 234, 214], [194, 212, 184]),
      palette([222, 212, 236], [240, 234, 246], [240, 234, 246], [230, 222, 240], [202, 192, 220]),
    ],
  },
};

/** The themes' names in a fixed order. */
export const themeNames: readonly ThemeName[] = ["meadow", "beach", "street", "table", "room", "studio"];
