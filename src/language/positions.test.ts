import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowedCells, type PositionFinding, positionsOf } from "./index.ts";

/** A finding in short: scope's initial, "!" where negated, value, "#" ordinal. */
function brief(expression: string): string {
  return positionsOf(expression)
    .mentions.map(({ scope, negated, value, ordinal }) => {
      return `${scope[0]}${negated ? "!" : ""}:${value}${ordinal === undefined ? "" : `#${ordinal}`}`;
    })
    .join(" ");
}

const place = ({ horizontal, vertical }: PositionFinding): string => `${horizontal ?? "free"} ${vertical ?? "free"}`;

describe("positionsOf", () => {
  it("shows the reference's second defect absent: words within words bind nothing", () => {
    for (const text of [
      "leftover pizza",
      "bright shirt",
      "yellow bus",
      "laptop",
      "stop sign",
      "pillow",
      "copyright",
      "highway",
    ]) {
      expect(positionsOf(text).mentions, text).toEqual([]);
    }
  });

  it("shows the reference's second defect absent: every direction counts, not the first alone", () => {
    expect(place(positionsOf("top left mug"))).toBe("left top");
    expect(place(positionsOf("person on the right at the bottom"))).toBe("right bottom");
  });

  it.each([
    ["left man", "a:left"],
    ["rigth guy, far", "a:right a:back"],
    ["leftmost", "a:left"],
    ["TOPLEFT mug", "a:top a:left"],
    ["left of the man", "r:left"],
    ["man on the left side of the couch", "r:left"],
    ["left of the photo", "a:left"],
    ["left one of the two", "a:left"],
    ["left to the lamp", "r:left"],
    ["right from the tree", "r:right"],
    ["boy on her right", "r:right"],
    ["bird above", "a:top"],
    ["bird above the roof", "r:top"],
    ["lower than the rest", "r:bottom"],
    ["man with left hand raised", "p:left"],
    ["left arm", "a:left"],
    ["left hand corner", "a:left"],
    ["person far right arms crossed", "a:right"],
    ["upper body", "p:top"],
    ["cow facing left", "o:left"],
    ["girl walking to the left", "o:left"],
    ["girl walking left", "a:left"],
    ["left facing camera", "a:left"],
    ["left facing cow", "o:left"],
    ["on left facing the other man", "a:left"],
    ["third from left to right", "a:left#3 o:right"],
    ["right next to the left bus", "a:right a:left"],
    ["man right next to the left bus", "a:left"],
    ["on the right next to him", "a:right"],
    ["right above his head", "r:top"],
    ["two in from the right", "a:right#2"],
    ["21st from the right", "a:right#21"],
    ["third base", ""],
    ["second from the back", "r:ordinal#2 a:back"],
    ["second to the left of him", "r:left#2"],
    ["second to last cow", "a:ordinal#-2"],
    ["pink top girl", ""],
    ["girl in her top", ""],
    ["white top shelf", "a:top"],
    ["tank top on left", "a:left"],
    ["kite flying high", ""],
    ["kite up high", "a:top"],
    ["right of way sign", ""],
    ["left turn arrow", ""],
    ["corner of the room", "r:corner"],
    ["edge of the photo", "a:edge"],
    ["5 o'clock", "a:right a:bottom"],
    ["clock that says 5 o'clock", ""],
    ["right of center", "a:right r:center"],
    ["right of the center man", "r:right a:center"],
    ["not the left one", "a!:left"],
    ["left one, not the right", "a:left a!:right"],
    ["man not wearing hat on left", "a:left"],
    ["not the man in red on the left", "a!:left"],
    ["anyone but the left guy", "a!:left"],
    ["without a hat on left", "a:left"],
  ])("reads %j as %j", (expression, expected) => {
    expect(brief(expression)).toBe(expected);
  });

  it("gives the middle the axis that the directions beside it leave", () => {
    expect(place(positionsOf("middle one"))).toBe("center center");
    expect(place(positionsOf("top middle"))).toBe("center top");
    expect(place(positionsOf("middle left"))).toBe("left center");
    expect(place(positionsOf("middle row"))).toBe("free center");
    expect(place(positionsOf("middle donut in middle row"))).toBe("center center");
    expect(place(positionsOf("left man near the middle tree"))).toBe("conflict center");
  });

  it("says why no cell is safe", () => {
    expect(positionsOf("left and right man").reasons).toEqual(["conflict"]);
    expect(positionsOf("left man, not the left man").reasons).toEqual(["conflict"]);
    expect(positionsOf("corner chair").reasons).toEqual(["unknown-side"]);
    expect(positionsOf("second giraffe").reasons).toEqual(["unknown-count"]);
    expect(positionsOf("left man").unsafe).toBe(false);
    expect(positionsOf("second giraffe").unsafe).toBe(true);
  });

  it("gives the span of each word", () => {
    const text = "Man on the LEFT, topright";
    expect(positionsOf(text).mentions.map(({ span }) => text.slice(...span))).toEqual(["LEFT", "topright", "topright"]);
  });

  it("gives equal place numbers to words that name one place only", () => {
    expect(positionsOf("top left").mentions.map(({ place: number }) => number)).toEqual([0, 0]);
    expect(positionsOf("left man beside right man").mentions.map(({ place: number }) => number)).toEqual([0, 1]);
  });

  it("keeps its promises for any mixture of words, of garbage and of ends", () => {
    const word = fc.constantFrom(
      ..."left right top bottom middle center corner of the to from not or but far man his with facing hand 2nd last , second".split(
        " ",
      ),
      ..."edge side picture o'clock 3 above high row on in and one most except than other body half red raised base".split(
        " ",
      ),
    );
    const garbage = fc.array(fc.oneof({ weight: 9, arbitrary: word }, fc.string({ unit: "binary" })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(garbage, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (words, columns, rows) => {
        const text = words.join(" ");
        const finding = positionsOf(text);
        expect(positionsOf(text)).toEqual(finding);
        expect(finding.unsafe).toBe(finding.reasons.length > 0);
        for (const { span } of finding.mentions) {
          expect(span[0]).toBeGreaterThanOrEqual(0);
          expect(span[1]).toBeGreaterThan(span[0]);
          expect(span[1]).toBeLessThanOrEqual(text.length);
        }
        const cells = allowedCells(text, columns, rows);
        expect(allowedCells(finding, columns, rows)).toEqual(cells);
        expect(cells).toEqual([...new Set(cells)].sort((a, b) => a - b));
        for (const cell of cells) expect(cell >= 0 && cell < columns * rows).toBe(true);
        if (columns > 1 && rows > 1 && finding.unsafe) expect(cells).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes time in proportion to the length, whatever is repeated", () => {
    for (const unit of [
      "left ",
      "not the left or ",
      "second ",
      "right hand ",
      "of the ",
      "corner left of ",
      "not the ",
      "middle ",
      "'",
      "a",
      ", ",
    ]) {
      // Of the processor's time, since a shared machine gives it in portions.
      const timeMs = (repeats: number): number => {
        const text = unit.repeat(repeats);
        const before = process.cpuUsage();
        positionsOf(text);
        const { user, system } = process.cpuUsage(before);
        return (user + system) / 1000;
      };
      timeMs(2000);
      // Quadratic growth would make the factor 256 in every round; a slow moment in one of them must not fail the test.
      let factor = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 6 && factor >= 100; round++) {
        factor = Math.min(factor, timeMs(32_000) / Math.max(timeMs(2000), 1));
      }
      expect(factor, unit).toBeLessThan(100);
    }
  });
});
