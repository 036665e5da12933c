import { describe, expect, it } from "vitest";
import { noTiming, stageTiming, timingText } from "./timing.ts";

describe("stageTiming", () => {
  it("adds up stages by its clock and names what holds the work back", () => {
    let clock = 100;
    const timing = stageTiming(() => clock);
    let at = timing.now();
    clock += 10;
    at = timing.since("decode", at);
    clock += 30;
    at = timing.since("compose", at);
    clock += 5;
    timing.since("decode", at);
    expect(timing.report()).toEqual({
      wallMs: 45,
      stages: [
        { stage: "compose", ms: 30, count: 1 },
        { stage: "decode", ms: 15, count: 2 },
      ],
    });
    const text = timingText(timing, { compose: "use fewer cells", decode: "build tiles" });
    expect(text).toContain("0.04 s on the clock");
    expect(text).toContain("held back by compose: use fewer cells");
    expect(text).not.toContain("build tiles");
  });

  it("says nothing of a cause where nothing was measured", () => {
    expect(
      timingText(
        stageTiming(() => 7),
        {},
      ),
    ).toBe("timing: 0.00 s on the clock");
    expect(noTiming.since("decode", noTiming.now())).toBe(0);
  });
});
