import { isAbsolute } from "node:path";
import { fail } from "../model/index.ts";

/** What the environment says about decoded images that are kept (docs/performance.md); undefined where it says nothing. */
export interface TileVariables {
  readonly mode: "use" | "build" | "off" | undefined;
  readonly maxBytes: number | undefined;
  readonly folder: string | undefined;
}

const modes = ["use", "build", "off"] as const;

/** Reads NEMOSAIC_TILES, NEMOSAIC_TILES_MAX_BYTES and NEMOSAIC_TILES_FOLDER. Errors: "usage" for what they cannot be. */
export function readTileVariables(environment: NodeJS.ProcessEnv = process.env): TileVariables {
  const given = (name: string): string | undefined => environment[name] || undefined;
  const named = given("NEMOSAIC_TILES");
  const mode = modes.find((one) => one === named);
  if (named !== undefined && mode === undefined)
    fail("usage", `expected NEMOSAIC_TILES to be one of ${modes.join(", ")}, got "${named}"`);
  const bytes = given("NEMOSAIC_TILES_MAX_BYTES");
  const folder = given("NEMOSAIC_TILES_FOLDER");
  if (folder !== undefined && !isAbsolute(folder))
    fail("usage", `expected NEMOSAIC_TILES_FOLDER to be a path from the root, got "${folder}"`);
  return { mode, maxBytes: bytes === undefined ? undefined : parseBytes(bytes, "NEMOSAIC_TILES_MAX_BYTES"), folder };
}

/** A number of bytes, with K, M, G or T for powers of 1000. Errors: "usage", with the option's `name`. */
export function parseBytes(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)B?$/i.exec(text);
  const power = "KMGT".indexOf(match?.[2]?.toUpperCase() || "-") + 1;
  const value = match === null ? Number.NaN : Math.floor(Number(match[1]) * 1000 ** power);
  return Number.isSafeInteger(value) ? value : fail("usage", `expected bytes such as 20G for ${name}, got "${text}"`);
}
