import { CounterRandom } from "../../kernels/index.ts";
import { type Backdrop, sceneHeight, sceneWidth } from "../scene.ts";
import { type Palette, type Rgb, type ThemeName, themes } from "../themes.ts";

const tileSide = 256;
const fog = tileOf([8, 16, 32], 11);
const grain = tileOf([64, 128, 256], 12);

/**
 * Paints what is behind the objects over all of `canvas`: `3 * sceneWidth * sceneHeight` numbers R G B of 0 … 255, not
 * rounded, row by row.
 */
export function paintBackdrop(canvas: Float32Array, backdrop: Backdrop): void {
  const theme = themes[backdrop.theme];
  const palette = theme.palettes[backdrop.palette % theme.palettes.length] ?? theme.palettes[0]!;
  if (backdrop.theme === "studio") paintStudio(canvas, backdrop, palette);
  else {
    paintAbove(canvas, backdrop, palette);
    paintGround(canvas, backdrop, palette);
    paintFar(canvas, backdrop, palette);
  }
  paintLight(canvas, backdrop);
}

/** A sheet of paper that bends from wall to floor: no horizon at all. */
function paintStudio(canvas: Float32Array, backdrop: Backdrop, palette: Palette): void {
  for (let y = 0, at = 0; y < sceneHeight; y++) {
    const wall = smooth(Math.min(1, y / (backdrop.horizon + 30)));
    const floor = smooth(Math.max(0, (y - backdrop.horizon + 30) / (sceneHeight - backdrop.horizon + 30)));
    const colour = [0, 1, 2].map((c) =>
      mix(mix(palette.skyTop[c] ?? 0, palette.skyLow[c] ?? 0, wall), palette.groundNear[c] ?? 0, floor),
    );
    for (let x = 0; x < sceneWidth; x++) for (let c = 0; c < 3; c++) canvas[at++] = colour[c] ?? 0;
  }
}

/** Sky with soft clouds, or a wall with a soft glow. */
function paintAbove(canvas: Float32Array, backdrop: Backdrop, palette: Palette): void {
  const isSky = backdrop.theme === "meadow" || backdrop.theme === "beach" || backdrop.theme === "street";
  const shift = backdrop.texture & 255;
  const bottom = backdrop.horizon + 24;
  for (let y = 0; y < bottom; y++) {
    const down = Math.min(1, y / backdrop.horizon);
    const [red, green, blue] = between(palette.skyTop, palette.skyLow, isSky ? down ** 0.9 : down);
    for (let x = 0; x < sceneWidth; x++) {
      const cloud = isSky
        ? Math.max(0, tileAt(fog, x * 0.28 + shift, y * 0.75 + 40) - 0.53) * 2.6 * (1 - 0.5 * down)
        : (tileAt(fog, x * 0.1 + shift, y * 0.1) - 0.5) * 0.1;
      const at = (y * sceneWidth + x) * 3;
      const share = Math.min(0.75, cloud);
      canvas[at] = mix(red, 255, share);
      canvas[at + 1] = mix(green, 255, share);
      canvas[at + 2] = mix(blue, 255, share);
    }
  }
}

/** The ground, its texture drawn in perspective. */
function paintGround(canvas: Float32Array, backdrop: Backdrop, palette: Palette): void {
  const { horizon, theme, texture } = backdrop;
  const shift = (texture >> 8) & 255;
  for (let y = horizon; y < sceneHeight; y++) {
    const depth = (y - horizon) / (sceneHeight - horizon);
    const scale = 90 / (y - horizon + 26);
    const v = reach[theme] / (y - horizon + 26);
    const [red, green, blue] = between(palette.groundFar, palette.groundNear, depth ** 0.8);
    for (let x = 0; x < sceneWidth; x++) {
      const u = (x - sceneWidth / 2) * scale;
      const shade = 1 + groundShade(theme, u, v, shift, depth);
      const at = (y * sceneWidth + x) * 3;
      canvas[at] = red * shade;
      canvas[at + 1] = green * shade;
      canvas[at + 2] = blue * shade;
    }
  }
}

/** How fast the texture runs towards the horizon: boards are long, grass and sand look alike in all directions. */
const reach: Readonly<Record<ThemeName, number>> = {
  meadow: 15000,
  beach: 15000,
  street: 15000,
  table: 5200,
  room: 5200,
  studio: 0,
};

/** How much lighter or darker the ground is at a place on it. */
function groundShade(theme: ThemeName, u: number, v: number, shift: number, depth: number): number {
  // Fine grain would flicker far away, where a pixel covers much ground.
  const near = Math.min(1, 0.25 + depth);
  switch (theme) {
    case "meadow":
      return (
        (tileAt(fog, u * 0.55 + shift, v * 0.9) - 0.5) * 0.24 +
        (tileAt(grain, u * 2.2 + shift, v * 1.3) - 0.5) * 0.26 * near
      );
    case "beach":
      return (
        (tileAt(fog, u * 0.4 + shift, v * 1.4) - 0.5) * 0.1 + (tileAt(grain, u * 3 + shift, v * 3) - 0.5) * 0.1 * near
      );
    case "street":
      return (
        (tileAt(fog, u * 0.5 + shift, v * 0.5) - 0.5) * 0.08 + (tileAt(grain, u * 3.4, v * 3.4) - 0.5) * 0.09 * near
      );
    case "table":
      return planks(u, v, 46, 0.1, shift, near);
    case "room":
      return planks(u, v, 24, 0.12, shift, near);
    case "studio":
      return 0;
  }
}

/** Boards that run towards the horizon: each of its own shade, with a fine seam. */
function planks(u: number, v: number, width: number, strength: number, shift: number, near: number): number {
  const board = Math.floor(u / width + 1000.3);
  const inside = u / width + 1000.3 - board;
  const own = (tileAt(grain, board * 37.7 + shift, board * 11.3) - 0.5) * strength;
  const fibre = (tileAt(fog, u * 3.2 + board * 71, v * 0.32 + shift) - 0.5) * strength * 0.9;
  const fine = (tileAt(grain, u * 5 + board * 31, v * 0.4) - 0.5) * strength * 0.5 * near;
  const edge = Math.min(inside, 1 - inside) * width;
  const seam = edge < 0.7 ? -0.16 * (1 - edge / 0.7) * near : 0;
  return own + fibre + fine + seam;
}

/** What stands at the horizon. */
function paintFar(canvas: Float32Array, backdrop: Backdrop, palette: Palette): void {
  const { horizon, theme, texture } = backdrop;
  const shift = texture & 255;
  if (theme === "meadow") {
    ridge(canvas, horizon, { height: 46, rough: 0.16, shift, colour: palette.far, towards: palette.skyLow, haze: 0.5 });
    ridge(canvas, horizon, {
      height: 24,
      rough: 0.3,
      shift: shift + 97,
      colour: palette.far,
      towards: palette.groundFar,
      haze: 0.35,
    });
  } else if (theme === "beach") {
    for (let y = horizon - 44; y < horizon + 6; y++) {
      const t = (y - horizon + 44) / 50;
      for (let x = 0; x < sceneWidth; x++) {
        const shore = horizon + 3 + 4 * (tileAt(fog, x * 0.35 + shift, 9) - 0.5);
        if (y > shore) continue;
        const glint = (tileAt(grain, x * 0.5 + shift, y * 5) - 0.5) * 0.12;
        const foam = Math.max(0, 1 - (shore - y) / 4);
        put(canvas, x, y, { from: palette.far, to: [215, 240, 240], t: Math.min(1, 0.35 * t + foam), tone: 1 + glint });
      }
    }
  } else if (theme === "street") {
    houses(canvas, backdrop, palette);
  } else if (theme === "table" || theme === "room") {
    const height = theme === "room" ? 15 : 5;
    for (let y = horizon - height; y < horizon; y++) {
      const isEdge = y === horizon - height;
      for (let x = 0; x < sceneWidth; x++)
        put(canvas, x, y, {
          from: palette.far,
          to: palette.far,
          t: 0,
          tone: isEdge ? 0.9 : 1 - 0.05 * ((y - horizon + height) / height),
        });
    }
    shadeBand(canvas, horizon, 26, 0.16);
  }
}

interface Ridge {
  readonly height: number;
  readonly rough: number;
  readonly shift: number;
  readonly colour: Rgb;
  readonly towards: Rgb;
  readonly haze: number;
}

/** A line of hills, softened into the sky. */
function ridge(canvas: Float32Array, horizon: number, hills: Ridge): void {
  const { height, rough, shift, colour, towards, haze } = hills;
  for (let x = 0; x < sceneWidth; x++) {
    const top = horizon - height * (0.15 + 1.25 * tileAt(fog, x * rough + shift, 50 + shift));
    for (let y = Math.max(0, Math.floor(top)); y < horizon; y++) {
      const edge = Math.min(1, y + 1 - top);
      const down = (y - top) / (horizon - top + 1);
      put(canvas, x, y, { from: colour, to: towards, t: haze + (1 - haze) * 0.7 * down, share: edge });
    }
  }
}

/** Pale fronts of houses, and a kerb. */
function houses(canvas: Float32Array, backdrop: Backdrop, palette: Palette): void {
  const random = new CounterRandom(backdrop.texture, 0, 0, 7);
  for (let left = -random.below(60); left < sceneWidth; ) {
    const width = 46 + random.below(70);
    const height = 44 + random.below(74);
    const tone = 0.93 + 0.14 * random.float();
    const pale = 0.3 + 0.3 * random.float();
    const step = 16 + random.below(8);
    for (let y = backdrop.horizon - height; y < backdrop.horizon; y++) {
      if (y < 0) continue;
      for (let x = Math.max(0, left); x < Math.min(sceneWidth, left + width); x++) {
        const column = (x - left - 6) % step;
        const row = (y - backdrop.horizon + height - 8) % 20;
        const isWindow =
          column >= 3 &&
          column < step - 5 &&
          row >= 3 &&
          row < 13 &&
          y < backdrop.horizon - 14 &&
          x - left < width - 8 &&
          x - left > 6;
        const t = isWindow ? Math.min(1, pale + 0.38) : pale;
        put(canvas, x, y, { from: palette.far, to: palette.skyLow, t, tone });
      }
    }
    left += width;
  }
  for (let y = backdrop.horizon; y < backdrop.horizon + 12; y++) {
    const tone = y < backdrop.horizon + 9 ? 1.13 : 0.9;
    for (let x = 0; x < sceneWidth; x++)
      put(canvas, x, y, { from: palette.groundFar, to: palette.skyLow, t: 0.2, tone });
  }
}

/** Darkens the ground where it meets the wall. */
function shadeBand(canvas: Float32Array, from: number, height: number, strength: number): void {
  for (let y = from; y < from + height; y++) {
    const factor = 1 - strength * (1 - (y - from) / height) ** 2;
    for (let at = y * sceneWidth * 3; at < (y + 1) * sceneWidth * 3; at++) canvas[at] = (canvas[at] ?? 0) * factor;
  }
}

/** A little more light from one side, a little less in the corners. */
function paintLight(canvas: Float32Array, backdrop: Backdrop): void {
  for (let y = 0; y < sceneHeight; y++) {
    const dy = y / sceneHeight - 0.5;
    for (let x = 0; x < sceneWidth; x++) {
      const dx = x / sceneWidth - 0.5;
      const factor = 1.02 + 0.07 * backdrop.light * dx - 0.16 * (dx * dx + dy * dy);
      const at = (y * sceneWidth + x) * 3;
      canvas[at] = (canvas[at] ?? 0) * factor;
      canvas[at + 1] = (canvas[at + 1] ?? 0) * factor;
      canvas[at + 2] = (canvas[at + 2] ?? 0) * factor;
    }
  }
}

/** A colour `t` of the way from one to another, as light as `tone` says; it covers `share` of its pixel. */
interface Paint {
  readonly from: Rgb;
  readonly to: Rgb;
  readonly t: number;
  readonly tone?: number;
  readonly share?: number;
}

function put(canvas: Float32Array, x: number, y: number, { from, to, t, tone = 1, share = 1 }: Paint): void {
  const at = (y * sceneWidth + x) * 3;
  for (let c = 0; c < 3; c++) {
    const colour = mix(from[c] ?? 0, to[c] ?? 0, t) * tone;
    canvas[at + c] = mix(canvas[at + c] ?? 0, colour, share);
  }
}

function between(from: Rgb, to: Rgb, t: number): Rgb {
  return [mix(from[0], to[0], t), mix(from[1], to[1], t), mix(from[2], to[2], t)];
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** Smooth noise of 0 … 1 that repeats every `tileSide`, a sum over lattices of so many cells a side. */
function tileOf(cells: readonly number[], seed: number): Float32Array {
  const tile = new Float32Array(tileSide * tileSide);
  let sum = 0;
  cells.forEach((count, octave) => {
    const random = new CounterRandom(seed, 0, octave, 0);
    const lattice = Float32Array.from({ length: count * count }, () => random.float());
    const weight = 0.55 ** octave;
    sum += weight;
    for (let y = 0; y < tileSide; y++) {
      const v = (y * count) / tileSide;
      const y0 = Math.floor(v);
      const fy = smooth(v - y0);
      for (let x = 0; x < tileSide; x++) {
        const u = (x * count) / tileSide;
        const x0 = Math.floor(u);
        const fx = smooth(u - x0);
        const value = (row: number, column: number): number => lattice[(row % count) * count + (column % count)] ?? 0;
        const above = mix(value(y0, x0), value(y0, x0 + 1), fx);
        const below = mix(value(y0 + 1, x0), value(y0 + 1, x0 + 1), fx);
        tile[y * tileSide + x] = (tile[y * tileSide + x] ?? 0) + weight * mix(above, below, fy);
      }
    }
  });
  return tile.map((value) => value / sum);
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

/** The tile at (u, v), repeated in all directions, between its points by the line between them. */
function tileAt(tile: Float32Array, u: number, v: number): number {
  const x0 = Math.floor(u);
  const y0 = Math.floor(v);
  const fx = u - x0;
  const fy = v - y0;
  const left = x0 & (tileSide - 1);
  const right = (x0 + 1) & (tileSide - 1);
  const upper = (y0 & (tileSide - 1)) * tileSide;
  const lower = ((y0 + 1) & (tileSide - 1)) * tileSide;
  const above = (tile[upper + left] ?? 0) * (1 - fx) + (tile[upper + right] ?? 0) * fx;
  const below = (tile[lower + left] ?? 0) * (1 - fx) + (tile[lower + right] ?? 0) * fx;
  return above * (1 - fy) + below * fy;
}
