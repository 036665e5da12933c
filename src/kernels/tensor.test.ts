import { expect, it } from "vitest";
import { pythonHas, runPythonBytes } from "../../test/peers.ts";
import { CounterRandom } from "./random.ts";
import { toFloat32Chw } from "./tensor.ts";

const mean = [0.48145466, 0.4578275, 0.40821073] as const;
const std = [0.26862954, 0.26130258, 0.27577711] as const;

function noise(length: number): Uint8Array {
  const random = new CounterRandom(11, 0, 0, 0);
  return Uint8Array.from({ length }, () => random.below(256));
}

it("toFloat32Chw moves channels first and normalises each by its own mean and std", () => {
  const tensor = toFloat32Chw(Uint8Array.of(0, 51, 255, 102, 153, 204), 1, 2, [0, 0.2, 0.5], [1, 0.5, 0.25]);
  const expected = [0, 0.4, 0, 0.8, 2, 1.2];
  expect(tensor.length).toBe(6);
  for (const [i, value] of expected.entries()) expect(tensor[i]).toBeCloseTo(value, 6);
});

it.skipIf(!pythonHas("torch", "numpy"))("toFloat32Chw equals PyTorch's float32 steps bit for bit", () => {
  const image = noise(37 * 29 * 3);
  const script = `
import sys, json, numpy as np, torch
mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in json.loads(sys.argv[1]))
image = torch.from_numpy(np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(37, 29, 3).transpose(2, 0, 1).copy()).float()
sys.stdout.buffer.write(image.div_(255.).sub_(mean).div_(std).numpy().tobytes())
`;
  const theirs = runPythonBytes(script, [JSON.stringify([mean, std])], image);
  const ours = toFloat32Chw(image, 37, 29, mean, std);
  expect(theirs.length).toBe(ours.byteLength);
  expect(ours).toEqual(new Float32Array(new Uint8Array(theirs).buffer));
});

it("toFloat32Chw writes into a buffer given, and refuses sizes that do not fit", () => {
  const image = noise(4 * 3 * 3);
  const out = new Float32Array(40).fill(5);
  expect(toFloat32Chw(image, 4, 3, mean, std, out)).toBe(out);
  expect(out.subarray(0, 36)).toEqual(toFloat32Chw(image, 4, 3, mean, std));
  expect([...out.subarray(36)]).toEqual([5, 5, 5, 5]);
  expect(() => toFloat32Chw(image, 4, 4, mean, std)).toThrow(RangeError);
  expect(() => toFloat32Chw(image, 4, 3, mean, std, new Float32Array(35))).toThrow(RangeError);
  expect(() => toFloat32Chw(image, 4, 3, mean, [1, 0, 1])).toThrow(RangeError);
});
