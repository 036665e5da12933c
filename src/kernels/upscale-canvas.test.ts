import { describe, expect, it } from "vitest";
import { pythonHas, runPythonBytes } from "../../test/peers.ts";
import { CounterRandom, upscaleCubic, upscaleMask } from "./index.ts";

const border = [123, 117, 104] as const;
const script = `
import sys, cv2, numpy as np
source, target = map(int, sys.argv[1:])
data = np.frombuffer(sys.stdin.buffer.read(), np.uint8)
image = data[:source * source * 3].reshape(source, source, 3)
mask = data[source * source * 3:].reshape(source, source)
scale = target / source
corners = lambda side: np.array([[0, 0], [side, 0], [0, side]], np.float32)
matrix = cv2.getAffineTransform(corners(source), corners(source * scale))
size = (target, target)
colour = [0.48145466 * 255, 0.4578275 * 255, 0.40821073 * 255]
out = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderValue=colour)
truth = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR, borderValue=0.0)
sys.stdout.buffer.write(out.tobytes() + truth.tobytes())
`;

function noise(from: number, seed: number): { image: Uint8Array; mask: Uint8Array } {
  const random = new CounterRandom(seed, from, 0, 1);
  return {
    image: Uint8Array.from({ length: from * from * 3 }, () => [0, 255, random.below(256)][random.below(3)]!),
    mask: Uint8Array.from({ length: from * from }, () => random.below(2)),
  };
}

describe("upscaleCubic and upscaleMask", () => {
  it.skipIf(!pythonHas("cv2"))("equal OpenCV's warpAffine bit for bit", () => {
    for (const [from, to] of [
      [414, 416],
      [414, 415],
      [510, 512],
      [95, 96],
      [96, 97],
      [320, 320],
      [7, 32],
      [2, 33],
    ] as const) {
      const { image, mask } = noise(from, to);
      const theirs = runPythonBytes(script, [String(from), String(to)], Buffer.concat([image, mask]));
      const ours = new Uint8Array(to * to * 4);
      upscaleCubic(image, from, to, border, ours, 0);
      upscaleMask(mask, from, to, ours, to * to * 3);
      expect(Buffer.compare(theirs, ours), `${from} to ${to}`).toBe(0);
    }
  });

  it("leaves a canvas of the sample's size as it is, and shifts towards the far corner else", () => {
    const { image, mask } = noise(12, 1);
    const same = new Uint8Array(12 * 12 * 3);
    upscaleCubic(image, 12, 12, border, same, 0);
    expect(same).toEqual(image);
    const out = new Uint8Array(24 * 24);
    upscaleMask(mask, 12, 24, out, 0);
    for (let at = 0; at < 144; at++) expect(out[Math.floor(at / 12) * 48 + (at % 12) * 2]).toBe(mask[at]);
  });

  it("refuse rooms that are too small", () => {
    expect(() => upscaleMask(new Uint8Array(3), 2, 4, new Uint8Array(16), 0)).toThrow(RangeError);
    expect(() => upscaleCubic(new Uint8Array(12), 2, 4, border, new Uint8Array(47), 0)).toThrow(RangeError);
  });
});
