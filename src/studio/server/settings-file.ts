import { readFile } from "node:fs/promises";
import { hashBytes, writeFileAtomic } from "../../io/index.ts";
import { fail } from "../../model/index.ts";
import { parseSettings, type Settings, settingsTree, withSets } from "../../settings/index.ts";
import type { SaveAnswer, SaveRequest, SettingsInfo } from "../page/contract.ts";

/** What the command line puts over the file; the page may save it, or not. */
export interface StartWords {
  readonly preset?: string | undefined;
  /** `key=value` words of --set. */
  readonly set: readonly string[];
}

type Tree = Readonly<Record<string, unknown>>;

/** The settings file as the page sees it: read anew for every page, because people edit it elsewhere too. */
export class SettingsFile {
  readonly path: string;
  readonly #minedNames: readonly string[];
  /** Over the file until something is saved: from then on the file holds what the person wants. */
  #words: StartWords | undefined;
  /** The tree read last that held: shown where the file is damaged now. */
  #lastTree: Tree = {};

  constructor(path: string, words: StartWords, minedNames: readonly string[]) {
    this.path = path;
    this.#words = words;
    this.#minedNames = minedNames;
  }

  /** The file as it is now, with the hash of exactly these bytes; what is wrong with it is said, not thrown. */
  async read(): Promise<SettingsInfo> {
    const bytes = await readOrNothing(this.path);
    const hash = bytes === undefined ? null : hashBytes(bytes);
    try {
      const tree = bytes === undefined ? {} : settingsTree(new TextDecoder().decode(bytes), this.path);
      const saved = parseSettings(tree, `"${this.path}"`);
      const start = this.#start(tree);
      this.#lastTree = tree;
      return { path: this.path, hash, saved, start };
    } catch (error) {
      // Without its hash: it is written over only when the person says so.
      const saved = parseSettings(this.#lastTree, "the settings read before");
      return {
        path: this.path,
        hash: null,
        saved,
        start: this.#start(this.#lastTree),
        fault: (error as Error).message,
      };
    }
  }

  /**
   * Writes what differs from the preset as nemosaic.json. Keeps the preset and the `$schema` of a file that is there.
   * Errors: "settings" for settings that do not hold; "exists" where the file changed since `request.hash`.
   */
  async save(request: SaveRequest): Promise<SaveAnswer> {
    const wanted = parseSettings(request.tree, "the studio's page");
    const bytes = await readOrNothing(this.path);
    const hash = bytes === undefined ? null : hashBytes(bytes);
    if (hash !== request.hash && !request.overwrite) {
      const what = hash === null ? "was removed" : request.hash === null ? "exists already" : "was changed";
      fail("exists", `"${this.path}" ${what} since the studio read it`);
    }
    const old = bytes === undefined ? {} : headOf(bytes);
    const preset = typeof old.preset === "string" ? old.preset : undefined;
    const base = presetOr(preset);
    const tree: Record<string, unknown> = {
      ...(old.$schema === undefined ? {} : { $schema: old.$schema }),
      ...(base.name === undefined ? {} : { preset: base.name }),
      ...difference(wanted, base.settings),
    };
    // A threshold that is named switches the rule of risk off where this is not named too: name what else differs then.
    const left = difference(wanted, parseSettings(tree, "what is saved"));
    for (const [group, members] of Object.entries(left)) {
      const there = tree[group];
      tree[group] = isObject(there) && isObject(members) ? { ...there, ...members } : members;
    }
    const text = `${JSON.stringify(tree, undefined, 2)}\n`;
    await writeFileAtomic(this.path, text);
    this.#words = undefined;
    this.#lastTree = tree;
    return { path: this.path, hash: hashBytes(text), text };
  }

  /** What the page starts with: the file's tree with the command's words over it, and a mined set that there is. */
  #start(tree: Tree): Settings {
    const { preset, set = [] } = this.#words ?? {};
    const start = parseSettings(withSets(preset === undefined ? tree : { ...tree, preset }, set), "the command line");
    const [first] = this.#minedNames;
    return first === undefined || this.#minedNames.includes(start.mined) ? start : { ...start, mined: first };
  }
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
