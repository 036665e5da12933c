import { homedir } from "node:os";
import { join } from "node:path";
import { fail } from "../../model/index.ts";

/** How to reach the Hugging Face hub and where to keep what comes from it. */
export interface HubAccess {
  /** Folder in the layout of Python's huggingface_hub, so that both share it. */
  readonly cacheDir: string;
  /** Origin of the hub or of a mirror, without a slash at the end. */
  readonly endpoint: string;
  /** For gated and private repositories; sent to the endpoint only. */
  readonly token: string | undefined;
  /** Branch, tag or commit where the id names none. */
  readonly revision: string;
  /** Never touch the network. */
  readonly offline: boolean;
  /** Pauses before each new attempt of a cut or refused transfer, ms; their number is that of the attempts. */
  readonly retryAfterMs: readonly number[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The hub's conventions for the environment: HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the cache's variables. The caller
 * passes the environment in; this room never reads it.
 */
export function hubAccess(environment: Environment, options: Partial<HubAccess> = {}): HubAccess {
  const endpoint = options.endpoint ?? filled(environment.HF_ENDPOINT) ?? "https://huggingface.co";
  return {
    // Asked for only where a model comes from the hub: a user without a home folder may have another model.
    get cacheDir() {
      return options.cacheDir ?? hubCacheDir(environment);
    },
    endpoint: endpoint.replace(/\/+$/, ""),
    token: options.token ?? filled(environment.HF_TOKEN) ?? filled(environment.HUGGING_FACE_HUB_TOKEN),
    revision: options.revision ?? "main",
    offline: options.offline ?? isTrue(environment.HF_HUB_OFFLINE),
    retryAfterMs: options.retryAfterMs ?? [500, 2000, 5000, 15000],
  };
}

/**
 * The folder where Python's huggingface_hub keeps models: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
 * XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub, the first that is set. Errors: "usage" for a user without a home
 * where none is.
 */
export function hubCacheDir(environment: Environment, systemHome: () => string = homedir): string {
  const expandHome = (path: string): string =>
    path === "~" || path.startsWith("~/") ? join(homeOf(environment, systemHome), path.slice(1)) : path;
  const named = filled(environment.HF_HUB_CACHE) ?? filled(environment.HUGGINGFACE_HUB_CACHE);
  if (named !== undefined) return expandHome(named);
  const home = filled(environment.HF_HOME);
  if (home !== undefined) return join(expandHome(home), "hub");
  const caches = filled(environment.XDG_CACHE_HOME) ?? join(homeOf(environment, systemHome), ".cache");
  return join(expandHome(caches), "huggingface", "hub");
}

function filled(value: string | undefined): string | undefined {
  return value === undefined || value === "" ? undefined : value;
}

function homeOf(environment: Environment, systemHome: () => string): string {
  try {
    return filled(environment.HOME) ?? systemHome();
  } catch (error) {
    return fail(
      "usage",
      "no folder for models is known: HOME is not set and this user has no home folder; set HF_HOME, or name one with --cache-dir",
      error,
    );
  }
}

function isTrue(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value ?? "");
}
