import { describe, expect, it } from "vitest";
import { type SyntheticFacts, syntheticFacts } from "../../test/synthetic-facts.ts";
import type { Layer, Plan } from "../model/index.ts";
import { parseSettings, type ResolvedSettings, resolveSettings } from "../settings/index.ts";
import { styles } from "../styles/index.ts";
import { planSample } from "./index.ts";

const S = 120;
const [width, height] = [40, 30];
const texts = [
  "brown dog",
  "left dog",
  "dog near the cat",
  "second dog from left",
  "bigger dog",
  "dog on the top shelf",
];
/** Pictures with a dog as target, and another dog and a cat elsewhere; every third has no dog but its target. */
const facts = syntheticFacts({
  images: 30,
  textOf: (expression) => texts[(expression >> 1) % texts.length] ?? "",
  boxOf: (ref) => [4 + (ref % 9), 6 + (ref % 7), 8 + (ref % 5), 7 + (ref % 4)],
  categoryOf: () => "dog",
  othersOf: (image) => [
    { category: "cat", box: [20 + (image % 3), 2, 9, 8] },
    ...(image % 3 === 0 ? [] : [{ category: "dog", box: [24, 18, 16, 12 - (image % 2)] as const }]),
  ],
});

function settingsOf(mosaic: object): ResolvedSettings {
  const tree = { size: S, tokens: { kind: "none" }, band: { tau: 0.9, tauImage: null, k: 20 }, gres: { tighten: 0 } };
  return resolveSettings(parseSettings({ ...tree, mosaic: { gamma: 1, ...mosaic } }, "test"), undefined);
}

function plansOf(settings: ResolvedSettings, count: number): Plan[] {
  const { length } = facts.units;
  return Array.from({ length: count }, (_, at) => planSample(facts, settings, 3, Math.floor(at / length), at % length));
}

const refOf = (plan: Plan): number => Number(plan.expression.split("/")[1]);

/** Which layer shows at each pixel and where the target is visible, by painting boxes: a second opinion on truth. */
function painted(of: SyntheticFacts, plan: Plan): { visible: number; whole: number } {
  const boxOf = (layer: Layer, key: string): readonly number[] =>
    of.objectsOfImage(of.imageOfKey(layer.image)).find((object) => object.key === key)?.box ?? [0, 0, 0, 0];
  const inside = ([x = 0, y = 0, w = 0, h = 0]: readonly number[], px: number, py: number): boolean =>
    px >= x && px < x + w && py >= y && py < y + h;
  let visible = 0;
  for (let y = 0; y < S; y++)
    for (let x = 0; x < S; x++) {
      let isTarget = false;
      for (const layer of plan.layers) {
        const [left, top, across, down] = layer.destination;
        if (!inside(layer.destination, x, y)) continue;
        const [sx, sy, sw, sh] = layer.source;
        const px = sx + Math.floor(((x - left) * sw) / across);
        const py = sy + Math.floor(((y - top) * sh) / down);
        if (layer.clip !== undefined && !layer.clip.some((key) => inside(boxOf(layer, key), px, py))) continue;
        const isHere = layer.masks.some((key) => inside(boxOf(layer, key), px, py));
        isTarget = isHere || (isTarget && layer.alpha < 1);
      }
      if (isTarget) visible++;
    }
  const [, , w, h] = of.objectsOfImage(refOf(plan)).find(({ key }) => key === `s/${refOf(plan)}-0`)?.box ?? [
    0, 0, 0, 0,
  ];
  return { visible, whole: (w * h * S * S) / (width * height) };
}

describe("every style of the registry", () => {
  it.each(styles.map(({ name }) => name))(
    "gives plans by random access, in bounds, with no negative's mask: %s",
    (style) => {
      for (const randomShare of [0, 1]) {
        const settings = settingsOf({ style, randomShare });
        const plans = plansOf(settings, 600);
        const again = [...plans].reverse().map(({ epoch, index }) => planSample(facts, settings, 3, epoch, index));
        expect(again.reverse()).toEqual(plans);
        expect(plans.filter(({ kind }) => kind !== "single").length).toBeGreaterThan(100);
        for (const { layers, kind, version, style: named, why } of plans) {
          expect(named).toBe(kind === "single" || style === "nemo" ? undefined : style);
          const [hasClip, hasWindow] = [layers.some(({ clip }) => clip), layers.some(({ window }) => window)];
          expect(version).toBe(hasWindow ? 3 : hasClip ? 2 : 1);
          expect(why.negatives.length).toBeLessThanOrEqual(styleNegatives(style));
          for (const { role, masks, source, destination, window } of layers) {
            if (window !== undefined) {
              expect(window.of).toEqual([S, S]);
              expect(Math.min(...window.at)).toBeGreaterThanOrEqual(0);
              expect(window.at[0] + destination[2] <= S && window.at[1] + destination[3] <= S).toBe(true);
            }
            if (role === "negative") expect(masks).toEqual([]);
            expect(source[0] + source[2] <= width && source[1] + source[3] <= height).toBe(true);
            expect(destination[0] + destination[2] <= S && destination[1] + destination[3] <= S).toBe(true);
            expect(Math.min(...source, ...destination)).toBeGreaterThanOrEqual(0);
            expect(Math.min(source[2], source[3], destination[2], destination[3])).toBeGreaterThan(0);
          }
        }
      }
    },
  );

  it.each(["full-size", "paste", "cutmix", "yolov4"])("leaves minVisible of the target in sight: %s", (style) => {
    for (const minVisible of [0.5, 0.9]) {
      let seen = 0;
      for (const plan of plansOf(settingsOf({ style, minVisible }), 150)) {
        if (plan.kind === "single") continue;
        const { visible, whole } = painted(facts, plan);
        // Whole pixels of cells and sources: a border of the target at most.
        expect(visible / whole).toBeGreaterThan(minVisible - 0.12);
        seen++;
      }
      expect(seen).toBeGreaterThan(20);
    }
  });
});

function styleNegatives(name: string): number {
  return styles.find((style) => style.name === name)?.mostNegatives({ grid: "2x2" }, false) ?? 0;
}

describe("full-size", () => {
  const plans = plansOf(settingsOf({ style: "full-size" }), 1500);

  it("keeps the scale of the single image, tiles the sample, and never cuts the landmark that a sentence names", () => {
    let near = 0;
    for (const { layers, kind, text } of plans) {
      if (kind === "single") continue;
      expect(layers.reduce((sum, { destination: [, , w, h] }) => sum + w * h, 0)).toBe(S * S);
      for (const { source, destination } of layers) {
        expect(Math.abs(source[2] - (destination[2] * width) / S)).toBeLessThanOrEqual(1);
        expect(Math.abs(source[3] - (destination[3] * height) / S)).toBeLessThanOrEqual(1);
      }
      if (text !== "dog near the cat") continue;
      near++;
      const target = layers.find(({ role }) => role === "target");
      const cat = facts
        .objectsOfImage(facts.imageOfKey(target?.image ?? ""))
        .find(({ category }) => category === "cat");
      const [x = 0, y = 0, w = 0, h = 0] = target?.source ?? [];
      const [bx = 0, by = 0, bw = 0, bh = 0] = cat?.box ?? [];
      expect(bx >= x && by >= y && bx + bw <= x + w && by + bh <= y + h).toBe(true);
    }
    expect(near).toBeGreaterThan(100);
  });

  it("gives the single image where the sentence compares or counts, and the cell that its words name elsewhere", () => {
    for (const { layers, kind, text, why } of plans) {
      if (text === "bigger dog" || text === "second dog from left")
        expect([kind, why.policy]).toEqual(["single", "placement"]);
      if (text === "left dog" && kind !== "single")
        expect(layers.findIndex(({ role }) => role === "target") % 2).toBe(0);
    }
  });

  it("shows an object of the target's kind in the other cells, whole where the cell can hold it", () => {
    const holds = (layer: Layer, [x, y, w, h]: readonly [number, number, number, number]): boolean =>
      x < layer.source[0] + layer.source[2] &&
      x + w > layer.source[0] &&
      y < layer.source[1] + layer.source[3] &&
      y + h > layer.source[1];
    for (const { layers } of plans)
      for (const layer of layers) {
        if (layer.role === "target") continue;
        const objects = facts.objectsOfImage(facts.imageOfKey(layer.image));
        expect(objects.some(({ category, box }) => category === "dog" && holds(layer, box))).toBe(true);
      }
  });
});

describe("paste", () => {
  const plans = plansOf(settingsOf({ style: "paste" }), 1500);

  it("cuts objects of the target's kind out of other images, in its size, by their own masks alone", () => {
    const counts = new Set<number>();
    for (const { layers, kind, why } of plans) {
      if (kind === "single") continue;
      const [target, ...pasted] = layers;
      counts.add(pasted.length);
      expect(target?.destination).toEqual([0, 0, S, S]);
      expect(why.negatives).toHaveLength(pasted.length);
      for (const { image, clip, source } of pasted) {
        const object = facts.objectsOfImage(facts.imageOfKey(image)).find(({ key }) => key === clip?.[0]);
        expect([clip?.length, object?.category, object?.box]).toEqual([1, "dog", source]);
        expect(image).not.toBe(target?.image);
      }
    }
    expect(counts).toEqual(new Set([1, 2, 3]));
  });

  it("keeps the sentence true: beyond the target on the side away from the place named, nothing where it compares or relates", () => {
    let placed = 0;
    for (const plan of plans) {
      const { layers, kind, text, why } = plan;
      if (text === "bigger dog" || text === "dog near the cat")
        expect([kind, why.policy]).toEqual(["single", "placement"]);
      if (kind === "single" || (text !== "left dog" && text !== "second dog from left")) continue;
      const box = facts.objectsOfImage(refOf(plan)).find(({ key }) => key === `s/${refOf(plan)}-0`)?.box;
      const right = (((box?.[0] ?? 0) + (box?.[2] ?? 0)) * S) / width;
      for (const {
        destination: [x, , w],
      } of layers.slice(1)) {
        expect(x + w / 2).toBeGreaterThan(right);
        placed++;
      }
    }
    expect(placed).toBeGreaterThan(100);
  });

  it("keeps what an edge cut off at that edge, and hangs nothing from the upper edge", () => {
    for (const { layers } of plans)
      for (const { source, destination, clip } of layers) {
        if (clip === undefined) continue;
        if (source[0] + source[2] >= width - 1) expect(destination[0] + destination[2]).toBe(S);
        if (source[1] + source[3] >= height - 1) expect(destination[1] + destination[3]).toBe(S);
        expect(source[1]).toBeGreaterThan(1);
      }
  });

  it("gives the single image where no image drawn shows the kind, or there is no target or several", () => {
    const policies = (targets: number, category: string): Set<string | undefined> => {
      const bare = syntheticFacts({
        images: 12,
        targetsOf: () => targets,
        categoryOf: (ref) => (ref === 0 ? category : "cow"),
      });
      const settings = settingsOf({ style: "paste" });
      return new Set(Array.from({ length: 40 }, (_, epoch) => planSample(bare, settings, 1, epoch, 0).why.policy));
    };
    expect([policies(1, "zebra"), policies(0, "cow"), policies(2, "cow"), policies(1, "")]).toEqual(
      Array.from({ length: 4 }, () => new Set(["no-object"])),
    );
  });
});
