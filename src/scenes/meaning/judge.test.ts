import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Colour } from "../colours.ts";
import type { PixelBox, SceneObject } from "../scene.ts";
import { holds, judge, mayHold } from "./judge.ts";
import { resolveDoubts, type Truth } from "./truth.ts";

/** An object of 80 x 80 pixels (or as said) whose lower edge is at `ground`. */
function thing(
  id: number,
  className: string,
  x: number,
  ground: number,
  more: Partial<SceneObject> & { side?: number } = {},
): SceneObject {
  const side = more.side ?? 80;
  const box: PixelBox = [x - side / 2, ground - side, side, side];
  return {
    id,
    className,
    variant: 0,
    colours: [],
    tints: [],
    placement: { x, ground, side, isFlipped: false, rotation: 0 },
    box,
    wholeBox: box,
    area: side * side,
    wholeArea: side * side,
    ...more,
  };
}
const painted = (...colours: Colour[]): { colours: Colour[] } => ({ colours });
const scene = (...objects: SceneObject[]): { objects: SceneObject[] } => ({ objects });

describe("holds", () => {
  const mugs = scene(
    thing(1, "mug", 100, 300, painted("red")),
    thing(2, "mug", 320, 300, painted("blue")),
    thing(3, "mug", 540, 300, painted("red")),
    thing(4, "dog", 430, 300, painted("brown")),
  );

  it.each([
    ["mug", [1, 2, 3]],
    ["the cup", [1, 2, 3]],
    ["red mug", [1, 3]],
    ["mug that is blue", [2]],
    ["mug that isn't red", [2]],
    ["green mug", []],
    ["left mug", [1]],
    ["the mug on the right", [3]],
    ["middle mug", [2]],
    ["2nd mug from left", [2]],
    ["third mug from the left", [3]],
    ["mug number 3 from the right", [1]],
    ["fourth mug from left", []],
    ["second red mug from left", [3]],
    ["leftmost red mug", [1]],
    ["mug left of the dog", [1, 2]],
    ["mug to the right of the dog", [3]],
    ["mug left of the blue mug", [1]],
    ["mug between the red mug and the dog", [2]],
    ["animal", [4]],
    ["dog", [4]],
    ["cat", []],
    ["dog behind the cat", []],
    ["mug next to the cat", []],
    ["mug without a cat next to it", [1, 2, 3]],
    ["mug not next to the cat", []],
    ["both red mugs", [1, 3]],
    ["both mugs", []],
    ["three mugs", [1, 2, 3]],
    ["the only dog", [4]],
    ["the only mug", []],
    ["only blue mug", [2]],
    ["the dog in the picture", [4]],
    ["all mugs", [1, 2, 3]],
    ["the dog and the blue mug", [2, 4]],
    ["the dog and the cat", []],
    ["red dog", []],
  ])("of a row of mugs, %s: %j", (text, ids) => {
    expect(holds(text, mugs)).toEqual(ids);
  });

  const line = scene(
    thing(1, "mug", 80, 300, painted("red")),
    thing(2, "mug", 200, 300, painted("blue")),
    thing(3, "mug", 440, 300, painted("red")),
    thing(4, "mug", 560, 300, painted("green")),
    thing(5, "dog", 320, 300, painted("brown")),
  );
  it.each([
    ["mugs on the left", [1, 2]],
    ["the two mugs on the left", [1, 2]],
    ["the two leftmost mugs", [1, 2]],
    ["both right-hand mugs", [3, 4]],
    ["three mugs on the left", []],
    ["the three leftmost mugs", [1, 2, 3]],
    ["red mugs on the left", [1]],
    ["the leftmost mugs", [1]],
    ["the two middle mugs", [2, 3]],
    ["the two mugs closest to the dog", [2, 3]],
    ["the mugs closest to the dog", [2, 3]],
    ["mug closest to the dog", []],
    ["mug that is not on the left", [3, 4]],
    ["mug not in the middle", [1, 4]],
    ["mug that isn't the leftmost", [2, 3, 4]],
    ["mugs not on the right", [1, 2]],
    ["non-red mugs", [2, 4]],
    ["mug between the two red mugs", [2]],
    ["mug to the left of another mug", [1, 2, 3]],
    ["mug with a dog to its right", [1, 2]],
    ["mug without a dog on its left", [1, 2]],
    ["second leftmost mug", [2]],
    ["fifth mug from left", []],
    ["fifth thing from the left", [4]],
    ["objects on the left", [1, 2]],
    ["the red one on the right", [3]],
    ["all four mugs", [1, 2, 3, 4]],
    ["five mugs", []],
    ["five objects", [1, 2, 3, 4, 5]],
    ["mugs and the dog", [1, 2, 3, 4, 5]],
    ["the mugs on the left and the dog", [1, 2, 5]],
    ["the left mug and the dog", [1, 5]],
    ["mugs on the left and the cat", []],
    ["mug number 2 from the right", [3]],
    ["mug #2 from the right", [3]],
    ["top mug", []],
    ["third mug from the top", []],
  ])("of four mugs in a line, %s: %j", (text, ids) => {
    expect(holds(text, line)).toEqual(ids);
  });

  const sizes = scene(
    thing(1, "cow", 100, 400, { side: 60 }),
    thing(2, "cow", 250, 400, { side: 62 }),
    thing(3, "cow", 400, 400, { side: 120 }),
    thing(4, "cow", 560, 400, { side: 118 }),
  );
  it.each([
    ["the big cows", [3, 4]],
    ["the biggest cows", [3, 4]],
    ["both small cows", [1, 2]],
    ["two biggest cows", [3, 4]],
    ["three biggest cows", []],
    ["biggest cow", []],
    ["big cow", []],
    ["cow that is not big", [1, 2]],
    ["cow that is not the biggest", [1, 2]],
    ["second biggest cow", []],
    ["the big cow on the left", []],
    ["the big cows on the right", [3, 4]],
    ["left cow", [1]],
  ])("of cows of two sizes, %s: %j", (text, ids) => {
    expect(holds(text, sizes)).toEqual(ids);
  });

  const depth = scene(
    thing(1, "car", 200, 260, { ...painted("red"), side: 100 }),
    thing(2, "dog", 215, 330, { ...painted("brown"), side: 110 }),
    thing(3, "car", 450, 260, { ...painted("red"), side: 100 }),
    thing(4, "car", 300, 430, { ...painted("red"), side: 170 }),
    thing(5, "cat", 530, 262, { ...painted("gray"), side: 60 }),
  );
  it.each([
    ["car behind the dog", [1]],
    ["dog in front of the car", [2]],
    ["car next to the cat", [3]],
    ["car with a cat next to it", [3]],
    ["car closest to the dog", [1]],
    ["nearest car", [4]],
    ["car in front", [4]],
    ["biggest car", [4]],
    ["the big red car", [4]],
    ["small car", []],
    ["car bottom right corner", []],
    ["car in top right", [3]],
    ["cat right of the dog", [5]],
    ["vehicle not behind the dog", [3, 4]],
    ["animal that is not a dog", [5]],
    ["animal other than the cat", [2]],
  ])("of things near and far, %s: %j", (text, ids) => {
    expect(holds(text, depth)).toEqual(ids);
  });

  it("leaves in doubt what people would differ about", () => {
    const close = scene(thing(1, "mug", 300, 300), thing(2, "mug", 310, 420));
    expect(holds("leftmost mug", close)).toEqual([]);
    expect(mayHold("leftmost mug", close)).toEqual([1, 2]);
    const tomato = scene(thing(1, "tomato", 300, 300, painted("red")), thing(2, "carrot", 100, 300, painted("orange")));
    expect(judge("vegetable", tomato)).toEqual([1, 2]);
    expect(judge("blue vegetable", tomato)).toEqual([0, 0]);
    expect(judge("orange vegetable", tomato)).toEqual([1, 2]);
    expect(judge("leftmost vegetable", tomato)).toEqual([0, 2]);
    // Whether the tomato counts decides which one is on the right.
    expect(judge("rightmost vegetable", tomato)).toEqual([1, 1]);
  });

  it("does not see what is hidden, and doubts what is nearly so", () => {
    const hidden = { area: 80 * 8, wholeArea: 6400 };
    const half = { area: 80 * 24, wholeArea: 6400 };
    const row = scene(thing(1, "mug", 100, 300, hidden), thing(2, "mug", 300, 300), thing(3, "mug", 500, 300));
    expect(holds("mug", row)).toEqual([2, 3]);
    expect(holds("leftmost mug", row)).toEqual([2]);
    expect(holds("second mug from left", row)).toEqual([3]);
    const doubt = scene(thing(1, "mug", 100, 300, half), thing(2, "mug", 300, 300), thing(3, "mug", 500, 300));
    expect(holds("leftmost mug", doubt)).toEqual([]);
    expect(mayHold("leftmost mug", doubt)).toEqual([1, 2]);
    expect(holds("rightmost mug", doubt)).toEqual([3]);
  });

  it("reads words, not letters", () => {
    const stand = scene(thing(1, "hot dog", 100, 300), thing(2, "dog", 400, 300), thing(3, "top hat", 500, 430));
    expect(holds("dog", stand)).toEqual([2]);
    expect(holds("hot dog", stand)).toEqual([1]);
    expect(holds("top hat", stand)).toEqual([3]);
    expect(holds("hat", stand)).toEqual([3]);
  });

  it("is empty in an empty scene", () => {
    for (const text of ["mug", "left mug", "2nd mug from left", "mug closest to the dog", "both mugs"]) {
      expect(holds(text, scene())).toEqual([]);
    }
  });

  it("takes an orange orange for what it is", () => {
    const table = scene(thing(1, "orange", 100, 300, painted("orange")), thing(2, "cat", 500, 300, painted("orange")));
    expect(holds("orange", table)).toEqual([1]);
    expect(holds("orange orange", table)).toEqual([1]);
    expect(holds("orange cat", table)).toEqual([2]);
    expect(holds("orange on the left", table)).toEqual([1]);
  });
});

describe("throughDoubts", () => {
  it("is sure only of what every way of settling the doubts says", () => {
    const truths = fc.array(fc.constantFrom<Truth>(0, 1, 2), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(truths, (members) => {
        // The first member is the one meant.
        const first = (isMember: readonly boolean[]): Truth[] =>
          isMember.map((is, position) => (is && isMember.indexOf(true) === position ? 2 : 0));
        const judged = resolveDoubts(members, first);
        const sure = members.indexOf(2);
        members.forEach((truth, position) => {
          const doubtsBefore = members.slice(0, position).includes(1);
          const sureBefore = sure >= 0 && sure < position;
          const expected = truth === 0 || sureBefore ? 0 : truth === 1 || doubtsBefore ? 1 : 2;
          expect(judged[position]).toBe(expected);
        });
      }),
    );
  });
});
