/** Why an operation failed, in one word. Programs switch on it; people read the message. */
export type ErrorCode =
  | "usage" // an option or argument is wrong
  | "settings" // a settings key or value is wrong
  | "not-found" // a file, folder, key or name does not exist
  | "exists" // the target exists and --force was not given
  | "bad-input" // a file's content is not what its format asks for
  | "unsupported" // a valid input that this version does not handle
  | "refused" // an input that could do harm, such as a pickle that runs code
  | "locked" // another process holds the pool
  | "offline" // a download is needed and --offline was given
  | "network" // a download failed
  | "checksum" // bytes differ from their recorded hash
  | "incomplete" // an earlier step has to run first
  | "io" // the operating system refused: disk full, read-only, permission
  | "internal"; // a broken promise of our own

/** The exit status that the command line ends with for each code; 0 is success. Documented in docs/errors.md. */
export const exitStatus: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  settings: 2,
  "not-found": 3,
  exists: 3,
  "bad-input": 4,
  unsupported: 4,
  refused: 4,
  checksum: 4,
  locked: 5,
  incomplete: 5,
  offline: 6,
  network: 6,
  io: 7,
  internal: 70,
};

/**
 * The error that every room throws: one line for a person (what was expected, what came, where, what to do) and a
 * code for programs. `cause` keeps the underlying error, shown by --debug only.
 */
export class NemosaicError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(onOneLine(message), options);
    this.name = "NemosaicError";
    this.code = code;
  }
}

/** Quoted input may hold line ends and control characters, also inside the reasons that libraries give. */
function onOneLine(message: string): string {
  return message.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

/** Throws a `NemosaicError`; an expression, so that it can stand behind `??`. */
export function fail(code: ErrorCode, message: string, cause?: unknown): never {
  throw new NemosaicError(code, message, cause === undefined ? undefined : { cause });
}

/** What a process or machine has run out of, whichever file was at hand. */
const shortages: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE", "ENOMEM"]);

/** True where the machine, and no input, is to blame: out of file descriptors or memory, also as a cause. */
export function isShortage(error: unknown): boolean {
  return error instanceof Error && (("code" in error && shortages.has(error.code)) || isShortage(error.cause));
}

/** True for our error about an input, which a bad record or a finding may tell of; false where the machine is to blame. */
export function isInputError(error: unknown): error is NemosaicError {
  return error instanceof NemosaicError && !isShortage(error);
}

/** Quotes a value that came from outside for an error line, cut to 80 characters, on one line. */
export function quoteValue(value: unknown): string {
  let text: string;
  try {
    text = (typeof value === "number" ? String(value) : JSON.stringify(value, withNonNumbers)) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** The first of a list of names for an error line, and how many more there are. */
export function someOf(names: readonly string[], most = 10): string {
  const rest = names.length - most;
  return `${names.slice(0, most).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** JSON knows no NaN and no infinity, and would show null. */
function withNonNumbers(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/**
 * The nearest of `valid` to a mistyped `name` by edit distance, or undefined where nothing is near (more than a third
 * of the letters would change).
 */
export function nearest(name: string, valid: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of valid) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best !== undefined && bestDistance <= Math.max(2, Math.floor(best.length / 3)) ? best : undefined;
}

/** The error for a name outside a registry: lists the valid names and suggests the nearest. */
export function unknownName(what: string, name: string, valid: readonly string[]): NemosaicError {
  const near = nearest(name, valid);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  return new NemosaicError("usage", `unknown ${what} ${quoteValue(name)}.${hint} Valid: ${valid.join(", ")}`);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
