import { readFile } from "node:fs/promises";
import { hashBytes, writeFileAtomic } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { parseSettings } from "../../settings/index.ts";
import type { SaveAnswer, SaveRequest } from "../page/contract.ts";

/** The hash of the settings file as it is now; null where there is none. */
export async function settingsFileHash(path: string): Promise<string | null> {
  const bytes = await readOrNothing(path);
  return bytes === undefined ? null : hashBytes(bytes);
}

/**
 * Writes what differs from the preset as nemosaic.json. Keeps the preset and the `$schema` of a file that is there.
 * Errors: "settings" for settings that do not hold; "exists" where the file changed since `request.hash`.
 */
export async function saveSettings(path: string, request: SaveRequest): Promise<SaveAnswer> {
  const wanted = parseSettings(request.tree, "the studio's page");
  const bytes = await readOrNothing(path);
  const hash = bytes === undefined ? null : hashBytes(bytes);
  if (hash !== request.hash && !request.overwrite) {
    const what = hash === null ? "was removed" : request.hash === null ? "exists already" : "was changed";
    fail("exists", `"${path}" ${what} since the studio read it`);
  }
  const old = bytes === undefined ? {} : headOf(bytes);
  const preset = typeof old.preset === "string" ? old.preset : undefined;
  const base = presetOr(preset);
  const tree = {
    ...(old.$schema === undefined ? {} : { $schema: old.$schema }),
    ...(base.name === undefined ? {} : { preset: base.name }),
    ...difference(wanted, base.settings),
  };
  const text = `${JSON.stringify(tree, undefined, 2)}\n`;
  await writeFileAtomic(path, text);
  return { path, hash: hashBytes(text), text };
}

/** The members of `tree` that differ from `base`, as deep as both are objects. */
export function difference(tree: object, base: object): Record<string, unknown> {
  const below = base as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]: [string, unknown]): [string, unknown][] => {
      const other = below[key];
      if (isObject(value) && isObject(other)) {
        const inner = difference(value, other);
        return Object.keys(inner).length === 0 ? [] : [[key, inner]];
      }
      return JSON.stringify(value) === JSON.stringify(other) ? [] : [[key, value]];
    }),
  );
}

function presetOr(name: string | undefined): { name: string | undefined; settings: object } {
  try {
    return { name, settings: parseSettings(name === undefined ? {} : { preset: name }, "the preset") };
  } catch {
    return { name: undefined, settings: parseSettings({}, "the defaults") };
  }
}

function headOf(bytes: Uint8Array): { preset?: unknown; $schema?: unknown } {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? value : {};
  } catch {
    return {}; // a damaged file: the page asked to overwrite it
  }
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

async function readOrNothing(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
