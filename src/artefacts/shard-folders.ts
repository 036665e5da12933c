import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Shard, shardText } from "../io/index.ts";
import { fail, quoteValue } from "../model/index.ts";

/** A shard's folder and what its files say. */
export interface ShardFolder {
  readonly shard: Shard;
  readonly folder: string;
}

/** Where a shard of the work in `folder` leaves its part: parts/2-of-8. */
export function shardFolder(folder: string, { index, count }: Shard): string {
  return join(folder, partsName, `${index}-of-${count}`);
}

/** The folder that holds the parts. */
export function partsFolder(folder: string): string {
  return join(folder, partsName);
}

/**
 * The parts that shards left in `folder`, in order; undefined where there are none. `isFinished` looks at one.
 * Errors: "incomplete" naming the shards that are missing or unfinished; "bad-input" for parts of runs with different
 * numbers of shards, and for names that are no parts.
 */
export async function shardFolders(
  folder: string,
  isFinished: (part: ShardFolder) => Promise<boolean>,
): Promise<ShardFolder[] | undefined> {
  const place = partsFolder(folder);
  const names = await readdir(place).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    return fail("io", `cannot read the folder of parts "${place}": ${error.message}`, error);
  });
  if (names.length === 0) return undefined;
  const parts = names.map((name): ShardFolder => {
    const match = /^(\d{1,7})-of-(\d{1,7})$/.exec(name);
    const shard = { index: Number(match?.[1]), count: Number(match?.[2]) };
    if (match === null || !(shard.index < shard.count))
      fail("bad-input", `expected parts such as "0-of-8" in "${place}", found ${quoteValue(name)}; move it away`);
    return { shard, folder: join(place, name) };
  });
  parts.sort((a, b) => a.shard.count - b.shard.count || a.shard.index - b.shard.index);
  const counts = [...new Set(parts.map(({ shard }) => shard.count))];
  const [count = 0] = counts;
  if (counts.length > 1)
    fail(
      "bad-input",
      `expected parts of one run in "${place}", found some of runs with ${counts.join(" and ")} shards; remove those of all but one`,
    );
  const finished = new Map<number, ShardFolder>();
  for (const part of parts) if (await isFinished(part)) finished.set(part.shard.index, part);
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !finished.has(index));
  if (missing.length > 0) {
    const some = missing.slice(0, 20).map((index) => shardText({ index, count }));
    fail(
      "incomplete",
      `shards not finished in "${place}": ${some.join(", ")}${missing.length > 20 ? `, … (${missing.length})` : ""}; run them, then merge`,
    );
  }
  return parts;
}

/**
 * Asserts that parts belong together: each is the shard that its folder's name says, and all were made by one `key` (a
 * hash of everything that decides the result). Errors: "bad-input" naming the two parts that differ.
 */
export function requireSameRun(
  parts: readonly { readonly part: ShardFolder; readonly said: Shard; readonly key: string; readonly facts: unknown }[],
): void {
  const [first] = parts;
  for (const { part, said, key, facts } of parts) {
    if (said.index !== part.shard.index || said.count !== part.shard.count) {
      fail(
        "bad-input",
        `expected shard ${shardText(part.shard)} in "${part.folder}", found a second copy of ${shardText(said)}; remove it and run the shard`,
      );
    }
    if (first !== undefined && key !== first.key) {
      fail(
        "bad-input",
        `"${part.folder}" and "${first.part.folder}" were made with different settings (${difference(first.facts, facts)}); run one of them again`,
      );
    }
  }
}

function difference(a: unknown, b: unknown, path = ""): string {
  if (isTree(a) && isTree(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (JSON.stringify(a[key]) !== JSON.stringify(b[key]))
        return difference(a[key], b[key], path === "" ? key : `${path}.${key}`);
    }
  }
  return `${path || "key"}: ${quoteValue(a)} and ${quoteValue(b)}`;
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

const partsName = "parts";
