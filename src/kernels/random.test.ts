import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../test/peers.ts";
import { CounterRandom, epochOrder, philox4x32 } from "./random.ts";

const seeds = fc.oneof(fc.nat(1000), fc.maxSafeNat());
const words = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 0xfffffffe }));
const coordinates = fc.tuple(seeds, words, words, words);

/** Philox4x32-10, CounterRandom's words and epochOrder in NumPy, written from the comments of random.ts alone. */
const numpyPeer = `
import sys, json, numpy as np
M = np.uint64(0xFFFFFFFF)
def philox(c, k):
    c = [np.asarray(x, np.uint64) for x in c]; k = [np.uint64(x) for x in k]
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c[0]; p1 = np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ k[0], p1 & M, (p0 >> np.uint64(32)) ^ c[3] ^ k[1], p0 & M]
        k = [(k[0] + np.uint64(0x9E3779B9)) & M, (k[1] + np.uint64(0xBB67AE85)) & M]
    return c
def order(seed, epoch, n):
    i = np.arange(n, dtype=np.uint64); z = np.zeros(n, np.uint64)
    w = philox([i, z + M, z, z + np.uint64(epoch)], [seed & 0xFFFFFFFF, seed >> 32])
    keys = ((w[0] >> np.uint64(6)) << np.uint64(26)) | (w[1] >> np.uint64(6))
    return np.argsort(keys, kind="stable")
def words(seed, epoch, index, stream, count):
    b = np.arange((count + 3) // 4, dtype=np.uint64); z = np.zeros_like(b)
    w = philox([b, z + np.uint64(stream), z + np.uint64(index), z + np.uint64(epoch)], [seed & 0xFFFFFFFF, seed >> 32])
    return np.stack(w, 1).ravel()[:count]
job = json.load(sys.stdin)
print(json.dumps({
    "orders": [order(*o).tolist() for o in job["orders"]],
    "words": [words(*w, 37).tolist() for w in job["words"]],
}))
`;

describe("philox4x32", () => {
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [Array(4).fill(0xffffffff), Array(2).fill(0xffffffff), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("gives the known answer of Random123 for %j", (counter: number[], key: number[], answer) => {
    const out = new Uint32Array(4);
    const [block, stream, index, epoch] = counter as [number, number, number, number];
    philox4x32(block, stream, index, epoch, { low: key[0]!, high: key[1]! }, out);
    expect([...out]).toEqual(answer);
  });
});

describe("CounterRandom", () => {
  it("gives the same numbers for the same coordinates, and others for any other", () => {
    fc.assert(
      fc.property(coordinates, fc.nat(3), ([seed, epoch, index, stream], changed) => {
        const draw = (...at: [number, number, number, number]) => {
          const random = new CounterRandom(...at);
          return Array.from({ length: 9 }, () => random.uint32());
        };
        const at: [number, number, number, number] = [seed, epoch, index, stream];
        expect(draw(...at)).toEqual(draw(...at));
        at[changed] = at[changed]! > 0 ? at[changed]! - 1 : 1;
        expect(draw(...at)).not.toEqual(draw(seed, epoch, index, stream));
      }),
    );
  });

  it("tells seeds apart that differ in their upper words", () => {
    const first = (seed: number) => new CounterRandom(seed, 0, 0, 0).uint32();
    expect(new Set([1, 1 + 2 ** 32, 1 + 2 ** 52, 2 ** 53 - 1].map(first)).size).toBe(4);
  });

  it("float is in [0, 1), of 53 bits and evenly spread", () => {
    const random = new CounterRandom(1, 2, 3, 4);
    const bins = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const value = random.float();
      if (!(value >= 0 && value < 1) || !Number.isInteger(value * 2 ** 53)) throw new Error(String(value));
      bins[Math.floor(value * 10)]!++;
    }
    expect(Math.min(...bins)).toBeGreaterThan(9500);
    expect(Math.max(...bins)).toBeLessThan(10_500);
  });

  it("below gives every integer alike, and reaches beyond 32 bits", () => {
    const random = new CounterRandom(5, 0, 0, 0);
    const bins = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) bins[random.below(7)]!++;
    expect(Math.min(...bins)).toBeGreaterThan(9600);
    expect(Math.max(...bins)).toBeLessThan(10_400);
    // With n = 3 · 2^30 plain remainders of 32 bits would make the lowest third twice as likely.
    let lowest = 0;
    for (let i = 0; i < 30_000; i++) lowest += Number(random.below(3 * 2 ** 30) < 2 ** 30);
    expect(Math.abs(lowest - 10_000)).toBeLessThan(400);
    const large = Array.from({ length: 100 }, () => random.below(2 ** 53 - 1));
    expect(large.every(Number.isSafeInteger) && Math.max(...large) > 2 ** 52).toBe(true);
    expect(random.below(1)).toBe(0);
  });

  it("sample gives the first k of a shuffle, distinct, with memory for k only", () => {
    fc.assert(
      fc.property(coordinates, fc.nat(60), fc.nat(60), (at, a, b) => {
        const [k, n] = [Math.min(a, b), Math.max(a, b)];
        const sample = new CounterRandom(...at).sample(n, k);
        const shuffled = new CounterRandom(...at).shuffle(Array.from({ length: n }, (_, i) => i));
        expect(sample).toEqual(shuffled.slice(0, k));
        expect(new Set(shuffled).size).toBe(n);
      }),
    );
    expect(new Set(new CounterRandom(0, 0, 0, 0).sample(2 ** 50, 5)).size).toBe(5);
  });

  it("sample gives every ordered pair alike", () => {
    const random = new CounterRandom(8, 0, 0, 0);
    const seen = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const pair = random.sample(4, 2).join();
      seen.set(pair, (seen.get(pair) ?? 0) + 1);
    }
    expect(seen.size).toBe(12);
    expect(Math.min(...seen.values())).toBeGreaterThan(1800);
    expect(Math.max(...seen.values())).toBeLessThan(2200);
  });

  it("weighted draws in proportion and never a weight of 0", () => {
    const random = new CounterRandom(9, 0, 0, 0);
    const bins = [0, 0, 0, 0, 0];
    for (let i = 0; i < 60_000; i++) bins[random.weighted([0, 1, 0, 2, 0])]!++;
    expect(bins[0]! + bins[2]! + bins[4]!).toBe(0);
    expect(Math.abs(bins[1]! - 20_000)).toBeLessThan(500);
  });

  it("normal has the moments of the standard normal distribution", () => {
    const random = new CounterRandom(10, 0, 0, 0);
    const values = Array.from({ length: 50_000 }, () => random.normal());
    const moment = (power: number) => values.reduce((sum, v) => sum + v ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
  });

  it.each([
    ["a negative seed", () => new CounterRandom(-1, 0, 0, 0)],
    ["a seed of 2^53", () => new CounterRandom(2 ** 53, 0, 0, 0)],
    ["a fraction as seed", () => new CounterRandom(0.5, 0, 0, 0)],
    ["an epoch of 2^32", () => new CounterRandom(0, 2 ** 32, 0, 0)],
    ["a negative index", () => new CounterRandom(0, 0, -1, 0)],
    ["the stream of epochOrder", () => new CounterRandom(0, 0, 0, 0xffffffff)],
    ["below(0)", () => new CounterRandom(0, 0, 0, 0).below(0)],
    ["below(2^53)", () => new CounterRandom(0, 0, 0, 0).below(2 ** 53)],
    ["a pick from nothing", () => new CounterRandom(0, 0, 0, 0).pick([])],
    ["a sample of more than there are", () => new CounterRandom(0, 0, 0, 0).sample(3, 4)],
    ["a negative weight", () => new CounterRandom(0, 0, 0, 0).weighted([1, -1])],
    ["a weight of NaN", () => new CounterRandom(0, 0, 0, 0).weighted([1, Number.NaN])],
    ["weights of 0", () => new CounterRandom(0, 0, 0, 0).weighted([0, 0])],
    ["no weights", () => new CounterRandom(0, 0, 0, 0).weighted([])],
  ])("refuses %s", (_, act) => {
    expect(act).toThrow(RangeError);
  });
});

describe("epochOrder", () => {
  it("is a permutation that changes with seed and epoch", () => {
    fc.assert(
      fc.property(seeds, words, fc.nat(300), (seed, epoch, n) => {
        const order = epochOrder(seed, epoch, n);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(epochOrder(seed, epoch, n)).toEqual(order);
        if (n > 20) expect(epochOrder(seed, epoch + 1, n)).not.toEqual(order);
      }),
    );
  });

  it.skipIf(!pythonHas("numpy"))(
    "equals NumPy's stable sort of keys made as documented, as do CounterRandom's words",
    () => {
      const orders: [number, number, number][] = [
        [0, 0, 1],
        [0, 0, 1000],
        [2 ** 53 - 1, 2 ** 32 - 1, 777],
        [12345678901, 3, 150_000],
      ];
      const at: [number, number, number, number][] = [
        [0, 0, 0, 0],
        [2 ** 53 - 1, 5, 2 ** 32 - 1, 7],
        [98765432109, 1, 2, 2 ** 32 - 2],
      ];
      const peer = JSON.parse(runPython(numpyPeer, [], JSON.stringify({ orders, words: at })));
      expect(orders.map((order) => [...epochOrder(...order)])).toEqual(peer.orders);
      const draws = at.map((coordinate) => {
        const random = new CounterRandom(...coordinate);
        return Array.from({ length: 37 }, () => random.uint32());
      });
      expect(draws).toEqual(peer.words);
    },
  );
});
