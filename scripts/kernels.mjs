// npm run kernels: the WebAssembly in src/**/compiled/ from the AssemblyScript in src/**/assembly/. With --check it writes nothing, and
// fails where a compiled file is not what its source gives.
import "./setup/node-version.mjs";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import asc from "assemblyscript/asc";
import ts from "typescript";

const root = resolve(import.meta.dirname, "..");
const src = join(root, "src");
const opener = join(src, "kernels/wasm-kernel.ts");
// No relaxed SIMD: Node 20 has none, and its results differ from machine to machine.
// Warning 112 is about vectors that functions pass to each other, which is what these do.
const options = [
  "-O3",
  "--runtime",
  "stub",
  "--enable",
  "simd",
  "--importMemory",
  "--noExportMemory",
  "--disableWarning",
  "112",
];

const isCheck = process.argv.includes("--check");
const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => /\/assembly\/[^/]+\.ts$/.test(file))
  .map((file) => join(src, file));
const imported = new Set(sources.flatMap(importsOf));
// What no other source imports is compiled; the others hold what is shared.
const entries = sources.filter((file) => !imported.has(file)).sort();
for (const source of entries) {
  const path = join(dirname(source), "../compiled", basename(source));
  const text = moduleText(source, path, await compile(source));
  if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
  const name = relative(root, path);
  if (isCheck) {
    console.error(`${name} is not what ${relative(root, source)} gives: npm run kernels`);
    process.exitCode = 1;
    continue;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${name}`);
}
if (process.exitCode !== 1) console.log(`${entries.length} compiled kernels are what their sources give`);

/** The WebAssembly of a source. */
async function compile(source) {
  let code;
  const { error, stderr } = await asc.main([relative(root, source), ...options, "--outFile", "module.wasm"], {
    baseDir: root,
    writeFile: (_, data) => {
      code = data;
    },
  });
  if (error !== null || stderr.toString() !== "")
    throw new Error(`${relative(root, source)}: ${error?.message}\n${stderr}`);
  return code;
}

function importsOf(source) {
  return statementsOf(source)
    .filter((node) => ts.isImportDeclaration(node))
    .map((node) => resolve(dirname(source), node.moduleSpecifier.text));
}

function statementsOf(source) {
  return ts.createSourceFile(source, readFileSync(source, "utf8"), ts.ScriptTarget.Latest).statements;
}

/** The TypeScript that holds the code, and the exported functions' types with their comments. */
function moduleText(source, path, code) {
  const name = basename(source, ".ts");
  const title = name[0].toUpperCase() + name.slice(1);
  const base64 = Buffer.from(code)
    .toString("base64")
    .match(/.{1,110}/g);
  return [
    `// Made from ../assembly/${name}.ts by \`npm run kernels\`: change that file.`,
    `import { kernelMaker } from "${relative(dirname(path), path.startsWith(dirname(opener)) ? opener : join(src, "kernels/index.ts"))}";`,
    "",
    `export interface ${title}Kernel {`,
    ...functionsOf(source).flatMap(signature),
    "}",
    "",
    `export const open${title} = kernelMaker<${title}Kernel>(`,
    "  [",
    ...base64.map((part) => `    "${part}",`),
    '  ].join(""),',
    ");",
    "",
  ].join("\n");
}

/** The exported functions of a source, its own and those it passes on, as [comment, declaration]. */
function functionsOf(source) {
  const text = readFileSync(source, "utf8");
  const statements = statementsOf(source);
  return statements.flatMap((node) => {
    if (ts.isExportDeclaration(node)) {
      const others = importsOf(source).flatMap(functionsOf);
      const names = node.exportClause.elements.map((element) => element.name.text);
      return names.map((name) => others.find(([, declared]) => declared.name.text === name));
    }
    const isExported = ts.getModifiers(node)?.some((each) => each.kind === ts.SyntaxKind.ExportKeyword);
    if (!ts.isFunctionDeclaration(node) || !isExported) return [];
    const comment = ts.getLeadingCommentRanges(text, node.pos)?.at(-1);
    return [[comment === undefined ? "" : text.slice(comment.pos, comment.end), node]];
  });
}

function signature([comment, node]) {
  const parameters = node.parameters.map((each) => `${each.name.text}: number`).join(", ");
  const isVoid = node.type.kind === ts.SyntaxKind.VoidKeyword;
  const lines = comment.split("\n").filter((line) => line !== "");
  return [...lines.map((line) => `  ${line}`), `  ${node.name.text}(${parameters}): ${isVoid ? "void" : "number"};`];
}
