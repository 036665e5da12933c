import { beforeAll, describe, expect, it } from "vitest";
import { pythonHas, runPython } from "../../../test/peers.ts";
import { canonicalJson } from "../../io/index.ts";
import { rleArea, rleFromString, rleToMask } from "../../kernels/index.ts";
import { type ExpressionKind, expressionKinds } from "../grammar/logic.ts";
import { parseExpression } from "../grammar/parse.ts";
import { isMinimal } from "../meaning/candidates.ts";
import { holds, judge, mayHold } from "../meaning/judge.ts";
import { stampOf } from "../picture/rasterize.ts";
import { renderScene } from "../picture/render.ts";
import { loadSprites, type SpriteSet } from "../picture/sprites.ts";
import { sceneHeight, sceneWidth } from "../scene.ts";
import { defaultSceneOptions, generateScene, generateWithRefs, type SceneWithRefs } from "./generate.ts";
import { annotationsOf } from "./ref-records.ts";
import { refToNone, refToSeveral } from "./refer.ts";

const count = 300;
const seed = 20;
let sprites: SpriteSet;
let made: SceneWithRefs[];

beforeAll(async () => {
  sprites = await loadSprites();
  made = Array.from({ length: count }, (_, index) => generateWithRefs(seed, index, defaultSceneOptions, sprites));
});

describe("every ref of several hundred scenes", () => {
  it("is true of its target, plainly false of all else, and is read as it is meant", () => {
    let seen = 0;
    for (const { scene, refs } of made) {
      for (const ref of refs) {
        for (const { text, logic } of ref.sentences) {
          expect(canonicalJson(parseExpression(text)), text).toBe(canonicalJson(logic));
          expect(holds(text, scene), text).toEqual(ref.objectIds);
          expect(mayHold(text, scene), text).toEqual(ref.objectIds);
          seen++;
        }
      }
    }
    expect(seen).toBeGreaterThan(900);
  });

  it("needs what it says: without any one modifier it is true of several", () => {
    let modifiers = 0;
    for (const { scene, refs } of made) {
      for (const ref of refs) {
        for (const { logic, text } of ref.sentences) {
          for (const phrase of logic.phrases) {
            expect(isMinimal(phrase, scene), text).toBe(true);
            modifiers += phrase.modifiers.length;
            for (const dropped of phrase.modifiers) {
              const rest = phrase.modifiers.filter((modifier) => modifier !== dropped);
              const still = holds({ number: "one", phrases: [{ noun: phrase.noun, modifiers: rest }] }, scene);
              expect(still.length, text).toBeGreaterThan(1);
            }
          }
        }
      }
    }
    expect(modifiers).toBeGreaterThan(600);
  });

  it("says two to four different sentences", () => {
    for (const { refs } of made) {
      expect(refs.length).toBeGreaterThan(0);
      expect(new Set(refs.map((ref) => ref.objectIds[0])).size).toBe(refs.length);
      for (const { sentences } of refs) {
        expect(sentences.length).toBeGreaterThanOrEqual(2);
        expect(sentences.length).toBeLessThanOrEqual(4);
        expect(new Set(sentences.map(({ text }) => text)).size).toBe(sentences.length);
      }
    }
  });

  it("has the shares that the settings promise", () => {
    const hard = made.filter(({ refs }) => refs.every((ref) => ref.similar >= 1)).length;
    expect(hard / count).toBeCloseTo(defaultSceneOptions.hardShare, 1.5);
    expect(hard / count).toBeGreaterThanOrEqual(0.6);
    const refs = made.flatMap((entry) => entry.refs);
    const related = refs.filter((ref) => !ref.isPlain && ref.sentences.some(({ kind }) => kind === "relation"));
    expect(related.length / refs.length).toBeGreaterThanOrEqual(1 / 3);
    for (const { scene, refs } of made) {
      expect(scene.objects.length).toBeGreaterThanOrEqual(2);
      expect(scene.objects.length).toBeLessThanOrEqual(9);
      for (const ref of refs) {
        const target = scene.objects.find((object) => object.id === ref.objectIds[0]);
        const alike = scene.objects.filter((object) => object.className === target?.className);
        expect(alike.length - 1).toBe(ref.similar);
      }
    }
  });

  it("is worded in five ways or more for every kind of expression", () => {
    const ways = new Map<ExpressionKind, Set<string>>(expressionKinds.map((kind) => [kind, new Set<string>()]));
    for (const { refs } of made) {
      for (const { sentences } of refs) {
        for (const { kind, text, logic } of sentences) ways.get(kind)?.add(shapeOf(text, canonicalJson(logic)));
      }
    }
    for (const kind of expressionKinds) expect(ways.get(kind)?.size, kind).toBeGreaterThanOrEqual(5);
  });

  it.each([0, 0.3, 1])("keeps a wished share of hard scenes: %d", (hardShare) => {
    const scenes = Array.from({ length: 60 }, (_, index) =>
      generateWithRefs(5, index, { ...defaultSceneOptions, hardShare }, sprites),
    );
    const hard = scenes.filter(({ refs }) => refs.every((ref) => ref.similar > 0)).length;
    const easy = scenes.filter(({ refs }) => refs.every((ref) => ref.similar === 0)).length;
    expect(hard + easy).toBe(60);
    expect(Math.abs(hard - 60 * hardShare)).toBeLessThanOrEqual(2);
  });
});

describe("generateScene", () => {
  it("is a pure function of seed and index", () => {
    const index = 37;
    expect(generateScene(seed, index, defaultSceneOptions, sprites)).toEqual(made[index]?.scene);
    expect(generateScene(seed + 1, index, defaultSceneOptions, sprites)).not.toEqual(made[index]?.scene);
  });

  it("keeps to the number of objects that is asked for", () => {
    for (let index = 0; index < 20; index++) {
      const scene = generateScene(1, index, { ...defaultSceneOptions, objects: [4, 5] }, sprites);
      expect([4, 5]).toContain(scene.objects.length);
    }
    expect(() => generateScene(1, 0, { ...defaultSceneOptions, objects: [1, 5] }, sprites)).toThrow("2 to 9");
    expect(() => generateScene(1, 0, { ...defaultSceneOptions, hardShare: 2 }, sprites)).toThrow("hardShare");
  });

  it("survives JSON: a stored scene is judged alike", () => {
    const { scene, refs } = made[3]!;
    const stored = JSON.parse(JSON.stringify(scene)) as typeof scene;
    for (const { sentences, objectIds } of refs) {
      for (const { text } of sentences) expect(holds(text, stored)).toEqual(objectIds);
    }
  });
});

describe("expressions in scenes that they were not made for", () => {
  it("hold of objects of that noun only, and never of nothing that is there", () => {
    let matches = 0;
    const sentences = made.slice(0, 60).flatMap(({ refs }) => refs.flatMap((ref) => ref.sentences));
    for (const { logic } of sentences) {
      for (const { scene } of made.slice(60, 120)) {
        const ids = holds(logic, scene);
        matches += ids.length;
        expect(mayHold(logic, scene)).toEqual(expect.arrayContaining(ids));
      }
    }
    expect(matches).toBeGreaterThan(50);
  });
});

describe("masks", () => {
  it("give every pixel to the nearest object that is at least half opaque there, and to no other", () => {
    for (const { scene } of made.slice(0, 12)) {
      const { instances } = renderScene(scene, sprites);
      const expected = new Uint8Array(sceneWidth * sceneHeight);
      const stamps = scene.objects.map((object) =>
        stampOf(sprites.get(object.className, object.variant), object.placement),
      );
      for (let y = 0; y < sceneHeight; y++) {
        for (let x = 0; x < sceneWidth; x++) {
          for (let place = stamps.length - 1; place >= 0; place--) {
            const { frame, data } = stamps[place]!;
            const [left, top, width, height] = frame;
            if (x < left || y < top || x >= left + width || y >= top + height) continue;
            if (data[((y - top) * width + x - left) * 4 + 3]! / 255 < 0.5) continue;
            expected[y * sceneWidth + x] = scene.objects[place]!.id;
            break;
          }
        }
      }
      expect(Buffer.compare(instances, expected)).toBe(0);
    }
  });

  it("are disjoint, cover all that belongs to objects, and agree with areas and boxes", () => {
    for (const { scene } of made.slice(0, 12)) {
      const { instances } = renderScene(scene, sprites);
      const sum = new Uint8Array(instances.length);
      const annotations = annotationsOf(scene, instances) as {
        segmentation: { counts: string };
        area: number;
        bbox: number[];
      }[];
      expect(annotations.length).toBe(scene.objects.length);
      annotations.forEach((annotation, place) => {
        const rle = rleFromString(annotation.segmentation.counts, sceneHeight, sceneWidth);
        const mask = rleToMask(rle);
        for (let at = 0; at < mask.length; at++) sum[at]! += mask[at]!;
        expect(rleArea(rle)).toBe(annotation.area);
        expect(annotation.area).toBe(scene.objects[place]?.area);
        expect(annotation.bbox).toEqual(scene.objects[place]?.box);
      });
      expect(sum.every((value, at) => value === (instances[at] === 0 ? 0 : 1))).toBe(true);
    }
  });

  it.skipIf(!pythonHas("pycocotools"))("have the areas and boxes that pycocotools finds (skipped without it)", () => {
    const annotations = made
      .slice(0, 20)
      .flatMap(({ scene }) => annotationsOf(scene, renderScene(scene, sprites).instances));
    const out = runPython(
      [
        "import json, sys",
        "from pycocotools import mask",
        "rows = json.load(sys.stdin)",
        "print(json.dumps([[int(mask.area(r['segmentation'])), [int(v) for v in mask.toBbox(r['segmentation'])]] for r in rows]))",
      ].join("\n"),
      [],
      JSON.stringify(annotations),
    );
    const theirs = JSON.parse(out) as unknown[];
    expect(theirs).toEqual((annotations as { area: number; bbox: number[] }[]).map(({ area, bbox }) => [area, bbox]));
    expect(theirs.length).toBeGreaterThan(60);
  });
});

describe("expressions for gRefCOCO", () => {
  it("to several objects are plainly true of two or more, and of those alone", () => {
    let seen = 0;
    for (const { scene } of made.slice(0, 150)) {
      const ref = refToSeveral(scene);
      if (ref === undefined) continue;
      expect(ref.objectIds.length).toBeGreaterThan(1);
      for (const { text } of ref.sentences) {
        expect(holds(text, scene), text).toEqual(ref.objectIds);
        expect(mayHold(text, scene), text).toEqual(ref.objectIds);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  it("to nothing are plainly false of everything", () => {
    let seen = 0;
    for (const { scene } of made.slice(0, 150)) {
      for (const { text } of refToNone(scene)?.sentences ?? []) {
        expect(
          judge(text, scene).every((truth) => truth === 0),
          text,
        ).toBe(true);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(100);
  });
});

/** A sentence without its nouns and colours, and, where it says more than a noun, without articles: how it is worded. */
function shapeOf(text: string, logic: string): string {
  const nouns = [...logic.matchAll(/"noun":"([^"]+)"/g)].map((match) => match[1] ?? "");
  let shape = text;
  for (const noun of nouns.sort((a, b) => b.length - a.length)) shape = shape.replaceAll(noun, "N");
  shape = shape.replace(/\b(?:red|orange|yellow|green|blue|purple|pink|brown|black|white|gray)\b/g, "C");
  return /^(?:the )?N$/.test(shape) ? shape : shape.replace(/\b(?:the|a|an) /g, "");
}
