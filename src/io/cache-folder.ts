import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where a user's programs keep what can be made again: XDG_CACHE_HOME/nemosaic, else ~/.cache/nemosaic. Undefined for a
 * user without a home. Makes nothing.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env, home = findHome()): string | undefined {
  const { XDG_CACHE_HOME: named = "" } = environment;
  if (isAbsolute(named)) return join(named, "nemosaic");
  return isAbsolute(home) && home !== "/" ? join(home, ".cache", "nemosaic") : undefined;
}

/** Empty for a user whom the system does not know, and who does not say. */
function findHome(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}
