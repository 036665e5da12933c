import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { metricNames } from "../src/evaluate/index.ts";
import { exporterNames } from "../src/exporters/index.ts";
import { importerNames } from "../src/importers/index.ts";
import { exitStatus } from "../src/model/index.ts";
import { minedExtras } from "../src/pool/index.ts";
import { defaults, presetNames, settingsJsonSchema } from "../src/settings/index.ts";
import { styleNames } from "../src/styles/index.ts";

const root = resolve(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

function markdown(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (["node_modules", "dist", ".git", ".venv", "demo-out", ".scratch", ".cache"].includes(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return markdown(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** The anchors of a page: those that GitHub gives to its headings, and those written as `<a id="…">`. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(page, "utf8").replace(/```[\s\S]*?```/g, "");
  const written = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id);
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );
  return [...written, ...headings];
}

function keysOf(tree: object, prefix = ""): string[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? keysOf(value, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  );
}

describe("documents", () => {
  it("link only to files and headings that exist", () => {
    const files = markdown(root);
    expect(files.length).toBeGreaterThan(5);
    const broken: string[] = [];
    let anchors = 0;
    for (const file of files) {
      const text = readFileSync(file, "utf8").replace(/```[\s\S]*?```/g, "");
      for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const page = path === "" ? file : resolve(dirname(file), path);
        if (!existsSync(page)) broken.push(`${relative(root, file)}: ${target}`);
        else if (anchor !== undefined) {
          anchors++;
          if (!anchorsOf(page).includes(anchor)) broken.push(`${relative(root, file)}: no heading for ${target}`);
        }
      }
    }
    expect(broken).toEqual([]);
    expect(anchors).toBeGreaterThan(50);
  });

  it("name only files of src/ that exist in ARCHITECTURE.md", () => {
    const named = [...read("ARCHITECTURE.md").matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.ts)`/g)].map(([, name = ""]) => name);
    const known = named.filter((name) => !name.includes("NAME"));
    expect(known.length).toBeGreaterThan(30);
    expect(known.filter((name) => !existsSync(join(root, "src", name)) && !existsSync(join(root, name)))).toEqual([]);
  });

  it("name every setting with its default in docs/settings.md, and every preset", () => {
    const text = read("docs/settings.md");
    const rows = new Map(
      [...text.matchAll(/^\| `([\w.]+)` \| `?([^|`]*)`? \|/gm)].map(([, key = "", value = ""]) => [key, value.trim()]),
    );
    const at = (path: string): unknown =>
      path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], defaults);
    expect([...rows.keys()].sort()).toEqual(keysOf(defaults).sort());
    for (const [key, value] of rows) expect(`${key} = ${value}`).toBe(`${key} = ${String(at(key))}`);
    for (const preset of presetNames) expect(text).toContain(`\`${preset}\``);
  });

  it("ship the settings' JSON schema as the code has it", () => {
    const inCode = `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`;
    expect(read("assets/nemosaic.schema.json"), "npm run schema writes it").toBe(inCode);
  });

  it.each([
    ["format to import", importerNames, ["docs/import.md"]],
    ["format to export", exporterNames, ["docs/export.md"]],
    ["style", styleNames, ["docs/sampling.md"]],
    ["metric", metricNames.map((name) => name.replace(/@.*/, "@")), ["docs/evaluate.md", "docs/formats/evaluation.md"]],
    [
      "file of a mined set",
      Object.values(minedExtras).flatMap(({ manifest, columns }) => [
        manifest,
        ...Object.values(columns).map(({ file }) => file),
      ]),
      ["docs/formats/pool.md"],
    ],
  ] as const)("name every %s where the architecture says that it is described", (_what, names, files) => {
    expect(names.length).toBeGreaterThan(5);
    const missing = files.flatMap((file) => {
      const text = read(file);
      return names.filter((name) => !text.includes(name)).map((name) => `${file}: ${name}`);
    });
    expect(missing).toEqual([]);
  });

  it("document every error code with its exit status", () => {
    const text = read("docs/errors.md");
    for (const [code, status] of Object.entries(exitStatus)) {
      expect(text, code).toMatch(new RegExp(`^\\| ${status} \\|[^|]*\`${code}\``, "m"));
    }
  });

  it("keep the changelog by version, the newest first, only the first of them unreleased", () => {
    const sections = read("CHANGELOG.md")
      .split(/^## /m)
      .slice(1)
      .map((section) => /^(\d+\.\d+\.\d+) \(([^)]+)\)\n\n- /.exec(section)?.slice(1) ?? [section.slice(0, 40), ""]);
    expect(sections.length).toBeGreaterThan(0);
    for (const [index, [version = "", state = ""]] of sections.entries()) {
      expect(state, version).toMatch(index === 0 ? /^unreleased$|^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\d$/);
      const older = sections[index + 1]?.[0] ?? "0.0.0";
      expect(version.localeCompare(older, "en", { numeric: true }), version).toBeGreaterThan(0);
    }
  });

  it("define each term of the glossary once", () => {
    const terms = [...read("docs/glossary.md").matchAll(/^\| \*\*([^*]+)\*\*/gm)].map(([, term = ""]) => term);
    expect(terms.length).toBeGreaterThan(29);
    expect(new Set(terms).size).toBe(terms.length);
  });

  it("keep to 120 columns, tables, code and single long words apart", () => {
    const long: string[] = [];
    let lines = 0;
    for (const file of markdown(root)) {
      const name = relative(root, file);
      if (/^(test|assets)\//.test(name)) continue;
      let isCode = false;
      for (const [index, line] of readFileSync(file, "utf8").split("\n").entries()) {
        lines++;
        if (line.trimStart().startsWith("```")) isCode = !isCode;
        const isLongWord = !line
          .replace(/`[^`]*`/g, "")
          .trim()
          .replace(/^([-*]|\d+\.) /, "")
          .includes(" ");
        if (line.length > 120 && !isCode && !isLongWord && !line.trimStart().startsWith("|"))
          long.push(`${name}:${index + 1}: ${line.length}`);
      }
    }
    expect(lines).toBeGreaterThan(2000);
    expect(long).toEqual([]);
  });

  it("name no machine's path and no registry's host", () => {
    const broken = markdown(root).filter((file) =>
      /\/(work|root)\/|registry\.npmjs|pypi\.org/.test(readFileSync(file, "utf8")),
    );
    expect(broken.map((file) => relative(root, file))).toEqual([]);
  });
});
