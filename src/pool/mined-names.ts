import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { exists, ifMissing } from "../io/index.ts";

/** The name under mined/ that settings have unless somebody writes another. */
const standardName = "default";

/** The finished sets of candidates of the pool at `folder`, in the order of their names. */
export async function minedNames(folder: string): Promise<string[]> {
  const place = join(folder, "mined");
  const names = await readdir(place).catch(ifMissing([]));
  const isWhole = await Promise.all(names.map((name) => exists(join(place, name, "mined.json"))));
  return names.filter((_, at) => isWhole[at]).sort();
}

/**
 * The set to draw from: `wanted`; where that is the standard name, nothing has it and the pool has one other set, that one.
 * `wanted` need not exist.
 */
export async function chooseMined(folder: string, wanted: string): Promise<string> {
  if (wanted !== standardName) return wanted;
  const names = await minedNames(folder);
  const [only] = names;
  return names.length === 1 && only !== undefined ? only : wanted;
}

/** "; it has mined/a and mined/b: set mined to one of them", or nothing where there is none. */
export async function suggestNames(folder: string): Promise<string> {
  const names = await minedNames(folder);
  if (names.length === 0) return "";
  return `; it has ${names.map((name) => `mined/${name}`).join(", ")}: name one of them (--set mined=${names[0]})`;
}
