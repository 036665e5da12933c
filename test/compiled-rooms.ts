import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const root = join(import.meta.dirname, "..");

/**
 * Compiles rooms into dist/ of a new folder from which packages resolve, and returns the folder: threads start from JavaScript
 * only. Remove it when done.
 */
export function compileRooms(...rooms: readonly string[]): string {
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const out = mkdtempSync(join(cache, "nemosaic-rooms-"));
  for (const file of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })) {
    const isWanted = rooms.includes(file.split(/[\\/]/)[0] ?? "") && file.endsWith(".ts");
    if (!isWanted || /\.(test|contract)\.ts$/.test(file)) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(root, "src", file), "utf8"), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const path = join(out, "dist", file.replace(/\.ts$/, ".js"));
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, outputText);
  }
  writeFileSync(join(out, "package.json"), readFileSync(join(root, "package.json")));
  return out;
}
