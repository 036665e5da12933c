import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { setImageThreads } from "../codecs/index.ts";
import { diskProblem, exists, type Progress, silentProgress, streamProgress } from "../io/index.ts";
import { exitStatus, fail, NemosaicError, quoteValue } from "../model/index.ts";
import { parseSettings, type Settings, settingsRemarks, settingsTree, withSets } from "../settings/index.ts";
import type { Listener } from "../steps/index.ts";

/** The options that every command takes. */
export interface SharedOptions {
  readonly settings?: string;
  readonly preset?: string;
  readonly set: string[];
  readonly seed: number;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
  readonly force: boolean;
}

/** Shared options that some commands have no use for; a command that does not heed one says false, and does not take it. */
export interface Heeded {
  /** --settings, --preset and --set: the settings of sampling. */
  readonly sampling?: boolean;
  readonly seed?: boolean;
  readonly force?: boolean;
}

/** Adds the shared options to a command. */
export function withShared(command: Command, { sampling = true, seed = true, force = true }: Heeded = {}): Command {
  if (sampling) {
    command
      .option("--settings <file>", "settings file (default: nemosaic.json in this folder, if there is one)")
      .option("--preset <name>", "start from this preset instead of the file's")
      .option("--set <key=value>", "change one setting, dotted key; may be repeated", collect, []);
  }
  if (seed) command.option("--seed <n>", "seed of everything random", integerOption("--seed", 0), 0);
  command
    .option("--json", "print the result as JSON", false)
    .option("--quiet", "no progress and no remarks; warnings stay", false)
    .option("--debug", "show the stack of an error", false);
  return force ? command.option("--force", "replace what exists", false) : command;
}

/** A parser for an option that takes a whole number of at least `least`. */
export function integerOption(name: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      fail("usage", `expected a whole number of at least ${least} for ${name}, got ${quoteValue(text)}`);
    }
    return value;
  };
}

/** A parser for an option that takes one of `values`. */
export function choiceOption<T extends string>(name: string, values: readonly T[]): (text: string) => T {
  return (text) =>
    values.find((value) => value === text) ??
    fail("usage", `expected one of ${values.join(", ")} for ${name}, got ${quoteValue(text)}`);
}

/** A parser for a comma-separated list. */
export function listOption(name: string): (text: string) => string[] {
  return (text) => {
    const parts = text.split(",").map((part) => part.trim());
    if (parts.some((part) => part === ""))
      fail("usage", `expected a comma-separated list for ${name}, got ${quoteValue(text)}`);
    return parts;
  };
}

/** The settings file of a run: --settings FILE, or nemosaic.json here; undefined where there is none. */
export async function settingsPath({ settings }: Pick<SharedOptions, "settings">): Promise<string | undefined> {
  return settings ?? ((await exists("nemosaic.json")) ? "nemosaic.json" : undefined);
}

/**
 * The settings of a run: --settings FILE (or nemosaic.json here), --preset and --set over it.
 * Errors: "not-found", "settings".
 */
export async function readSettings(options: SharedOptions): Promise<Settings> {
  const path = await settingsPath(options);
  let tree: Readonly<Record<string, unknown>> = {};
  if (path !== undefined) {
    const text = await readFile(path, "utf8").catch((error: Error) =>
      fail("not-found", `cannot read the settings file "${path}": ${error.message}`, error),
    );
    tree = settingsTree(text, path);
  }
  if (options.preset !== undefined) tree = { ...tree, preset: options.preset };
  const where = [path === undefined ? undefined : `"${path}"`, options.set.length > 0 ? "--set" : undefined].filter(
    (part) => part !== undefined,
  );
  const settings = parseSettings(withSets(tree, options.set), where.length === 0 ? "the preset" : where.join(" and "));
  if (path !== undefined) remark(options, `settings of "${path}"`);
  for (const line of settingsRemarks(settings)) remark(options, line);
  return settings;
}

/** Progress on standard error, unless --quiet. */
export function progressOf(options: Pick<SharedOptions, "quiet">): Progress {
  return options.quiet ? silentProgress : streamProgress(process.stderr);
}

/** Whom the steps tell: progress and remarks on standard error, unless --quiet; warnings there in any case. */
export function listenerOf(options: Pick<SharedOptions, "quiet">): Listener {
  return { progress: progressOf(options), onRemark: (line) => remark(options, line), onWarning: warn };
}

/** Prints a result: JSON with --json, else the text for people. */
export function print(options: Pick<SharedOptions, "json">, value: unknown, text: string): void {
  process.stdout.write(
    options.json ? `${JSON.stringify(value, undefined, 2)}\n` : text.endsWith("\n") ? text : `${text}\n`,
  );
}

/** What may be wrong with a result, on standard error, with --quiet too. */
export function warn(text: string): void {
  process.stderr.write(`warning: ${text}\n`);
}

/** A remark for people, on standard error, unless --quiet. */
export function remark(options: Pick<SharedOptions, "quiet">, text: string): void {
  if (!options.quiet) process.stderr.write(`${text}\n`);
}

/** Cores that heavy steps may use. */
export function cores(): number {
  return availableParallelism();
}

/** Wraps a command's action: one line for an error (the stack with --debug) and the exit status of its code. */
export function action<Args extends unknown[]>(
  run: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    setImageThreads(1); // decoding is parallel over images; threads inside one image only get in the way
    try {
      await run(...args);
    } catch (error) {
      report(error, process.argv.includes("--debug"));
    }
  };
}

/** Prints an error's one line (and its stack with `debug`) and sets the exit status. */
export function report(error: unknown, debug: boolean): void {
  if (error instanceof NemosaicError) {
    process.stderr.write(`nemosaic: ${debug ? error.message : readable(error.message)}\n`);
    process.exitCode = exitStatus[error.code];
  } else if (refusalOf(error) !== undefined) {
    process.stderr.write(`nemosaic: ${refusalOf(error)}\n`);
    process.exitCode = exitStatus.io;
  } else {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `nemosaic: unexpected error: ${message}${debug ? "" : "; run again with --debug for the stack, and please report it"}\n`,
    );
    process.exitCode = exitStatus.internal;
  }
  if (debug) for (let at: unknown = error; at instanceof Error; at = at.cause) process.stderr.write(`${at.stack}\n`);
}

/** What the operating system refused where no room of ours had a word for it, on one line with the file. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const problem = diskProblem(code ?? "");
  return problem === undefined
    ? undefined
    : `cannot ${syscall} ${path === undefined ? "a file" : `"${path}"`}: ${problem}`;
}

const mostShown = 400;

/** A message that a person reads at a glance: of a long one the beginning and the end, which says what to do. */
function readable(message: string): string {
  if (message.length <= mostShown) return message;
  const [head, tail] = [message.slice(0, 230), message.slice(-130)];
  return `${head.replace(/\s*\S*$/, "")} … ${tail.replace(/^\S*\s*/, "")} (all of it with --debug)`;
}

function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}
