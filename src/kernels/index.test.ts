import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

it("kernels use nothing that a browser lacks and import nothing but each other", () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    const text = readFileSync(join(import.meta.dirname, file), "utf8");
    expect(text, file).not.toMatch(/\bBuffer\b|\bprocess\b|\bglobal\b|node:/);
    const targets = [...text.matchAll(/\bfrom\s+"([^"]+)"/g)].map((match) => match[1]!);
    for (const target of targets) expect(files, `${file} imports ${target}`).toContain(target.replace(/^\.\//, ""));
  }
});
