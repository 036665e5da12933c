import { describe, expect, it } from "vitest";
import { defaults, type ResolvedSettings } from "../settings/index.ts";
import { limitsText, ruleInForce } from "./index.ts";

const off = { risk: null, tau: null, tauImage: null, tauText: null, margin: null, ratio: null };
const settings = (change: Partial<ResolvedSettings["band"]>) => ({ band: { ...defaults.band, ...off, ...change } });
const sparse = { isComplete: false, reason: "of 9 landmarks, 12 % are annotated" };

describe("limitsText", () => {
  it("names the limits in force, short", () => {
    expect(limitsText(settings({ risk: 0.03, tau: 0.4 }), true)).toBe("risk at most 3 %, τ 0.400");
    expect(limitsText(settings({ tauText: 0.5 }), true)).toBe("τₜ 0.5");
    expect(limitsText(settings({}), true)).toBe("the guards alone");
  });

  it("writes every share as people do", () => {
    for (const percent of [0.2, 0.5, 1, 7, 14, 28, 29, 55, 57, 58])
      expect(limitsText(settings({ risk: percent / 100 }), true)).toBe(`risk at most ${percent} %`);
  });

  it("says that ranks stand in where risk is not known", () => {
    expect(limitsText(settings({ risk: 0.03 }), false)).toBe("without the best 5 % of ranks");
  });
});

describe("ruleInForce", () => {
  it("gives the rule and why", () => {
    expect(ruleInForce(settings({ risk: 0.07, ratio: 1.1 }), undefined)).toBe(
      "risk: at most 7 % estimated chance to be true, and scores: ratio 1.1",
    );
    expect(ruleInForce(settings({ risk: 0.03 }), sparse)).toMatch(/^ranks: .* are sparse \(of 9 landmarks/);
    expect(ruleInForce(settings({}), undefined)).toBe("none: the guards alone");
  });
});
