import { describe, expect, it } from "vitest";
import { styles } from "../styles/index.ts";
import {
  defaults,
  interpolateRamp,
  mostNegatives,
  parseSettings,
  presetNames,
  resolveSettings,
  settingsAt,
  settingsRemarks,
  usesMined,
} from "./index.ts";

const message = (value: unknown): string => {
  try {
    parseSettings(value, "x.json");
    return "accepted";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("settings that contradict each other", () => {
  it.each([
    [{ band: { rankFrom: 5, rankTo: 5 } }, /band.rankTo must be above band.rankFrom, got 5 and 5/],
    [
      {
        schedule: {
          gamma: [
            [3, 0.1],
            [3, 0.2],
          ],
        },
      },
      /schedule.gamma must rise in epochs, got 3 after 3/,
    ],
    [{ schedule: { plainLast: 2 } }, /set schedule.epochs too/],
    [{ schedule: { plainLast: 1.5 } }, /"schedule.plainLast" in x.json: expected whole epochs, or a share.*got 1.5/],
    [{ schedule: { plainLast: -0.1 } }, /"schedule.plainLast" in x.json: expected at least 0, got -0.1/],
    [{ schedule: { plainLast: 5, epochs: 4 } }, /must be at most schedule.epochs, got 5 of 4/],
    [{ preset: "cutmix", gres: { makeNoTarget: 0.1 } }, /gres.makeNoTarget leaves a cell's image out.*"cutmix"/],
    [{ preset: "nemo-reference", mosaic: { style: "mixgen" } }, /legacy.canvas is about grids.*"mixgen"/],
    [{ preset: "nemo-reference", mosaic: { crossPoint: "free" } }, /legacy.canvas draws equal cells/],
    [{ mosaic: { grid: "1x1" } }, /mosaic.grid" in x.json: expected columns and rows from 1x2 to 8x8.*got "1x1"/],
    [{ mosaic: { grid: "9x2" } }, /expected columns and rows/],
    [{ mosaic: { crossPoint: 0.6 } }, /"mosaic.crossPoint" in x.json: expected at most 0.5, got 0.6/],
    [{ schedule: { gamma: [] } }, /"schedule.gamma" in x.json: expected at least 1 \[epoch, value\], got \[\]/],
    [{ schedule: { tau: [[0, 2]] } }, /"schedule.tau.0.1" in x.json: expected at most 1, got 2/],
    [{ band: { hubCap: "many" } }, /expected a whole number from 1, or null, got "many"/],
    [{ mosaic: { crossPoint: "free!" } }, /expected a number from 0 to 0.5, or "free", got "free!"/],
    [{ band: { hubCap: 0 } }, /"band.hubCap" in x.json: expected at least 1, got 0/],
    [{ band: { minScore: 0.5, tau: 0.3 } }, /band.minScore must not be above τ, got 0.5 and 0.3: no candidate/],
    [{ band: { minScore: 0.5 }, schedule: { tau: [[0, 0.1]] } }, /must not be above τ, got 0.5 and 0.1/],
    [
      { schedule: { randomUntil: 60, epochs: 50 } },
      /schedule.randomUntil must be at most schedule.epochs, got 60 of 50/,
    ],
    [
      { band: { k: 5 }, mosaic: { grid: "3x3" }, tooFew: "error" },
      /a band of K = 5 never holds 8 negatives, as many as grid "3x3" asks for; tooFew "error" would stop/,
    ],
    [
      { band: { rankFrom: 10, rankTo: 12 }, tooFew: "error" },
      /ranks from band.rankFrom 10 to band.rankTo 12 never hold 3/,
    ],
    [{ preset: "nemo-reference", draw: { method: "mmr" } }, /legacy.repeats draws uniformly.*draw.method "mmr"/],
    [{ legacy: { repeat: true } }, /unknown setting "legacy.repeat" in x.json. Did you mean "/],
  ])("are refused in one line before anything runs: %j", (value, expected) => {
    expect(message(value)).toMatch(expected);
    expect(message(value)).not.toContain("\n");
  });

  it("remarks on bands that can never fill a mosaic where a policy catches them, and on nothing else", () => {
    const remarks = (value: object): string[] => settingsRemarks(parseSettings(value, "t"));
    expect(remarks({ band: { k: 5 }, mosaic: { grid: "mixed" } })).toEqual([
      'a band of K = 5 never holds 8 negatives, as many as grid "mixed" asks for; tooFew "widen" decides each',
    ]);
    expect(
      remarks({
        schedule: {
          k: [
            [0, 2],
            [9, 50],
          ],
        },
      })[0],
    ).toMatch(/K = 2 never holds 3/);
    expect(remarks({ band: { k: 2 }, preset: "random" })).toEqual([]);
    expect(remarks({ preset: "nemo-reference", band: { k: 20 }, mosaic: { grid: "8x8" } })).toEqual([]);
    // Our recipe counts back from the end of the training: it has to be told where that is.
    for (const preset of presetNames) {
      expect(remarks({ preset, ...(preset === "nemosaic" ? { schedule: { epochs: 20 } } : {}) })).toEqual([]);
    }
    expect(remarks({ preset: "nemosaic" })[0]).toMatch(
      /33 % of the epochs cannot be counted.*set the number of epochs/,
    );
  });

  it("remarks on a share of plain epochs that comes to none, because they are too few or not known", () => {
    const remarks = (schedule: object): string[] => settingsRemarks(parseSettings({ schedule }, "t"));
    expect(remarks({ plainLast: 1 / 3 })[0]).toMatch(
      /33 % of the epochs cannot be counted while schedule.epochs is not/,
    );
    expect(remarks({ plainLast: 0.33, epochs: 1 })).toEqual([
      "schedule.plainLast 33 % of 1 epoch is no whole epoch: mosaics stay until the end",
    ]);
    expect([remarks({ plainLast: 0.33, epochs: 2 }), remarks({ plainLast: 1, epochs: 2 })]).toEqual([[], []]);
  });

  it("accepts every preset as it is", () => {
    expect([...presetNames].sort()).toEqual(
      [
        "none",
        "nemo",
        "nemo-tau",
        "nemosaic",
        "nemo-reference",
        "random",
        ...styles.flatMap((style) => Object.keys(style.presets)),
      ].sort(),
    );
    expect(presetNames).toEqual(
      expect.arrayContaining(["full-size", "paste", "yolov4", "cutmix", "cutmix-mined", "mixgen"]),
    );
    for (const preset of presetNames) expect(message({ preset })).toBe("accepted");
  });
});

describe("schedules", () => {
  it("run straight between points and hold their ends", () => {
    const points = [
      [2, 0],
      [4, 1],
      [5, 0.5],
    ] as const;
    expect([0, 2, 3, 4, 4.5, 5, 99].map((epoch) => interpolateRamp(points, epoch))).toEqual([
      0, 0, 0.5, 1, 0.75, 0.5, 0.5,
    ]);
  });

  it("reproduce the released loader's two phases with a step", () => {
    const schedule = {
      randomUntil: 5,
      gamma: [
        [4, 0.3],
        [5, 0.75],
      ],
    };
    const settings = parseSettings(
      { preset: "nemo-reference", band: { tau: 0.3 }, schedule, mosaic: { randomShare: 1 / 3 } },
      "t",
    );
    const at = (epoch: number): number[] => {
      const { gamma, randomShare } = settingsAt(resolveSettings(settings, undefined), epoch).mosaic;
      return [gamma, randomShare];
    };
    expect([at(0), at(4), at(5), at(50)]).toEqual([
      [0.3, 1],
      [0.3, 1],
      [0.75, 1 / 3],
      [0.75, 1 / 3],
    ]);
  });

  it("count the plain epochs at the end, by number or as a share", () => {
    const plain = (schedule: object): number[] => {
      const settings = resolveSettings(parseSettings({ preset: "random", schedule }, "t"), undefined);
      return Array.from({ length: 40 }, (_, epoch) => epoch).filter(
        (epoch) => settingsAt(settings, epoch).mosaic.gamma === 0,
      );
    };
    expect(plain({ epochs: 40, plainLast: 2 })).toEqual([38, 39]);
    expect(plain({ epochs: 40, plainLast: 1 / 3 })).toEqual(Array.from({ length: 13 }, (_, at) => 27 + at));
    expect(plain({ epochs: 40, plainLast: 0.999 })).toHaveLength(40);
    expect([plain({ plainLast: 0.5 }), plain({ epochs: 40, plainLast: 0.01 })]).toEqual([[], []]);
  });

  it("need mined candidates only where some epoch draws from the band", () => {
    const uses = (change: object): boolean => usesMined(parseSettings(change, "t"));
    expect([uses({}), uses({ preset: "random" }), uses({ preset: "none" })]).toEqual([true, false, false]);
    expect(
      uses({
        mosaic: { gamma: 0 },
        schedule: {
          gamma: [
            [0, 0],
            [9, 1],
          ],
        },
      }),
    ).toBe(true);
    expect(uses({ mosaic: { gamma: 1 }, schedule: { gamma: [[0, 0]] } })).toBe(false);
  });

  it("leave settings alone where nothing is scheduled", () => {
    const settings = resolveSettings({ ...defaults, band: { ...defaults.band, tau: 0.2, tauImage: null } }, undefined);
    expect(settingsAt(settings, 3)).toBe(settings);
  });
});

describe("grids and negatives", () => {
  it("says how many negatives grids and styles ask for", () => {
    const most = (change: object): number => mostNegatives(parseSettings(change, "t"));
    expect(most({})).toBe(3);
    expect(most({ mosaic: { grid: "mixed" } })).toBe(8);
    expect(most({ gres: { makeNoTarget: 0.5 } })).toBe(4);
    expect([most({ preset: "yolov4" }), most({ preset: "cutmix" })]).toEqual([3, 1]);
  });

  it("tightens by the spread of own scores, by nothing where they are not known", () => {
    const scores = { ownMedian: 0.25, ownLower: 0.2, i2iHigh: 0.8 };
    expect(resolveSettings(defaults, scores).gres.tighten).toBeCloseTo(0.05);
    expect(resolveSettings(parseSettings({ preset: "none" }, "t"), undefined).gres.tighten).toBe(0);
    expect(resolveSettings(parseSettings({ gres: { tighten: 0.1 } }, "t"), scores).gres.tighten).toBe(0.1);
  });
});
