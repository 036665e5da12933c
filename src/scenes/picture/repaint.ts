import { type Colour, pigments } from "../colours.ts";
import type { RepaintBand } from "../object-class.ts";

/**
 * Paints the pixels of `band` in another colour and keeps their shading: returns new pixels, 3 bytes each, as `rgb`.
 * Pixels near the band's border are mixed, so that no seam shows.
 */
export function repaintSprite(rgb: Uint8Array, band: RepaintBand, colour: Colour): Uint8Array {
  const pigment = pigments[colour];
  const [lackOfRed, lackOfGreen, lackOfBlue] = lacksOf(pigment.hue);
  const out = rgb.slice();
  for (let at = 0; at + 2 < rgb.length; at += 3) {
    const red = (rgb[at] ?? 0) / 255;
    const green = (rgb[at + 1] ?? 0) / 255;
    const blue = (rgb[at + 2] ?? 0) / 255;
    const value = Math.max(red, green, blue);
    const spread = value - Math.min(red, green, blue);
    const chroma = value === 0 ? 0 : spread / value;
    const hue = hueOf(red, green, blue, value, spread);
    const share = band.kind === "hues" ? hueShare(band, hue, chroma) : greyShare(band, chroma, value);
    if (share === 0) continue;
    // Greys carry their shading in the value alone; colours in the chroma as well (a highlight is pale).
    const paleness = band.kind === "hues" ? Math.max(0, 1 - chroma / 0.9) : Math.max(0, (value - 0.93) * 6);
    const newChroma = pigment.chroma * (1 - 0.75 * Math.min(1, paleness));
    const newValue = Math.min(
      1,
      pigment.value * Math.min(1, value * band.gain) ** pigment.lift + 0.25 * paleness * (1 - pigment.value),
    );
    const strength = newValue * newChroma;
    out[at] = Math.round(255 * ((newValue - strength * lackOfRed) * share + red * (1 - share)));
    out[at + 1] = Math.round(255 * ((newValue - strength * lackOfGreen) * share + green * (1 - share)));
    out[at + 2] = Math.round(255 * ((newValue - strength * lackOfBlue) * share + blue * (1 - share)));
  }
  return out;
}

function hueShare(band: { from: number; to: number; minChroma: number }, hue: number, chroma: number): number {
  const width = (band.to - band.from + 360) % 360;
  const inside = (hue - band.from + 360) % 360;
  const outside = inside <= width ? 0 : Math.min(inside - width, 360 - inside);
  const byHue = Math.max(0, 1 - outside / 8);
  const byChroma = Math.min(1, Math.max(0, (chroma - band.minChroma + 0.08) / 0.08));
  return byHue * byChroma;
}

function greyShare(band: { minValue: number }, chroma: number, value: number): number {
  const byChroma = Math.min(1, Math.max(0, (0.27 - chroma) / 0.06));
  const byValue = Math.min(1, Math.max(0, (value - band.minValue) / 0.1));
  return byChroma * byValue;
}

function hueOf(red: number, green: number, blue: number, value: number, spread: number): number {
  if (spread === 0) return 0;
  const sector =
    value === red
      ? ((green - blue) / spread + 6) % 6
      : value === green
        ? (blue - red) / spread + 2
        : (red - green) / spread + 4;
  return sector * 60;
}

/** How much red, green and blue a pure hue lacks, 0 … 1 (from HSV to RGB). */
function lacksOf(hue: number): [red: number, green: number, blue: number] {
  const lack = (offset: number): number => {
    const k = (offset + hue / 60) % 6;
    return Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [lack(5), lack(3), lack(1)];
}
