import { open, readFile, rm } from "node:fs/promises";
import { ifMissing, onDisk, writeFully } from "../io/index.ts";

/*
 * How far the columns of an artefact are made, as JSON lines:
 *
 *   {"format":"nemosaic-journal","version":1,"key":"…"}    a hash of everything that decides the bytes
 *   {"rows":2048,"notes":[…]}                              for each step whose rows are on disk; notes only where there are some
 *
 * A line that a kill cut short does not count, and neither do rows behind the last line. Under another key the work starts over.
 */

/** One step of work that is on disk. */
export interface JournalStep<Note> {
  readonly rows: number;
  readonly notes: readonly Note[];
}

/** A journal open for appending. Holds a file until `close`. */
export interface Journal<Note> {
  readonly steps: readonly JournalStep<Note>[];
  append(step: JournalStep<Note>): Promise<void>;
  close(): Promise<void>;
}

/** The steps of a journal under `key`; empty where it is of another key, damaged at its head, or not there. */
export async function readJournal<Note>(path: string, key: string): Promise<JournalStep<Note>[]> {
  return (await parse<Note>(path, key)).steps;
}

/** Whether a journal is under one of `keys`. */
export async function isJournalOf(path: string, keys: readonly string[]): Promise<boolean> {
  const head = parseLine((await readFile(path, "utf8").catch(ifMissing(""))).split("\n", 1)[0]);
  return keys.includes(String(head?.key));
}

/** Opens a journal to go on behind its last whole line, or (`afresh`, or under another key) anew. */
export async function openJournal<Note>(path: string, key: string, afresh: boolean): Promise<Journal<Note>> {
  if (afresh) await rm(path, { force: true });
  const { steps, bytes } = await parse<Note>(path, key);
  const handle = await onDisk(path, () => open(path, bytes === 0 ? "w" : "r+"));
  let end = bytes;
  const appendLine = async (line: object): Promise<void> => {
    const text = Buffer.from(`${JSON.stringify(line)}\n`);
    await writeFully(handle, text, end, path);
    end += text.length;
  };
  try {
    if (bytes === 0) await appendLine({ format, version, key });
    else await onDisk(path, () => handle.truncate(bytes));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    steps,
    append: ({ rows, notes }) => appendLine(notes.length === 0 ? { rows } : { rows, notes }),
    close: () => handle.close(),
  };
}

/** Names of journals end so. */
export const journalEnding = ".journal";

const format = "nemosaic-journal";
const version = 1;

async function parse<Note>(path: string, key: string): Promise<{ steps: JournalStep<Note>[]; bytes: number }> {
  const text = await readFile(path, "utf8").catch(ifMissing(""));
  const lines = text.split("\n").slice(0, -1);
  const head = parseLine(lines[0]);
  if (head?.format !== format || head.version !== version || head.key !== key) return { steps: [], bytes: 0 };
  const steps: JournalStep<Note>[] = [];
  let bytes = lineBytes(lines[0]);
  for (const line of lines.slice(1)) {
    const step = parseLine(line);
    const notes = step?.notes ?? [];
    if (!Number.isSafeInteger(step?.rows) || Number(step?.rows) < 0 || !Array.isArray(notes)) break;
    steps.push({ rows: Number(step?.rows), notes: notes as Note[] });
    bytes += lineBytes(line);
  }
  return { steps, bytes };
}

function lineBytes(line = ""): number {
  return Buffer.byteLength(line) + 1;
}

function parseLine(line: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // cut short
  }
}
