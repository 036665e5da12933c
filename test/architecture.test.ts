import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/** The rooms of src/ and whom each may import: the table of ARCHITECTURE.md as data. */
const everyRoom = "*";
const rooms: Record<string, readonly string[] | typeof everyRoom> = {
  model: [],
  kernels: [],
  language: ["model"],
  io: ["model"],
  tokens: ["model", "io"],
  codecs: ["model", "kernels"],
  artefacts: ["model", "io", "codecs"],
  styles: ["model", "kernels", "language"],
  settings: ["model", "styles"],
  importers: ["model", "kernels", "io", "codecs"],
  scenes: ["model", "kernels", "io", "codecs", "language"],
  pool: ["model", "kernels", "io", "codecs", "artefacts"],
  relevance: ["model", "kernels", "io", "codecs", "artefacts", "tokens", "pool"],
  mining: ["model", "kernels", "io", "codecs", "artefacts", "pool", "risk", "sentences"],
  band: ["model", "kernels", "settings"],
  plan: ["model", "kernels", "styles", "settings", "band"],
  mosaic: ["model", "kernels"],
  tiles: ["model", "kernels", "io", "codecs", "artefacts", "pool"],
  loader: [
    "model",
    "kernels",
    "language",
    "io",
    "tokens",
    "codecs",
    "styles",
    "settings",
    "pool",
    "band",
    "plan",
    "mosaic",
    "tiles",
    "risk",
    "sentences",
  ],
  steps: [
    "model",
    "io",
    "artefacts",
    "settings",
    "language",
    "importers",
    "pool",
    "relevance",
    "mining",
    "mosaic",
    "tiles",
    "loader",
  ],
  sheets: ["model", "kernels", "io", "codecs", "settings", "pool", "band", "plan", "mosaic", "tiles", "loader"],
  serve: ["loader", "model", "io", "codecs", "settings", "pool", "tiles"],
  exporters: ["loader", "model", "io", "codecs", "settings", "pool"],
  evaluate: ["model", "kernels", "io", "codecs", "language", "settings", "pool", "band"],
  doctor: ["model", "kernels", "io", "codecs", "language", "settings", "pool", "band"],
  risk: ["model", "kernels", "language", "pool"],
  sentences: ["kernels", "language", "pool", "risk"],
  analysis: ["model", "kernels", "io", "codecs", "language", "settings", "pool", "band", "risk"],
  studio: everyRoom,
  cli: everyRoom,
};
/** The browser page sees the pure rooms only. */
const pageRooms = ["model", "kernels", "language", "settings", "band"];
/** Packages that only the named room may import. */
const reserved: Record<string, string> = { sharp: "codecs", "@huggingface/tokenizers": "tokens", commander: "cli" };

const root = resolve(import.meta.dirname, "..");
const src = join(root, "src");

interface Edge {
  readonly file: string;
  readonly target: string;
}

function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.(ts|svelte)$/.test(entry.name) && !/\.d\.ts$/.test(entry.name) ? [path] : [];
  });
}

/** Static, side-effect, re-export, type-only and dynamic imports, with comments removed first. */
function importsOf(file: string): Edge[] {
  const text = readFileSync(file, "utf8")
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
  const found = [
    ...text.matchAll(/(?:^|[\s;}])(?:import|export)\s+(?:type\s+)?(?:[\w*{}\s,$]+\s+from\s+)?["']([^"']+)["']/g),
    ...text.matchAll(/\bimport\s*\(\s*["']([^"']+)["']/g),
  ];
  return found.map((match) => ({ file, target: match[1] ?? "" }));
}

const roomOf = (path: string): string => relative(src, path).split("/")[0] ?? "";
const files = sourceFiles(src);
const tested = files.filter((file) => !/\.(test|contract)\.ts$/.test(file));
const edges = tested.flatMap(importsOf);

describe("architecture", () => {
  it("looks at real files and real imports", () => {
    expect(tested.length).toBeGreaterThan(20);
    expect(edges.length).toBeGreaterThan(50);
  });

  it("knows every room of src/", () => {
    const seen = new Set(tested.map(roomOf).filter((room) => !/\.ts$/.test(room)));
    expect([...seen].filter((room) => !(room in rooms))).toEqual([]);
  });

  it("allows only the edges of the table, through index.ts, without leaving src/", () => {
    const broken: string[] = [];
    for (const { file, target } of edges) {
      if (!target.startsWith(".")) continue;
      const path = resolve(dirname(file), target);
      const from = roomOf(file);
      const to = roomOf(path);
      if (relative(src, path).startsWith("..")) {
        if (!/package\.json$/.test(path)) broken.push(`${relative(root, file)} leaves src/: ${target}`);
        continue;
      }
      if (/\.ts$/.test(from)) continue; // src/index.ts, the library's public face
      const inPage = relative(src, file).startsWith("studio/page/");
      if (from === to && !inPage) continue;
      if (from === to) {
        if (!relative(src, path).startsWith("studio/page/"))
          broken.push(`${relative(root, file)} -> ${target}: the page is apart from the server`);
        continue;
      }
      const allowed = inPage ? pageRooms : rooms[from];
      if (allowed !== everyRoom && !(allowed ?? []).includes(to))
        broken.push(`${relative(root, file)}: ${from} may not import ${to}`);
      if (!/^[^/]+\/index\.ts$/.test(relative(src, path)))
        broken.push(`${relative(root, file)}: import ${to} through its index.ts, not ${target}`);
    }
    expect(broken).toEqual([]);
  });

  it("opens every room's index.ts with a sentence on what the room holds, and exports by name", () => {
    const indexes = tested.filter((file) => /\/index\.ts$/.test(file));
    expect(indexes.length).toBeGreaterThan(25);
    const everything = indexes.filter((file) => /^export \*/m.test(readFileSync(file, "utf8")));
    expect(everything.map((file) => relative(root, file))).toEqual([]);
    const silent = Object.keys(rooms).filter((room) => {
      const file = join(src, room, "index.ts");
      const opening = new RegExp(`^/\\*\\*\\s+(?:\\* )?The room \`${room}\`: \\S[^.]*\\.`);
      return existsSync(file) ? !opening.test(readFileSync(file, "utf8")) : room !== "cli";
    });
    expect(silent).toEqual([]);
  });

  it("imports only files that exist", () => {
    const missing = edges.filter(
      ({ file, target }) => target.startsWith(".") && !existsSync(resolve(dirname(file), target)),
    );
    expect(missing).toEqual([]);
  });

  it("keeps each reserved package in its room", () => {
    const broken = edges.filter(({ file, target }) => {
      const room = Object.entries(reserved).find(([name]) => target === name || target.startsWith(`${name}/`))?.[1];
      return room !== undefined && roomOf(file) !== room;
    });
    expect(broken.map(({ file, target }) => `${relative(root, file)}: ${target}`)).toEqual([]);
  });

  it("has no cycles between rooms", () => {
    const graph = new Map<string, Set<string>>();
    for (const { file, target } of edges) {
      if (!target.startsWith(".")) continue;
      const from = roomOf(file);
      const to = roomOf(resolve(dirname(file), target));
      if (from !== to) graph.set(from, (graph.get(from) ?? new Set()).add(to));
    }
    const reaches = (from: string, goal: string, seen: Set<string>): boolean =>
      [...(graph.get(from) ?? [])].some(
        (next) => next === goal || (!seen.has(next) && reaches(next, goal, seen.add(next))),
      );
    expect([...graph.keys()].filter((room) => reaches(room, room, new Set()))).toEqual([]);
  });

  it("keeps clocks, Math.random and console out of the pure rooms", () => {
    const free = new Set(["cli", "studio", "io", "serve"]);
    const broken = tested.filter((file) => {
      if (free.has(roomOf(file))) return false;
      return /\bMath\.random\(|\bDate\.now\(|\bnew Date\(|\bconsole\.|\bprocess\.env\b/.test(
        readFileSync(file, "utf8"),
      );
    });
    expect(broken.map((file) => relative(root, file))).toEqual([]);
  });

  it("writes private members as #x; only constructors can be private by word alone", () => {
    const broken = files.filter((file) =>
      /^\s*(?:private|protected)\s+(?!constructor\b)/m.test(readFileSync(file, "utf8")),
    );
    expect(broken.map((file) => relative(root, file))).toEqual([]);
  });

  it("asserts with ! only behind an index or a look-up, and with no cast in its place", () => {
    const broken = tested.filter((file) => {
      const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return (
        /\] as (?:number|string)\b(?!\[)/.test(text) ||
        /\w!(?:[.;,)\]]|\[|$)/m.test(text.replace(/(["'`])(?:\\.|(?!\1).)*\1/g, ""))
      );
    });
    expect(broken.map((file) => relative(root, file))).toEqual([]);
  });

  it("matches the table in ARCHITECTURE.md", () => {
    const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
    const rows = [...text.matchAll(/^\| `([\w/]+)` \|[^|]*\| ([^|]*) \|$/gm)];
    const table = Object.fromEntries(rows.map((row) => [row[1], row[2]?.trim()]));
    const asText = (allowed: readonly string[] | typeof everyRoom): string =>
      allowed === everyRoom ? "every room" : allowed.length === 0 ? "–" : allowed.join(", ");
    const expected = Object.fromEntries(Object.entries(rooms).map(([room, allowed]) => [room, asText(allowed)]));
    expect(table).toEqual({ ...expected, "studio/page": asText(pageRooms) });
  });

  it("has no file called utils, helpers, common or misc", () => {
    expect(files.filter((file) => /\/(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});
