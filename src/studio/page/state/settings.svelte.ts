import {
  parseSettings,
  type ResolvedSettings,
  resolveSettings,
  type ScoreSummary,
  type Settings,
  withSets,
} from "../../../settings/index.ts";
import { fetchSettings, postSettings } from "../api.ts";
import type { SaveAnswer, SettingsInfo } from "../contract.ts";

type Tree = { readonly [key: string]: unknown };

/** The settings that a person turns: never saved unless asked to. */
class SettingsState {
  /** As the file has it. */
  base = $state.raw<Settings>();
  current = $state.raw<Settings>();
  scores = $state.raw<ScoreSummary>();
  path = $state("");
  hash = $state<string | null>(null);
  /** Why the file cannot be used. */
  fileFault = $state<string>();

  /** Thresholds as numbers; undefined as long as "auto" cannot be told. */
  resolved = $derived.by<ResolvedSettings | undefined>(() => {
    if (this.current === undefined) return undefined;
    try {
      return resolveSettings(this.current, this.scores);
    } catch {
      return undefined;
    }
  });

  /** What differs from the base: dotted key and value. */
  changes = $derived.by(() =>
    this.base === undefined || this.current === undefined ? [] : differences(this.current, this.base, ""),
  );

  /** Takes what the file holds and what the studio was started with; `isBegun` where this tab knows the latter already. */
  load(info: SettingsInfo, isBegun: boolean): void {
    this.path = info.path;
    this.hash = info.hash;
    this.fileFault = info.fault;
    this.base = info.saved;
    this.current = isBegun ? this.base : info.start;
  }

  /** Reads the file again, as it was changed elsewhere, and keeps what was changed here on top. */
  async reread(): Promise<void> {
    const mine = this.changes;
    this.load(await fetchSettings(), true);
    for (const { key, value } of mine) this.set(key, value);
  }

  /** Sets one key without asking the schema: for sliders, whose range is the schema's. */
  set(key: string, value: unknown): void {
    if (this.current === undefined) return;
    this.current = withValue(this.current, key.split("."), value) as Settings;
  }

  /** Sets one key as the schema allows; returns what is wrong, if anything. */
  trySet(key: string, value: unknown): string | undefined {
    if (this.current === undefined) return undefined;
    try {
      this.current = parseSettings(withValue(this.current, key.split("."), value), "the form");
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Applies `key=value` words, as a shared address holds them; what does not hold is left out. */
  apply(words: readonly string[]): void {
    for (const word of words) {
      if (this.current === undefined) return;
      try {
        this.current = parseSettings(withSets(this.current, [word]), "the address");
      } catch {
        // an address from another version: the rest of it still counts
      }
    }
  }

  reset(): void {
    this.current = this.base;
  }

  async save(overwrite: boolean): Promise<SaveAnswer> {
    const tree = this.current;
    const answer = await postSettings({ tree, hash: this.hash, overwrite });
    this.hash = answer.hash;
    this.fileFault = undefined;
    this.base = tree;
    return answer;
  }
}

export const settings = new SettingsState();

/** The value of a dotted key. */
export function valueAt(tree: unknown, key: string): unknown {
  return key.split(".").reduce<unknown>((inner, part) => (inner as Tree | undefined)?.[part], tree);
}

function withValue(tree: Tree, [head = "", ...rest]: string[], value: unknown): Tree {
  return { ...tree, [head]: rest.length === 0 ? value : withValue((tree[head] ?? {}) as Tree, rest, value) };
}

function differences(tree: object, base: object, prefix: string): { key: string; value: unknown }[] {
  return Object.entries(tree).flatMap(([name, value]: [string, unknown]) => {
    const other = (base as Tree)[name];
    const key = `${prefix}${name}`;
    const deep = [value, other].every((side) => side !== null && typeof side === "object" && !Array.isArray(side));
    if (deep) return differences(value as object, other as object, `${key}.`);
    return JSON.stringify(value) === JSON.stringify(other) ? [] : [{ key, value }];
  });
}
