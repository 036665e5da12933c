import { describe, expect, it } from "vitest";
import { explainSingles, singleCaption } from "./single-caption.ts";

describe("singleCaption", () => {
  it("tells a small band from words that no cell keeps true, and from chance", () => {
    expect(singleCaption("single")).toBe("single: too few images fit beside it");
    expect(singleCaption("placement")).toBe("single: words hold only here");
    expect(singleCaption(undefined)).toBe("single image");
  });
});

describe("whyWhole", () => {
  const plan = (kind: "single" | "mined", policy?: "placement") => ({
    kind,
    why: { negatives: [], ...(policy === undefined ? {} : { policy }) } as never,
  });

  it("says in plain words why no draw is a mosaic, and nothing where one is", () => {
    expect(explainSingles([plan("single", "placement"), plan("single", "placement")])).toMatch(
      /^Training sees this one as it is, never in a mosaic: the words say where in the picture it is, .*wrong\.$/,
    );
    expect(explainSingles([plan("single", "placement"), plan("mined")])).toBeUndefined();
  });
});
