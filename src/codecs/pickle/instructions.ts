import type { PickleCursor } from "./cursor.ts";
import { op } from "./opcodes.ts";
import type { PickleStack } from "./stack.ts";
import { python2Text, rawUnicodeEscape, unquote } from "./text.ts";
import { PickleTuple, type PickleValue } from "./values.ts";

/** What an instruction works on. */
export interface PickleMachine {
  readonly cursor: PickleCursor;
  readonly stack: PickleStack;
  /** Whether Python 2's `str` stays bytes. */
  readonly python2Bytes: boolean;
  readonly onLatin1: ((text: string) => void) | undefined;
}

type Instruction = (machine: PickleMachine) => void;

/**
 * What each harmless opcode does, by its code; undefined for the others (names.ts). A table, since a file of refs has
 * ten million opcodes, and a `switch` over the fields of `op` is tried from the top for each.
 */
export const instructions: readonly (Instruction | undefined)[] = table([
  [op.NONE, ({ stack }) => stack.push(null)],
  [op.NEWTRUE, ({ stack }) => stack.push(true)],
  [op.NEWFALSE, ({ stack }) => stack.push(false)],
  [op.BININT, ({ stack, cursor }) => stack.push(cursor.int32())],
  [op.BININT1, ({ stack, cursor }) => stack.push(cursor.uint8())],
  [op.BININT2, ({ stack, cursor }) => stack.push(cursor.uint16())],
  [op.BINFLOAT, ({ stack, cursor }) => stack.push(cursor.float64())],
  [op.INT, ({ stack, cursor }) => stack.push(cursor.decimal(true))],
  [op.LONG, ({ stack, cursor }) => stack.push(cursor.decimal(false))],
  [op.FLOAT, ({ stack, cursor }) => stack.push(cursor.floatLine())],
  [op.LONG1, ({ stack, cursor }) => stack.push(cursor.twosComplement(cursor.uint8()))],
  [op.LONG4, ({ stack, cursor }) => stack.push(cursor.twosComplement(cursor.signedLength()))],

  [op.SHORT_BINUNICODE, ({ stack, cursor }) => stack.push(cursor.text(cursor.uint8()))],
  [op.BINUNICODE, ({ stack, cursor }) => stack.push(cursor.text(cursor.uint32()))],
  [op.BINUNICODE8, ({ stack, cursor }) => stack.push(cursor.text(cursor.uint64()))],
  [op.UNICODE, ({ stack, cursor }) => stack.push(rawUnicodeEscape(cursor.line(), cursor.at(cursor.start)))],
  [
    op.STRING,
    (machine) => pushPython2(machine, unquote(machine.cursor.line(), machine.cursor.at(machine.cursor.start))),
  ],
  [op.SHORT_BINSTRING, (machine) => pushPython2(machine, machine.cursor.view(machine.cursor.uint8()))],
  [op.BINSTRING, (machine) => pushPython2(machine, machine.cursor.view(machine.cursor.signedLength()))],
  [op.SHORT_BINBYTES, ({ stack, cursor }) => stack.push(cursor.bytes(cursor.uint8()))],
  [op.BINBYTES, ({ stack, cursor }) => stack.push(cursor.bytes(cursor.uint32()))],
  [op.BINBYTES8, ({ stack, cursor }) => stack.push(cursor.bytes(cursor.uint64()))],
  [op.BYTEARRAY8, ({ stack, cursor }) => stack.push(cursor.bytes(cursor.uint64()))],

  [op.EMPTY_LIST, ({ stack }) => stack.pushContainer([])],
  [op.EMPTY_DICT, ({ stack }) => stack.pushContainer(new Map())],
  [op.EMPTY_SET, ({ stack }) => stack.pushContainer(new Set())],
  [op.EMPTY_TUPLE, ({ stack }) => stack.pushContainer(new PickleTuple())],
  [op.TUPLE1, ({ stack }) => stack.tuple(stack.operands(1))],
  [op.TUPLE2, ({ stack }) => stack.tuple(stack.operands(2))],
  [op.TUPLE3, ({ stack }) => stack.tuple(stack.operands(3))],
  [op.TUPLE, ({ stack }) => stack.tuple(stack.popMark())],
  [op.LIST, ({ stack }) => stack.pushContainer(stack.items.splice(stack.popMark()) as PickleValue[])],
  [
    op.DICT,
    ({ stack }) => pushFilled(stack, new Map<PickleValue, PickleValue>(), (start, dict) => stack.setItems(start, dict)),
  ],
  [op.FROZENSET, ({ stack }) => pushFilled(stack, new Set<PickleValue>(), (start, set) => stack.addItems(start, set))],
  [op.APPEND, ({ stack }) => stack.append(stack.operands(1))],
  [op.APPENDS, ({ stack }) => stack.append(stack.popMark())],
  [op.SETITEM, ({ stack }) => stack.setItems(stack.operands(2))],
  [op.SETITEMS, ({ stack }) => stack.setItems(stack.popMark())],
  [op.ADDITEMS, ({ stack }) => stack.addItems(stack.popMark())],

  [op.MARK, ({ stack }) => stack.mark()],
  [op.POP, ({ stack }) => stack.pop()],
  [op.POP_MARK, ({ stack }) => stack.cut(stack.popMark())],
  [op.DUP, ({ stack }) => stack.push(stack.top())],
  [op.BINPUT, ({ stack, cursor }) => stack.remember(cursor.uint8())],
  [op.LONG_BINPUT, ({ stack, cursor }) => stack.remember(cursor.uint32())],
  [op.PUT, ({ stack, cursor }) => stack.remember(cursor.indexLine())],
  [op.MEMOIZE, ({ stack }) => stack.remember()],
  [op.BINGET, ({ stack, cursor }) => stack.recall(cursor.uint8())],
  [op.LONG_BINGET, ({ stack, cursor }) => stack.recall(cursor.uint32())],
  [op.GET, ({ stack, cursor }) => stack.recall(cursor.indexLine())],
  [op.PROTO, ({ cursor }) => cursor.protocol()],
  [op.FRAME, ({ cursor }) => cursor.frame(cursor.uint64())],
]);

function table(entries: readonly (readonly [code: number, instruction: Instruction])[]): (Instruction | undefined)[] {
  const byCode = new Array<Instruction | undefined>(256).fill(undefined);
  for (const [code, instruction] of entries) byCode[code] = instruction;
  return byCode;
}

function pushPython2({ stack, python2Bytes, onLatin1 }: PickleMachine, bytes: Buffer): void {
  stack.push(python2Bytes ? new Uint8Array(bytes) : python2Text(bytes, onLatin1));
}

function pushFilled<Container extends PickleValue>(
  stack: PickleStack,
  container: Container,
  fill: (start: number, container: Container) => void,
): void {
  fill(stack.popMark(), container);
  stack.pushContainer(container);
}
