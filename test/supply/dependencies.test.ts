import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..", "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const json = (file: string) => JSON.parse(read(file));

/** The names in the first column of the tables below a heading. */
function named(heading: string): string[] {
  const page = read("docs/dependencies.md");
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows
    .flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name))
    .sort();
}

describe("dependencies", () => {
  const manifest = json("package.json");
  const every = { ...manifest.dependencies, ...manifest.devDependencies };

  it("are each justified on docs/dependencies.md, and no others are", () => {
    const wished = Object.keys(manifest.peerDependencies);
    expect(named("To run")).toEqual([...Object.keys(manifest.dependencies), ...wished].sort());
    const development = Object.keys(manifest.devDependencies).filter((name) => !wished.includes(name));
    expect(named("To build")).toEqual(development.sort());
    const requirements = ["test", "trainers"].map((name) => read(`python/requirements-${name}.txt`)).join("\n");
    const python = [...requirements.matchAll(/^([A-Za-z][\w.-]*)/gm)].map(([, name]) => name);
    expect(named("Python")).toEqual(python.sort());
  });

  it("state the licence that the packages themselves state", () => {
    const page = read("docs/dependencies.md");
    for (const name of Object.keys(every)) {
      const { license } = json(`node_modules/${name}/package.json`);
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``)) ?? "";
      for (const part of String(license).split(/ OR | AND /)) expect(row, name).toContain(part);
    }
  });

  it("are pinned exactly, locked by hash, and run without install scripts", () => {
    for (const [name, version] of Object.entries(every)) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    const { packages } = json("package-lock.json");
    const entries = Object.entries<{ integrity?: string; link?: boolean }>(packages).filter(([path]) => path !== "");
    expect(entries.length).toBeGreaterThan(50);
    for (const [path, { integrity, link }] of entries) if (link !== true) expect(integrity, path).toMatch(/^sha512-/);
    expect(read(".npmrc")).toMatch(/^ignore-scripts=true$/m);
    for (const script of ["preinstall", "install", "postinstall", "prepare"])
      expect(manifest.scripts[script], script).toBeUndefined();
  });
});
