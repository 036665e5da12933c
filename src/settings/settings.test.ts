import { describe, expect, it } from "vitest";
import { defaults, parseSettings, presetNames, resolveSettings, settingsJsonSchema, withSets } from "./index.ts";
import { releasedNames } from "./released-names.ts";

const message = (value: unknown): string => {
  try {
    parseSettings(value, "x.json");
    return "accepted";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("settings", () => {
  it("fills what is left out from the preset, then from the defaults", () => {
    expect(parseSettings({}, "x.json")).toEqual(defaults);
    expect(parseSettings({ preset: "none", band: { k: 7 } }, "x.json")).toEqual({
      ...defaults,
      mosaic: { ...defaults.mosaic, gamma: 0 },
      band: { ...defaults.band, k: 7 },
    });
  });

  it.each([
    [{ band: { taw: 1 } }, 'unknown setting "band.taw" in x.json. Did you mean "band.tau"?'],
    [{ tau: 0.3 }, 'unknown setting "tau" in x.json. Did you mean "band.tau"?'],
    [{ szie: 1 }, 'unknown setting "szie" in x.json. Did you mean "size"?'],
    [{ size: "big" }, 'setting "size" in x.json: expected a number, got "big"'],
    [{ size: 416.5 }, 'setting "size" in x.json: expected a whole number, got 416.5'],
    [{ mosaic: { gamma: 2 } }, 'setting "mosaic.gamma" in x.json: expected at most 1, got 2'],
    [{ unit: "image" }, 'setting "unit" in x.json: expected one of ref, expression, got "image"'],
    [
      { band: { tau: "high" } },
      'setting "band.tau" in x.json: expected a number from -1 to 1, "auto", or null, got "high"',
    ],
    [{ size: Number.NaN }, 'setting "size" in x.json: expected a number, got NaN'],
    [
      { band: { tau: -Infinity } },
      'setting "band.tau" in x.json: expected a number from -1 to 1, "auto", or null, got -Infinity',
    ],
    [
      { schedule: { gamma: [[0, Number.NaN]] } },
      'setting "schedule.gamma" in x.json: expected [[epoch, share], …] with whole epochs from 0, or null, got [[0,"NaN"]]',
    ],
    [{ "band.tau": 0.3 }, 'unknown setting "band.tau" in x.json. Groups are nested: {"band": {"tau": …}}'],
    [{ t2i_sim_thres: 0.3 }, 'unknown setting "t2i_sim_thres" in x.json. Did you mean "band.tau"?'],
    [{ guards: { nearDup: 1 } }, 'unknown setting "guards.nearDup" in x.json. Did you mean "guards.nearDuplicate"?'],
    [{ gama: 1 }, 'unknown setting "gama" in x.json. Did you mean "mosaic.gamma"?'],
    [
      { mined: ".." },
      "setting \"mined\" in x.json: expected the name of a mined set: letters, digits, '.', '_' or '-', got \"..\"",
    ],
    [{ mosaic: 3 }, 'setting "mosaic" in x.json: expected an object, got 3'],
    [[], "expected a JSON object of settings in x.json, got []"],
    [null, "expected a JSON object of settings in x.json, got null"],
    [{ preset: "nmeo" }, `unknown preset "nmeo". Did you mean "nemo"? Valid: ${presetNames.join(", ")}`],
  ])("explains %j in one line", (value, expected) => {
    expect(message(value)).toBe(expected);
  });

  it("knows every option of the released loader by a setting of ours", () => {
    for (const [name, key] of Object.entries(releasedNames)) {
      const [group = "", leaf = ""] = key.split(".");
      expect((defaults as unknown as Record<string, object>)[group], name).toHaveProperty(leaf);
    }
  });

  it("takes no part in prototype pollution", () => {
    expect(message(JSON.parse('{"__proto__": {"size": 64}}'))).toMatch(/unknown setting "__proto__"/);
    expect(message({ preset: "constructor" })).toMatch(/unknown preset/);
  });

  it("reads --set words as JSON where they parse, else as text", () => {
    const tree = withSets({ size: 300 }, ["band.k=5", "mosaic.grid=3x3", "band.tau=null", "mosaic.gamma=1"]);
    expect(parseSettings(tree, "--set")).toMatchObject({
      size: 300,
      band: { k: 5, tau: null },
      mosaic: { grid: "3x3", gamma: 1 },
    });
    expect(() => withSets({}, ["band.k"])).toThrow('expected --set key=value, such as band.k=50, got "band.k"');
    for (const word of ["=3", "band.=3", ".k=3", "band..k=3"]) expect(() => withSets({}, [word])).toThrow(/key=value/);
  });

  it("resolves auto thresholds from mined scores, and says so where there are none", () => {
    const byScore = parseSettings({ preset: "nemo-tau" }, "x");
    const resolved = resolveSettings(byScore, { ownMedian: 0.25, i2iHigh: 0.8 });
    expect(resolved.band).toMatchObject({ tau: 0.25, tauImage: 0.8 });
    expect(() => resolveSettings(byScore, undefined)).toThrow(/band.tau is "auto".*nemosaic mine/);
    expect(resolveSettings(parseSettings({ preset: "none" }, "x"), undefined).band.tau).toBeNull();
  });

  it("keeps to the paper's rule where settings name a rule over scores, and to the estimate where they name it or none", () => {
    const byScore = { risk: null, prefer: "score", tau: "auto", tauImage: "auto" };
    const bandOf = (tree: object) => parseSettings(tree, "x").band;
    expect(bandOf({})).toMatchObject({ risk: 0.03, prefer: "kind", tau: null, tauImage: null });
    expect(bandOf({ band: { k: 100 } })).toMatchObject({ risk: 0.03, tau: null });
    expect(bandOf({ band: { tau: 0.3 } })).toMatchObject({ ...byScore, tau: 0.3 });
    expect(bandOf({ band: { margin: 0.1 } })).toMatchObject({ ...byScore, margin: 0.1 });
    expect(bandOf({ schedule: { tau: [[0, 0.3]] } })).toMatchObject(byScore);
    expect(bandOf({ band: { tau: 0.3, risk: 0.1 } })).toMatchObject({
      risk: 0.1,
      prefer: "kind",
      tau: 0.3,
      tauImage: null,
    });
    expect(bandOf({ preset: "nemo-reference" })).toMatchObject({ ...byScore, tauImage: null, k: 100 });
    expect(bandOf({ preset: "random" })).toMatchObject({ risk: null, tau: null, tauImage: null });
    const settings = parseSettings({ band: { tau: 0.3 } }, "x");
    expect(parseSettings(settings, "its own dump")).toEqual(settings);
  });

  it("gives a JSON schema whose every key has a description and a default", () => {
    const walk = (node: Record<string, unknown>, path: string): string[] =>
      Object.entries((node.properties ?? {}) as Record<string, Record<string, unknown>>).flatMap(([key, property]) =>
        property.properties !== undefined
          ? walk(property, `${path}${key}.`)
          : property.description !== undefined && "default" in property
            ? []
            : [`${path}${key}`],
      );
    expect(walk(settingsJsonSchema() as Record<string, unknown>, "")).toEqual(["$schema"]);
  });
});
