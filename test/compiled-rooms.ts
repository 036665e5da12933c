import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import ts from "typescript";

const root = join(import.meta.dirname, "..");
const source = join(root, "src");

/**
 * Compiles rooms, and those that they import, into dist/ of a new folder from which packages resolve, and returns the
 * folder: threads start from JavaScript only. Remove it when done.
 */
export function compileRooms(...rooms: readonly string[]): string {
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const out = mkdtempSync(join(cache, "nemosaic-rooms-"));
  const wanted = new Set(rooms);
  for (const room of wanted) // a set that grows while it is walked
    for (const file of readdirSync(join(source, room), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || /\.(test|contract)\.ts$/.test(file)) continue;
      const text = readFileSync(join(source, room, file), "utf8");
      for (const other of roomsImportedBy(join(source, room, file), text)) wanted.add(other);
      const { outputText } = ts.transpileModule(text, {
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2023,
          verbatimModuleSyntax: true,
          rewriteRelativeImportExtensions: true,
        },
      });
      const path = join(out, "dist", room, file.replace(/\.ts$/, ".js"));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, outputText);
    }
  writeFileSync(join(out, "package.json"), readFileSync(join(root, "package.json")));
  return out;
}

function roomsImportedBy(path: string, text: string): string[] {
  return ts
    .preProcessFile(text)
    .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
    .map(({ fileName }) => relative(source, resolve(dirname(path), fileName)).split(sep)[0]!)
    .filter((room) => room !== ".."); // package.json
}
