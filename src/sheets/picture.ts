import { encodeJpeg } from "../codecs/index.ts";
import { type PixelRectangle, resizeNearest, resizeTriangle } from "../kernels/index.ts";

/** RGB pixels, uint8 [height, width, 3], with an optional mask of 0 and 1, uint8 [height, width]. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly mask?: Uint8Array;
}

/** The colour of truth in all our pictures. */
export const maskColour: readonly [number, number, number] = [255, 46, 136];

/** A picture scaled to a height, aspect kept (its mask by nearest neighbour). */
export function scaleToHeight(picture: Picture, height: number): Picture {
  const width = Math.max(1, Math.round((picture.width * height) / picture.height));
  return resamplePart(picture, { x: 0, y: 0, width: picture.width, height: picture.height }, width, height);
}

/** A picture that fills width × height, aspect kept, what sticks out cut off evenly. */
export function fillCell(picture: Picture, width: number, height: number): Picture {
  const scale = Math.max(width / picture.width, height / picture.height);
  const part = {
    width: Math.min(picture.width, Math.round(width / scale)),
    height: Math.min(picture.height, Math.round(height / scale)),
  };
  const x = Math.floor((picture.width - part.width) / 2);
  const y = Math.floor((picture.height - part.height) / 2);
  return resamplePart(picture, { x, y, ...part }, Math.round(width), Math.round(height));
}

function resamplePart(picture: Picture, part: PixelRectangle, width: number, height: number): Picture {
  const data = resizeTriangle({ ...picture, part }, { width, height });
  if (picture.mask === undefined) return { width, height, data };
  const mask = { data: picture.mask, width: picture.width, height: picture.height, channels: 1, part };
  return { width, height, data, mask: resizeNearest(mask, { width, height }) };
}

/** A copy with the mask tinted (by `tint`, 0 to 1) and outlined, `thickness` pixels wide, with a white rim so that it shows on anything. */
export function withMask(picture: Picture, tint: number, thickness: number): Picture {
  const { width, height, mask } = picture;
  if (mask === undefined) return picture;
  const data = picture.data.slice();
  const edge = distanceToEdge(mask, width, height, thickness + 1);
  for (let at = 0; at < width * height; at++) {
    const distance = edge[at]!;
    if (distance > 0 && distance <= thickness) paint(data, at, maskColour, 1);
    else if (distance > thickness && distance <= thickness + 1) paint(data, at, [255, 255, 255], 0.85);
    else if (mask[at] === 1) paint(data, at, maskColour, tint);
  }
  return { ...picture, data };
}

/** A copy without colour, washed out: what a rule has dropped. */
export function greyOut(picture: Picture): Picture {
  const data = new Uint8Array(picture.data.length);
  for (let at = 0; at < data.length; at += 3) {
    const grey = 0.299 * picture.data[at]! + 0.587 * picture.data[at + 1]! + 0.114 * picture.data[at + 2]!;
    data.fill(Math.round(110 + grey * 0.5), at, at + 3);
  }
  return { ...picture, data };
}

/** The picture as a JPEG data URI. */
export async function dataUri(picture: Picture, quality = 88): Promise<string> {
  const { width, height, data } = picture;
  const bytes = await encodeJpeg({ width, height, channels: 3, data }, quality, { chroma: "4:4:4" });
  return `data:image/jpeg;base64,${Buffer.from(bytes).toString("base64")}`;
}

/** For pixels outside the mask: steps (8-neighbourhood) to the mask, up to `limit`; 0 inside and farther away. */
function distanceToEdge(mask: Uint8Array, width: number, height: number, limit: number): Uint8Array {
  const distance = new Uint8Array(mask.length);
  let front: number[] = [];
  for (let at = 0; at < mask.length; at++) if (mask[at] === 1) front.push(at);
  for (let step = 1; step <= limit; step++) {
    const next: number[] = [];
    for (const at of front) {
      const x = at % width;
      const y = (at - x) / width;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue;
          const neighbour = at + dy * width + dx;
          if (mask[neighbour] === 1 || distance[neighbour] !== 0) continue;
          distance[neighbour] = step;
          next.push(neighbour);
        }
      }
    }
    front = next;
  }
  return distance;
}

function paint(data: Uint8Array, at: number, colour: readonly [number, number, number], share: number): void {
  for (let channel = 0; channel < 3; channel++) {
    const index = at * 3 + channel;
    data[index] = Math.round(data[index]! * (1 - share) + colour[channel as 0 | 1 | 2] * share);
  }
}
