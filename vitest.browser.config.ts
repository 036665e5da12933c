import { defineConfig } from "vitest/config";

// The tests that drive a real Chromium, one file at a time: two browsers on two cores would time each other out.
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    pool: "forks",
    fileParallelism: false,
  },
});
