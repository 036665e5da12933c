import { describe, expect, it } from "vitest";
import { hubAccess, hubCacheDir } from "./hub-access.ts";

describe("hubAccess", () => {
  it("leaves the cache's place alone until it is needed", () => {
    expect(hubAccess({ HF_HOME: "/hf" }).cacheDir).toBe("/hf/hub");
    expect(hubAccess({}, { cacheDir: "/c" }).cacheDir).toBe("/c");
  });
});

describe("hubCacheDir", () => {
  // As Node answers for the number of a user that no passwd entry has: containers run so.
  const noHome = (): string => {
    throw new Error("A system error occurred: uv_os_homedir returned ENOENT");
  };

  it("tells a user without a home folder what to set", () => {
    expect(() => hubCacheDir({}, noHome)).toThrow(/HOME is not set.*set HF_HOME, or name one with --cache-dir/);
    expect(() => hubCacheDir({ HF_HOME: "~/hf" }, noHome)).toThrow(/HOME is not set/);
    expect(hubCacheDir({ HF_HOME: "/hf" }, noHome)).toBe("/hf/hub");
    expect(hubCacheDir({ HOME: "/home/a" }, noHome)).toBe("/home/a/.cache/huggingface/hub");
  });
});
