import { readFile } from "node:fs/promises";
import { exists, writeFileAtomic } from "../io/index.ts";
import { fail } from "../model/index.ts";
import { parseSettings, settingsTree } from "../settings/index.ts";

type Tree = Readonly<Record<string, unknown>>;

/** What the file holds now; undefined where there is none. Errors: "settings" where it is damaged: before the long work. */
export async function readSettingsTree(path: string): Promise<Tree | undefined> {
  if (!(await exists(path))) return undefined;
  const text = await readFile(path, "utf8").catch((error: Error) =>
    fail("bad-input", `expected a settings file at "${path}", and it cannot be read: ${error.message}`, error),
  );
  const tree = settingsTree(text, path);
  parseSettings(tree, `"${path}"`);
  return tree;
}

/**
 * Puts `band` into the group "band" of the settings file that held `before`, all else kept; says what it did.
 * Errors: "exists" where that changes a file, without `force`; "settings" where the whole does not hold.
 */
export async function writeBandSettings(
  path: string,
  before: Tree | undefined,
  band: Tree | null,
  force: boolean,
): Promise<string> {
  if (band === null) return `"${path}" is left as it is: there is no advice to write`;
  const old = (before?.band ?? {}) as Tree;
  const changed = Object.entries(band).filter(([key, value]) => old[key] !== value);
  if (before !== undefined && changed.length === 0) return `"${path}" holds this already`;
  const words = changed.map(([key, value]) => `band.${key} = ${JSON.stringify(value)}`).join(", ");
  if (before !== undefined && !force)
    fail("exists", `"${path}" would change (${words}); --force changes it, and keeps what else it holds`);
  const tree = { ...before, band: { ...old, ...band } };
  parseSettings(tree, `"${path}"`);
  await writeFileAtomic(path, `${JSON.stringify(tree, undefined, 2)}\n`);
  return `wrote "${path}": ${words}`;
}
