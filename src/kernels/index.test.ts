import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";

it("kernels use nothing that a browser lacks and import nothing but each other", () => {
  const room = import.meta.dirname;
  const files = readdirSync(room, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(?<!\.(?:test|contract))\.ts$/.test(name),
  );
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    const text = readFileSync(join(room, file), "utf8");
    expect(text, file).not.toMatch(/\bBuffer\b|\bprocess\b|\bglobal\b|node:/);
    for (const [, target] of text.matchAll(/\bfrom\s+"([^"]+)"/g)) {
      expect(target, file).toMatch(/^\.{1,2}\//);
      const path = join(room, dirname(file), target!);
      expect(relative(room, path), `${file} imports ${target}`).not.toMatch(/^\.\./);
      expect(existsSync(path), `${file} imports ${target}`).toBe(true);
    }
  }
});
