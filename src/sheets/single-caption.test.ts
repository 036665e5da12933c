import { describe, expect, it } from "vitest";
import { singleCaption } from "./single-caption.ts";

describe("singleCaption", () => {
  it("tells a small band from words that no cell keeps true, and from chance", () => {
    expect(singleCaption("single")).toBe("single image: the band is too small");
    expect(singleCaption("placement")).toBe("single image: no cell keeps it true");
    expect(singleCaption(undefined)).toBe("single image");
  });
});
