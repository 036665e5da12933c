import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sampleDir } from "../../test/peers.ts";
import { decodeImage } from "../codecs/index.ts";
import { resizeLinear } from "../kernels/index.ts";
import { defaultEncoding, type ImageEncoding } from "./index.ts";
import { encodePixels } from "./sample.ts";

const sample = sampleDir();
const size = 208; // a cell of a mosaic, stretched as a mosaic's cells are

interface Loss {
  readonly meanError: number;
  readonly psnr: number;
  readonly bytes: number;
}

async function lossOf(encoding: ImageEncoding, photos: readonly Uint8Array[]): Promise<Loss> {
  let [error, psnr, bytes] = [0, 0, 0];
  for (const data of photos) {
    const encoded = await encodePixels({ width: 2 * size, height: 2 * size, data }, encoding);
    const back = (await decodeImage(encoded.bytes)).data;
    let [sum, squares] = [0, 0];
    data.forEach((value, at) => {
      const difference = Math.abs(value - back[at]!);
      sum += difference;
      squares += difference * difference;
    });
    error += sum / data.length;
    psnr += 10 * Math.log10(255 ** 2 / Math.max(squares / data.length, 1e-9));
    bytes += encoded.bytes.length;
  }
  return { meanError: error / photos.length, psnr: psnr / photos.length, bytes: bytes / photos.length };
}

/** Mosaics of four photographs each. */
async function mosaics(count: number): Promise<Uint8Array[]> {
  const folder = join(sample!, "images");
  const names = (await readdir(folder)).sort();
  const made: Uint8Array[] = [];
  for (let at = 0; at < count; at++) {
    const out = new Uint8Array(4 * size * size * 3);
    for (let cell = 0; cell < 4; cell++) {
      const image = await decodeImage(await readFile(join(folder, names[(4 * at + cell) % names.length]!)));
      const offset = (Math.floor(cell / 2) * size * 2 * size + (cell % 2) * size) * 3;
      resizeLinear(image, { width: size, height: size, data: out, stride: 2 * size * 3, offset });
    }
    made.push(out);
  }
  return made;
}

describe("the loss of exported JPEGs", () => {
  it.skipIf(sample === undefined)("is at the default what docs/export.md says", async () => {
    const photos = await mosaics(Number(process.env.NEMOSAIC_LOSS_MOSAICS ?? 12));
    const named: readonly (readonly [string, ImageEncoding])[] = [
      ["default", defaultEncoding],
      ...([75, 85, 90, 95, 98] as const).flatMap((quality) =>
        (["4:2:0", "4:4:4"] as const).map(
          (chroma) => [`${quality} ${chroma}`, { kind: "jpeg", quality, chroma }] as const,
        ),
      ),
      ["PNG", { kind: "png" }],
    ];
    const losses = new Map<string, Loss>();
    for (const [name, encoding] of named) losses.set(name, await lossOf(encoding, photos));
    for (const [name, { meanError, psnr, bytes }] of losses) {
      console.info(
        `${name.padEnd(9)} mean error ${meanError.toFixed(2)}  PSNR ${psnr.toFixed(1)} dB  ${Math.round(bytes / 1000)} kB`,
      );
    }
    const standard = losses.get("default")!;
    expect(standard.meanError).toBeLessThan(2.6);
    expect(standard.psnr).toBeGreaterThan(38);
    expect(losses.get("PNG")?.meanError).toBe(0);
    expect(losses.get("75 4:2:0")!.psnr).toBeLessThan(standard.psnr);
  });
});
