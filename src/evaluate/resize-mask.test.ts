import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { rleToString } from "../kernels/index.ts";
import { drawn } from "./made-samples.contract.ts";
import { pillowPositions, resizeMask } from "./resize-mask.ts";

const script = `
import sys, json
import numpy as np
from PIL import Image
out = []
for source, target in json.load(sys.stdin):
    row = np.arange(source, dtype=np.int32)[None]
    out.append(np.array(Image.fromarray(row, mode="I").resize((target, 1), Image.NEAREST))[0].tolist())
print(json.dumps(out))
`;

describe("resizeMask", () => {
  it.skipIf(!pythonHas("numpy", "PIL"))(
    "takes the pixels that Pillow takes, for every source of 1 to 700 at 480 and more",
    () => {
      const pairs = Array.from({ length: 700 }, (_, i) => [i + 1, 480]).concat([
        [640, 512],
        [640, 448],
        [427, 384],
        [480, 640],
        [333, 1000],
        [3, 7],
        [1, 5],
      ]);
      const expected = JSON.parse(runPython(script, [], JSON.stringify(pairs))) as number[][];
      expect(pairs.map(([source, target]) => [...pillowPositions(source!, target!)])).toEqual(expected);
    },
  );

  it("gives the mask itself at its own size", () => {
    const mask = drawn("#.", "..");
    expect(resizeMask(mask, 2, 2)).toBe(mask);
  });

  it("stretches rows and columns on their own", () => {
    expect(rleToString(resizeMask(drawn("#.", ".#"), 4, 2))).toBe(rleToString(drawn("#.", "#.", ".#", ".#")));
  });
});
