import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectChance, expectEven } from "../../test/chances.ts";
import { type SyntheticFacts, syntheticFacts } from "../../test/synthetic-facts.ts";
import { CounterRandom, rleAreaInside } from "../kernels/index.ts";
import type { Layer, Plan } from "../model/index.ts";
import { parseSettings, type ResolvedSettings, resolveSettings } from "../settings/index.ts";
import { fitImage, movedCells } from "../styles/index.ts";
import { planSample } from "./index.ts";

const count = 100_000;
const S = 96;
type Groups = Record<string, unknown>;

function settingsOf(mosaic: Groups = {}, rest: Groups = {}): ResolvedSettings {
  const tree = {
    size: S,
    tokens: { kind: "none" },
    band: { tau: 0.8, tauImage: 0.9, k: 12 },
    gres: { tighten: 0 },
    ...rest,
    mosaic: { gamma: 1, ...mosaic },
  };
  return resolveSettings(parseSettings(tree, "test"), undefined);
}

function* plansOf(facts: SyntheticFacts, settings: ResolvedSettings, total = count): Generator<Plan> {
  const { length } = facts.units;
  for (let at = 0; at < total; at++) yield planSample(facts, settings, 5, Math.floor(at / length), at % length);
}

const refOf = (plan: Plan): number => Number(plan.expression.split("/")[1]);
const targets = (plan: Plan): Layer[] => plan.layers.filter(({ role }) => role === "target");
const targetCell = (plan: Plan): number => plan.layers.findIndex(({ role }) => role === "target");
const cut = (layer: Layer): { x: number; y: number; width: number; height: number } => {
  const [x, y, width, height] = layer.source;
  return { x, y, width, height };
};
const plain = syntheticFacts({ images: 24 });

/** As `expect(…).toBe(true)`, for loops of a million rounds. */
function must(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`not so: ${what}`);
}

describe("placement", () => {
  const texts = ["left man", "top right mug", "dog", "middle giraffe", "man left of the lamp", "third cow from left"];
  const wanted = [[0, 2], [1], [0, 1, 2, 3], [], [0, 1, 2, 3], []];
  const facts = syntheticFacts({ images: 24, textOf: (expression) => texts[(expression >> 1) % 6] ?? "" });

  it("keeps position words true: evenly over the cells that do, a single image where none does (100,000 plans)", () => {
    const cells = texts.map(() => [0, 0, 0, 0]);
    for (const plan of plansOf(facts, settingsOf({ placement: "position-aware" }))) {
      const kind = refOf(plan) % 6;
      if (wanted[kind]!.length === 0) {
        must(plan.kind === "single" && plan.why.policy === "placement" && plan.why.cells?.length === 0, "single");
        continue;
      }
      const cellsSaid = wanted[kind]!.length === 4 ? undefined : wanted[kind]!.join();
      must(plan.why.cells?.join() === cellsSaid, "the cells are said");
      cells[kind]![targetCell(plan)]!++;
    }
    cells.forEach((counts, kind) => {
      const allowed = wanted[kind]!;
      expect(counts.filter((_, cell) => !allowed.includes(cell)).every((each) => each === 0)).toBe(true);
      if (allowed.length > 1) expectEven(allowed.map((cell) => counts[cell]!));
    });
  });

  it("position-free: a single image for whatever binds cells, any cell for the rest", () => {
    const cells = texts.map(() => [0, 0, 0, 0]);
    for (const plan of plansOf(facts, settingsOf({ placement: "position-free" }), 20_000)) {
      const kind = refOf(plan) % 6;
      if (wanted[kind]!.length === 4) {
        must(plan.kind === "mined" && plan.why.cells === undefined, "a mosaic, no cells said");
        cells[kind]![targetCell(plan)]!++;
      } else must(plan.kind === "single" && plan.why.policy === "placement" && plan.why.cells?.length === 0, "single");
    }
    for (const kind of [2, 4]) expectEven(cells[kind]!);
  });

  it("finds the middle in 3×3, and counts words, not letters", () => {
    const middle = syntheticFacts({
      images: 24,
      textOf: (e) => (e < 4 ? "middle giraffe" : "bright yellow laptop, leftover"),
    });
    const cells = new Set<number>();
    for (const plan of plansOf(middle, settingsOf({ placement: "position-aware", grid: "3x3" }), 5000)) {
      if (refOf(plan) < 2) expect(targetCell(plan)).toBe(4);
      else cells.add(targetCell(plan));
    }
    expect(cells.size).toBe(9);
  });

  it("gives a no-target expression that binds cells a single image: moved, its image could make it true", () => {
    const none = syntheticFacts({ images: 24, targetsOf: () => 0, textOf: (e) => (e % 4 < 2 ? "left man" : "dog") });
    for (const plan of plansOf(none, settingsOf({ placement: "position-aware" }), 2000)) {
      expect(plan.kind).toBe(refOf(plan) % 2 === 0 ? "single" : "mined");
      expect(plan.layers.every(({ masks }) => masks.length === 0)).toBe(true);
    }
  });
});

describe("large targets and no targets", () => {
  it("gives a target above the share a single image, and others mosaics", () => {
    const facts = syntheticFacts({ images: 24, boxOf: (ref) => (ref % 2 === 0 ? [0, 0, 20, 30] : [0, 0, 19, 30]) });
    for (const plan of plansOf(facts, settingsOf({ largeTarget: 0.49 }), 5000)) {
      const isLarge = refOf(plan) % 2 === 0;
      expect([plan.kind, plan.why.policy]).toEqual(isLarge ? ["single", "large-target"] : ["mined", undefined]);
    }
  });

  it("leaves the expression's image out of the share asked for, tightened, the mask empty (100,000 plans)", () => {
    const settings = settingsOf({ randomShare: 0.5 }, { gres: { makeNoTarget: 0.3, tighten: 0.25 } });
    let made = 0;
    for (const plan of plansOf(plain, settings)) {
      const images = plan.layers.map(({ image }) => plain.imageOfKey(image));
      must(new Set(images).size === 4, "four images");
      if (plan.kind !== "no-target") {
        must(targets(plan).length === 1, "one target");
        continue;
      }
      made++;
      const expression = 2 * refOf(plan) + Number(plan.expression.at(-1));
      if (images.includes(refOf(plan)) || targets(plan).length > 0) throw new Error("the own image");
      for (const image of images) if (plain.t2i(expression, image) > 0.55) throw new Error("not tightened");
    }
    expectChance(made, count, 0.3);
  });

  it("tightens for several targets and for none, and leaves positive-aware rules off without a positive", () => {
    const facts = syntheticFacts({ images: 24, targetsOf: (ref) => ref % 3 });
    const settings = settingsOf({}, { gres: { tighten: 0.25 } });
    const highest = [0, 0, 0];
    for (const plan of plansOf(facts, settings, 20_000))
      for (const { t2i } of plan.why.negatives) highest[refOf(plan) % 3] = Math.max(highest[refOf(plan) % 3]!, t2i!);
    expect(highest[0]).toBeLessThanOrEqual(0.55);
    expect(highest[2]).toBeLessThanOrEqual(0.55);
    expect(highest[1]).toBeGreaterThan(0.7);
    const aware = settingsOf({}, { band: { tau: null, tauImage: null, k: 100, ratio: 0 }, tooFew: "single" });
    for (const plan of plansOf(facts, aware, 2000)) expect(plan.kind).toBe(refOf(plan) % 3 === 0 ? "mined" : "single");
  });

  it("draws the union of several targets as truth", () => {
    const facts = syntheticFacts({ images: 24, targetsOf: () => 3 });
    for (const plan of plansOf(facts, settingsOf(), 100)) expect(targets(plan)[0]!.masks).toHaveLength(3);
  });
});

describe("too few candidates", () => {
  it("ends in a whole mosaic or a single image under every policy and combination of options (property)", () => {
    const gridNames = ["2x2", "3x3", "mixed", "2x1", "8x8"];
    const facts = syntheticFacts({
      images: 20,
      targetsOf: (ref) => ref % 3,
      textOf: (e) => (e % 3 === 0 ? "left dog" : "cat"),
    });
    const shallow = syntheticFacts({ images: 20, depth: 6 });
    fc.assert(
      fc.property(
        fc.record({
          grid: fc.constantFrom(...gridNames),
          style: fc.constantFrom("nemo", "yolov4", "cutmix", "mixgen"),
          randomShare: fc.constantFrom(0, 0.5, 1),
          crossPoint: fc.constantFrom(0, 0.5, "free"),
          fit: fc.constantFrom("stretch", "cover", "contain"),
          placement: fc.constantFrom("uniform", "position-aware", "position-free"),
          largeTarget: fc.constantFrom(null, 0.05),
        }),
        fc.record({
          tau: fc.constantFrom(null, -1, 0.2, 0.6),
          k: fc.constantFrom(1, 3, 12),
          ratio: fc.constantFrom(null, 0.5),
          rankFrom: fc.constantFrom(0, 4),
        }),
        fc.constantFrom("uniform", "top", "temperature", "mmr"),
        fc.constantFrom("widen", "single", "random"),
        fc.constantFrom(0, 0.5),
        fc.boolean(),
        (mosaic, band, method, tooFew, makeNoTarget, isShallow) => {
          const gres = { tighten: 0.1, makeNoTarget: mosaic.style === "nemo" ? makeNoTarget : 0 };
          const settings = settingsOf(mosaic, { band: { tauImage: 0.9, ...band }, draw: { method }, tooFew, gres });
          const of = isShallow ? shallow : facts;
          for (const plan of plansOf(of, settings, 40)) {
            const { layers, why, kind } = plan;
            expect(why.negatives.length).toBe(
              layers.filter(({ role }) => role === "negative").length || (plan.style === "mixgen" ? 1 : 0),
            );
            if (kind === "single")
              expect([layers.length, why.policy !== undefined, why.wanted !== undefined]).toEqual([1, true, true]);
            else expect(new Set(layers.map(({ image }) => image)).size).toBe(layers.length);
            if (kind === "random" && why.wanted === "mined") expect(why.policy).toBe("random");
            for (const { source, destination, image } of layers) {
              const { width, height } = of.image(of.imageOfKey(image));
              const [x, y, w, h] = source;
              const [left, top, across, down] = destination;
              expect(w >= 1 && h >= 1 && x >= 0 && y >= 0 && x + w <= width && y + h <= height).toBe(true);
              expect(across >= 1 && down >= 1 && left + across <= S && top + down <= S).toBe(true);
            }
            // No draw of any kind takes what a truth rule drops.
            const expression = 2 * refOf(plan) + Number(plan.expression.at(-1));
            const tau = band.tau ?? 1;
            for (const { role, image } of layers)
              if (role === "negative") expect(of.t2i(expression, of.imageOfKey(image))).toBeLessThanOrEqual(tau);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("minds τᵢ and near-duplicates also for random images that mining cut off, by the neighbours", () => {
    const all = syntheticFacts({ images: 30 });
    const near = (image: number, kept: number) => {
      const ids = Array.from({ length: 30 }, (_, id) => id)
        .filter((id) => id !== image)
        .sort((a, b) => all.i2i(image, b) - all.i2i(image, a))
        .slice(0, kept);
      return { ids: Int32Array.from(ids), scores: Float32Array.from(ids, (id) => all.i2i(image, id)), truncated: true };
    };
    const highest = (kept: number | undefined): number => {
      const facts = syntheticFacts({
        images: 30,
        depth: 8,
        ...(kept === undefined ? {} : { neighbours: (image: number) => near(image, kept) }),
      });
      const settings = settingsOf({ randomShare: 1 }, { band: { tau: null, tauImage: 0.6, k: 12 } });
      let most = 0;
      for (const plan of plansOf(facts, settings, 3000))
        for (const { role, image } of plan.layers)
          if (role === "negative") most = Math.max(most, all.i2i(refOf(plan), facts.imageOfKey(image)));
      return most;
    };
    expect(highest(undefined)).toBeGreaterThan(0.9);
    expect(highest(25)).toBeLessThanOrEqual(0.6);
    expect(highest(3)).toBeLessThanOrEqual(0.6); // the third is still above τᵢ: listed ones only
  });
});

describe("geometry", () => {
  it("fits in whole pixels: cover keeps the cell's aspect and the target, contain the image's (property)", () => {
    const side = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(side, side, side, side, fc.nat(), fc.nat(), (width, height, w, h, a, b) => {
        const x = a % width;
        const y = b % height;
        const focus = [x, y, 1 + (b % (width - x)), 1 + (a % (height - y))] as const;
        const covered = fitImage("cover", width, height, [3, 5, w, h], focus);
        const [left, top, across, down] = covered.source;
        expect(covered.destination).toEqual([3, 5, w, h]);
        expect(left >= 0 && top >= 0 && left + across <= width && top + down <= height).toBe(true);
        expect(across === width || down === height).toBe(true);
        for (const [start, length, from, extent] of [
          [left, across, focus[0], focus[2]],
          [top, down, focus[1], focus[3]],
        ] as const) {
          if (extent <= length) expect(from >= start && from + extent <= start + length).toBe(true);
          else expect(start + 1 >= from && start + length - 1 <= from + extent).toBe(true);
        }
        const contained = fitImage("contain", width, height, [3, 5, w, h]);
        expect(contained.source).toEqual([0, 0, width, height]);
        const [cx, cy, cw, ch] = contained.destination;
        expect(cw === w || ch === h).toBe(true);
        expect(Math.abs(cx - 3 - (3 + w - cx - cw)) <= 1 && Math.abs(cy - 5 - (5 + h - cy - ch)) <= 1).toBe(true);
        const scale = Math.min(w / width, h / height);
        expect(Math.abs(cw - width * scale) < 1 && Math.abs(ch - height * scale) < 1).toBe(true);
      }),
    );
  });

  it("tiles exactly, each pixel once, wherever the lines move (property)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 32, max: 80 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom<number | "free">(0, 0.2, 0.5, "free"),
        fc.constantFrom(0.05, 0.5, 1),
        fc.nat(),
        (size, columns, rows, crossPoint, minCell, seed) => {
          const random = new CounterRandom(seed, 0, 0, 1);
          const cells = movedCells(size, columns, rows, crossPoint, minCell, random);
          const covered = new Uint8Array(size * size);
          const least = Math.floor(Math.min(size / columns, minCell * (size / columns)));
          for (const [x, y, width, height] of cells) {
            expect(width).toBeGreaterThanOrEqual(Math.max(1, least));
            for (let row = y; row < y + height; row++)
              for (let at = x; at < x + width; at++) covered[row * size + at]!++;
          }
          expect(cells).toHaveLength(columns * rows);
          expect(covered.every((each) => each === 1)).toBe(true);
        },
      ),
    );
  });

  it("blurs negatives only", () => {
    for (const plan of plansOf(plain, settingsOf({ blur: 12 }), 50))
      for (const { role, blur } of plan.layers) expect(blur).toBe(role === "negative" ? 12 : 0);
  });
});

describe("rivals", () => {
  it("yolov4: cross point evenly from a fifth to four fifths, four cut images, the target in sight (100,000 plans)", () => {
    const facts = syntheticFacts({ images: 24, boxOf: (ref) => [ref, ref % 12, 12, 9] });
    const settings = settingsOf({ style: "yolov4", randomShare: 1, minVisible: 0.9 });
    const xs = new Array<number>(57).fill(0);
    let whole = 0;
    let lost = 0;
    for (const plan of plansOf(facts, settings)) {
      if (plan.kind === "single") {
        expect(plan.why.policy).toBe("visibility");
        lost++;
        continue;
      }
      must(plan.style === "yolov4" && plan.layers.length === 4, "four layers");
      const target = targets(plan)[0]!;
      const mask = facts.targetMask(refOf(plan))!;
      const share = rleAreaInside(mask, cut(target)) / 108;
      must(share >= 0.9, "the target is in sight");
      if (share === 1) whole++;
      xs[plan.layers[0]!.destination[2] - 20]!++;
      for (const { source, destination } of plan.layers) {
        // As large as in the full-size picture: 40 × 30 pixels to 96 × 96.
        must(Math.abs(source[2] - (destination[2] * 40) / S) <= 1, "full size across");
        must(Math.abs(source[3] - (destination[3] * 30) / S) <= 1, "full size down");
      }
    }
    expect(lost).toBeLessThan(count / 100);
    expect(whole).toBeGreaterThan(count * 0.6);
    const free = new Array<number>(57).fill(0);
    for (const plan of plansOf(plain, settingsOf({ style: "yolov4", randomShare: 1, minVisible: 0 }), 30_000))
      free[plan.layers[0]!.destination[2] - 20]!++;
    expectEven(free);
    expect(xs.every((each) => each > 0)).toBe(true);
  });

  it("cutmix: a patch of another image at its own place, areas as λ says, the target in sight (100,000 plans)", () => {
    const settings = settingsOf({ style: "cutmix", randomShare: 1, minVisible: 0 });
    const full = { x: 0, y: 0, width: 0, height: 0 };
    let above = 0;
    for (const plan of plansOf(plain, settings)) {
      const [whole, patch] = plan.layers;
      must(whole!.role === "target" && patch!.role === "negative" && plan.style === "cutmix", "roles");
      const [x, y, w, h] = patch!.destination;
      // Uncut patches are squares of side S·√(1 - λ).
      if (x > 0 && y > 0 && x + w < S && y + h < S) must(w === h, "a square");
      if (w * h > (S * S) / 4) above++;
      full.width = Math.max(full.width, w);
    }
    // By the paper's own program: λ uniform, centre uniform, cut at the edges.
    let expected = 0;
    const steps = 60;
    for (let a = 0; a < steps; a++)
      for (let b = 0; b < steps; b++)
        for (let c = 0; c < steps; c++) {
          const side = Math.sqrt((a + 0.5) / steps);
          const span = (centre: number): number => Math.min(1, centre + side / 2) - Math.max(0, centre - side / 2);
          if (span((b + 0.5) / steps) * span((c + 0.5) / steps) > 0.25) expected++;
        }
    expect(Math.abs(above / count - expected / steps ** 3)).toBeLessThan(0.02);
    for (const plan of plansOf(plain, settingsOf({ style: "cutmix", randomShare: 1, minVisible: 0.6 }), 20_000)) {
      if (plan.kind === "single") continue;
      const [x, y, w, h] = plan.layers[1]!.destination;
      const part = { x: Math.round((x * 40) / S), y: Math.round((y * 30) / S), width: 0, height: 0 };
      part.width = Math.max(1, Math.round(((x + w) * 40) / S) - part.x);
      part.height = Math.max(1, Math.round(((y + h) * 30) / S) - part.y);
      if (part.x + part.width > 40 || part.y + part.height > 30) continue;
      expect(1 - rleAreaInside(plain.targetMask(refOf(plan))!, part) / 108).toBeGreaterThanOrEqual(0.6 - 1e-9);
    }
  });

  it("mixgen: half and half, both masks, both texts, the partner with its own sentence (100,000 plans)", () => {
    const facts = syntheticFacts({ images: 24, refsPerImage: (image) => 1 + (image % 2) });
    const partners = new Map<string, number>();
    let own = 0;
    for (const plan of plansOf(
      facts,
      settingsOf({ style: "mixgen", randomShare: 1 }, { band: { tau: null, tauImage: null } }),
    )) {
      const [first, second] = plan.layers as [Layer, Layer];
      must(first.alpha === 1 && second.alpha === 0.5 && second.role === "target", "half and half");
      must(plan.kind === "random", "random");
      const [, ref, sentence] = plan.why.partner!.split("/");
      must(second.masks.join() === `s/${ref}-0`, "the partner's mask");
      const expression = 2 * refOf(plan) + Number(plan.expression.at(-1));
      must(plan.text === `thing ${expression} thing ${2 * Number(ref) + Number(sentence)}`, "both texts");
      if (first.image === second.image) own++;
      if (plan.index === 0) partners.set(second.image, (partners.get(second.image) ?? 0) + 1);
    }
    expect(own).toBe(0);
    expectEven([...partners.values()]);
    expect(partners.size).toBe(23);
  });
});
