import { join, relative, resolve } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Whether a declaration of `symbol`, or the statement that it stands in, has a doc comment with words in it. */
function hasComment(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== "";
}

/** The public methods, accessors and statics of an exported class. */
function publicMethods(symbol: ts.Symbol): ts.Symbol[] {
  const members = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])];
  return members.filter((member) =>
    member.declarations?.some(
      (declaration) =>
        (ts.isMethodDeclaration(declaration) || ts.isGetAccessor(declaration)) &&
        !ts.isPrivateIdentifier(declaration.name) &&
        !ts.isComputedPropertyName(declaration.name) &&
        (ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) === 0,
    ),
  );
}

describe("the public interface", () => {
  it("has a doc comment on every export of the library and every public method", { timeout: 120_000 }, () => {
    const entry = join(root, "src", "index.ts");
    const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const program = ts.createProgram([entry], options);
    const checker = program.getTypeChecker();
    const source = program.getSourceFile(entry);
    const module = source && checker.getSymbolAtLocation(source);
    if (module === undefined) throw new Error(`${entry} exports nothing`);
    const symbols = checker
      .getExportsOfModule(module)
      .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
    expect(symbols.length).toBeGreaterThan(60);
    const bare = symbols.flatMap((symbol) => {
      const named = [symbol, ...(symbol.flags & ts.SymbolFlags.Class ? publicMethods(symbol) : [])];
      const file = relative(root, symbol.declarations?.[0]?.getSourceFile().fileName ?? "");
      return named
        .filter((one) => !hasComment(one, checker))
        .map((one) => `${file}: ${symbol.name}${one === symbol ? "" : `.${one.name}`}`);
    });
    expect(bare).toEqual([]);
  });
});
