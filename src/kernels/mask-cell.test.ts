import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonHas, runPythonBytes } from "../../test/peers.ts";
import { maskCell } from "./mask-cell.ts";
import { CounterRandom } from "./random.ts";
import { resizeNearest } from "./resize.ts";
import { rleFromCounts, rleFromMask, rleToMask } from "./rle.ts";
import { rleFromPolygon } from "./rle-polygon.ts";

/** A mask, a part of it, and a cell. */
const cells = fc
  .record({ height: fc.integer({ min: 1, max: 30 }), width: fc.integer({ min: 1, max: 30 }) })
  .chain(({ height, width }) =>
    fc.record({
      height: fc.constant(height),
      width: fc.constant(width),
      mask: fc
        .array(fc.integer({ min: 0, max: 1 }), { minLength: height * width, maxLength: height * width })
        .map((values) => Uint8Array.from(values)),
      part: fc.tuple(fc.nat(width - 1), fc.nat(height - 1)).chain(([x, y]) =>
        fc.record({
          x: fc.constant(x),
          y: fc.constant(y),
          width: fc.integer({ min: 1, max: width - x }),
          height: fc.integer({ min: 1, max: height - y }),
        }),
      ),
      cellWidth: fc.integer({ min: 1, max: 70 }),
      cellHeight: fc.integer({ min: 1, max: 70 }),
    }),
  );

describe("maskCell", () => {
  it("equals cropping the full mask and resizing it by nearest neighbour", () => {
    fc.assert(
      fc.property(cells, ({ height, width, mask, part, cellWidth, cellHeight }) => {
        const ours = new Uint8Array(cellWidth * cellHeight);
        maskCell(rleFromMask(mask, height, width), part, { width: cellWidth, height: cellHeight, data: ours });
        expect(ours).toEqual(
          resizeNearest({ data: mask, width, height, channels: 1, part }, { width: cellWidth, height: cellHeight }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("draws a window of the stretched part as if it were cut out of it", () => {
    const windows = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000));
    fc.assert(
      fc.property(cells, windows, ({ height, width, mask, part, cellWidth, cellHeight }, [a, b, c, d]) => {
        const [x, y] = [a % cellWidth, b % cellHeight];
        const window = { x, y, width: 1 + (c % (cellWidth - x)), height: 1 + (d % (cellHeight - y)) };
        const rle = rleFromMask(mask, height, width);
        const whole = new Uint8Array(cellWidth * cellHeight);
        maskCell(rle, part, { width: cellWidth, height: cellHeight, data: whole });
        const ours = new Uint8Array(window.width * window.height);
        maskCell(rle, part, { width: cellWidth, height: cellHeight, data: ours, stride: window.width }, window);
        const expected = ours.map((_, at) => {
          const column = at % window.width;
          return whole[(y + (at - column) / window.width) * cellWidth + x + column]!;
        });
        expect(ours).toEqual(expected);
      }),
      { numRuns: 300 },
    );
    const rle = rleFromCounts([0, 4], 2, 2);
    expect(() =>
      maskCell(
        rle,
        { x: 0, y: 0, width: 2, height: 2 },
        { width: 4, height: 4, data: new Uint8Array(16) },
        { x: 3, y: 0, width: 2, height: 1 },
      ),
    ).toThrow(RangeError);
  });

  it("passes over runs of length 0", () => {
    const rle = rleFromCounts([0, 0, 3, 0, 1, 2, 0, 1, 5, 0], 4, 3);
    const ours = new Uint8Array(12);
    maskCell(rle, { x: 0, y: 0, width: 3, height: 4 }, { width: 3, height: 4, data: ours });
    expect(ours).toEqual(rleToMask(rle));
  });

  it("keeps what is already drawn and stays inside its cell", () => {
    const out = new Uint8Array(7 * 6);
    out[7 + 2] = 1;
    const rle = rleFromPolygon([0, 0, 5, 0, 5, 4], 4, 5);
    maskCell(rle, { x: 0, y: 0, width: 5, height: 4 }, { width: 5, height: 4, data: out, stride: 7, offset: 7 + 1 });
    const expected = new Uint8Array(7 * 6);
    const mask = rleToMask(rle);
    for (let y = 0; y < 4; y++) expected.set(mask.subarray(5 * y, 5 * y + 5), 7 * (1 + y) + 1);
    expected[7 + 2] = 1;
    expect(out).toEqual(expected);
  });

  it("refuses a part outside the mask and a cell outside the target", () => {
    const rle = rleFromCounts([12], 4, 3);
    const whole = { x: 0, y: 0, width: 3, height: 4 };
    const target = { width: 4, height: 4, data: new Uint8Array(16) };
    maskCell(rle, whole, target);
    expect(() => maskCell(rle, { ...whole, x: 1 }, target)).toThrow(RangeError);
    expect(() => maskCell(rle, whole, { ...target, offset: 1 })).toThrow(RangeError);
    expect(() => maskCell(rle, whole, { ...target, stride: 3 })).toThrow(RangeError);
    expect(() => maskCell(rle, whole, { ...target, width: 0 })).toThrow(RangeError);
  });

  it.skipIf(!pythonHas("cv2", "numpy"))("equals OpenCV's INTER_NEAREST for masks of COCO's sizes", () => {
    const random = new CounterRandom(3, 0, 0, 4);
    const jobs = Array.from({ length: 300 }, (_, i) => {
      const w = 20 + random.below(620);
      const h = 20 + random.below(460);
      const x = i % 2 === 0 ? 0 : random.below(w);
      const y = i % 2 === 0 ? 0 : random.below(h);
      const part =
        i % 2 === 0
          ? { x, y, width: w, height: h }
          : { x, y, width: 1 + random.below(w - x), height: 1 + random.below(h - y) };
      const size = [208, 139, 138, 416, 1, 1 + random.below(500)][i % 6]!;
      const xy = Array.from({ length: 16 }, (_, j) => random.float() * (j % 2 === 0 ? w : h));
      return { w, h, part, dw: size, dh: i % 5 === 0 ? 1 + random.below(500) : size, rle: rleFromPolygon(xy, h, w) };
    });
    const script = `
import sys, json, numpy as np, cv2
data = sys.stdin.buffer.read(); at = 0
for j in json.loads(sys.argv[1]):
    a = np.frombuffer(data, np.uint8, j["w"] * j["h"], at).reshape(j["h"], j["w"]); at += a.size
    p = j["part"]
    a = np.ascontiguousarray(a[p["y"]:p["y"] + p["height"], p["x"]:p["x"] + p["width"]])
    sys.stdout.buffer.write(cv2.resize(a, (j["dw"], j["dh"]), interpolation=cv2.INTER_NEAREST).tobytes())
`;
    const described = JSON.stringify(jobs.map(({ rle: _, ...job }) => job));
    const theirs = runPythonBytes(script, [described], Buffer.concat(jobs.map(({ rle }) => rleToMask(rle))));
    let at = 0;
    let set = 0;
    for (const { rle, part, dw, dh } of jobs) {
      const ours = new Uint8Array(dw * dh);
      maskCell(rle, part, { width: dw, height: dh, data: ours });
      expect(Buffer.compare(ours, theirs.subarray(at, at + ours.length)), JSON.stringify({ part, dw, dh })).toBe(0);
      at += ours.length;
      set += ours.reduce((sum, v) => sum + v, 0);
    }
    expect(at).toBe(theirs.length);
    expect(set).toBeGreaterThan(100_000);
  });
});
