import { describe, expect, it } from "vitest";
import { trainerNames } from "./trainer-names.ts";

describe("trainerNames", () => {
  it.each([
    ["refer", { name: "refcoco-unc", splitBy: "unc" }, {}, "refcoco", "unc"],
    ["refer", { name: "refcoco+" }, {}, "refcoco+", "unc"],
    ["refer", { name: "refcocog-google", splitBy: "google" }, {}, "refcocog", "google"],
    ["refer", { name: "refcocog" }, {}, "refcocog", "umd"],
    ["refer", { name: "rrsisd", splitBy: "unc" }, {}, "rrsisd", "unc"],
    ["refer", { name: "robots", splitBy: "final" }, {}, "refcoco", "unc"],
    ["refer", { name: "refcocog-google", splitBy: "google" }, { dataset: "refcoco" }, "refcoco", "unc"],
    ["refer", undefined, { dataset: "refcocog", splitBy: "google" }, "refcocog", "google"],
    ["cris-lmdb", { name: "refcocog-umd", splitBy: "umd" }, {}, "refcocog_u", "umd"],
    ["cris-lmdb", { name: "refcocog-google", splitBy: "google" }, {}, "refcocog_g", "google"],
    ["cris-lmdb", undefined, { dataset: "refcocog" }, "refcocog_u", "umd"],
    ["cris-lmdb", undefined, { dataset: "refcoco_mixed" }, "refcoco_mixed", "unc"],
  ])("names an export as %s of %j with %j %s, split by %s", (format, source, given, dataset, splitBy) => {
    expect(trainerNames(format, source, given)).toEqual({ dataset, splitBy });
  });
});
