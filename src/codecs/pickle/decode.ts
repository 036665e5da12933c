import { fail } from "../../model/index.ts";
import { PickleCursor } from "./cursor.ts";
import { instructions, type PickleMachine } from "./instructions.ts";
import { PickleNames } from "./names.ts";
import { op, opcodeName } from "./opcodes.ts";
import { PickleStack } from "./stack.ts";
import { refuseTextMode } from "./text-mode.ts";
import type { PickleValue } from "./values.ts";

/** How `decodePickle` reads, and where it says that it was reading. */
export interface DecodePickleOptions {
  /** The file's name for error lines. */
  readonly where?: string;
  /** Python 2's `str`: "text" (default; UTF-8, else latin-1, string by string) or "bytes" (Uint8Array). */
  readonly strings?: "text" | "bytes";
  /** Hears of each `str` of Python 2 that is no UTF-8 and was read as latin-1. */
  readonly onLatin1?: (text: string) => void;
  /** A longer pickle is an error before anything is read. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Lists, tuples, dicts and sets in one pickle; one byte of pickle can make one. Default 16 million. */
  readonly maxContainers?: number;
}

/**
 * Reads one pickle of plain data, protocols 0 to 5, as Python 2 and 3 write it; what stands behind its STOP is ignored.
 *
 * Never runs anything: a pickle that imports a name, calls, builds an object or asks for something outside itself is
 * refused (code "refused", naming opcode, byte and name); the short list of exceptions is in allowed.ts. Every length
 * is checked against the bytes that are there before memory is taken, nothing recurses, and memory stays
 * proportional to `bytes`. A value that the pickle shares is one shared object, so a structure may be a graph, or
 * contain itself: walkers bound their depth. Strings and bytes are copies of `bytes`.
 *
 * Errors: "refused"; "bad-input" for a damaged pickle, with the byte, and for one whose line ends became CR LF;
 * "unsupported" beyond the limits in `options`.
 */
export function decodePickle(bytes: Uint8Array, options: DecodePickleOptions = {}): PickleValue {
  const where = options.where ?? "a pickle";
  const maxBytes = options.maxBytes ?? 2 ** 31;
  if (bytes.length > maxBytes) {
    fail("unsupported", `expected a pickle of at most ${maxBytes} bytes in ${where}, got ${bytes.length}`);
  }
  refuseTextMode(bytes, where);
  const cursor = new PickleCursor(bytes, where);
  const stack = new PickleStack(cursor, options.maxContainers ?? 16_000_000);
  const machine: PickleMachine = {
    cursor,
    stack,
    python2Bytes: options.strings === "bytes",
    onLatin1: options.onLatin1,
  };
  const names = new PickleNames(cursor, stack);
  for (let code = cursor.opcode(); code !== op.STOP; code = cursor.opcode()) {
    const instruction = instructions[code];
    if (instruction !== undefined) instruction(machine);
    else if (!names.obey(code)) cursor.damaged(`expected an opcode, got ${opcodeName(code)}`);
  }
  const value = stack.top();
  if (stack.items.length !== 1) cursor.damaged(`expected one value on the stack, got ${stack.items.length}`);
  names.checkNoneLeft(value);
  return value as PickleValue;
}
