import { fail, shown } from "../../model/index.ts";
import { AllowedGlobal, allowedGlobal, isUnhashable, reduceAllowed } from "./allowed.ts";
import { PickleCursor } from "./cursor.ts";
import { op, opcodeName } from "./opcodes.ts";
import { python2Text, rawUnicodeEscape, unquote } from "./text.ts";
import { PickleTuple, type PickleValue } from "./values.ts";

/** How `decodePickle` reads, and where it says that it was reading. */
export interface DecodePickleOptions {
  /** The file's name for error lines. */
  readonly where?: string;
  /** Python 2's `str`: "text" (default; UTF-8, else latin-1, string by string) or "bytes" (Uint8Array). */
  readonly strings?: "text" | "bytes";
  /** A longer pickle is an error before anything is read. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Lists, tuples, dicts and sets in one pickle; one byte of pickle can make one. Default 16 million. */
  readonly maxContainers?: number;
}

type Item = PickleValue | AllowedGlobal;

/**
 * Reads one pickle of plain data, protocols 0 to 5, as Python 2 and 3 write it; what stands behind its STOP is ignored.
 *
 * Never runs anything: a pickle that imports a name, calls, builds an object or asks for something outside itself is
 * refused (code "refused", naming opcode, byte and name); the short list of exceptions is in allowed.ts. Every length
 * is checked against the bytes that are there before memory is taken, nothing recurses, and memory stays
 * proportional to `bytes`. A value that the pickle shares is one shared object, so a structure may be a graph, or
 * contain itself: walkers bound their depth (`pickleToPlain` does). Strings and bytes are copies of `bytes`.
 *
 * Errors: "refused"; "bad-input" for a damaged pickle, with the byte; "unsupported" beyond the limits in `options`.
 */
export function decodePickle(bytes: Uint8Array, options: DecodePickleOptions = {}): PickleValue {
  const where = options.where ?? "a pickle";
  const maxBytes = options.maxBytes ?? 2 ** 31;
  if (bytes.length > maxBytes) {
    fail("unsupported", `expected a pickle of at most ${maxBytes} bytes in ${where}, got ${bytes.length}`);
  }
  return new PickleMachine(bytes, where, options).run();
}

class PickleMachine {
  private readonly cursor: PickleCursor;
  private readonly where: string;
  private readonly asBytes: boolean;
  private readonly maxContainers: number;
  private readonly stack: Item[] = [];
  private readonly marks: number[] = [];
  private readonly memo: Item[] = [];
  private readonly farMemo = new Map<number, Item>();
  private floor = 0;
  private containers = 0;
  private copied = 0;
  private sawGlobal = false;

  constructor(bytes: Uint8Array, where: string, options: DecodePickleOptions) {
    this.cursor = new PickleCursor(bytes, where);
    this.where = where;
    this.asBytes = options.strings === "bytes";
    this.maxContainers = options.maxContainers ?? 16_000_000;
  }

  run(): PickleValue {
    const { cursor, stack } = this;
    for (;;) {
      const code = cursor.opcode();
      if (code === op.STOP) break;
      if (!this.scalar(code) && !this.container(code) && !this.memoOrStack(code) && !this.nameOrCall(code)) {
        this.bad(`expected an opcode, got ${opcodeName(code)}`);
      }
    }
    if (stack.length === this.floor) this.bad("STOP on an empty stack");
    if (stack.length !== 1) this.bad(`STOP with ${stack.length} values on the stack instead of one`);
    const value = stack[0];
    if (this.sawGlobal) this.checkNoGlobals(value);
    return value as PickleValue;
  }

  /** Opcodes that push a number, a string, bytes or a constant. */
  private scalar(code: number): boolean {
    const { cursor, stack } = this;
    switch (code) {
      case op.NONE:
        stack.push(null);
        return true;
      case op.NEWTRUE:
        stack.push(true);
        return true;
      case op.NEWFALSE:
        stack.push(false);
        return true;
      case op.BININT:
        stack.push(cursor.int32());
        return true;
      case op.BININT1:
        stack.push(cursor.uint8());
        return true;
      case op.BININT2:
        stack.push(cursor.uint16());
        return true;
      case op.BINFLOAT:
        stack.push(cursor.float64());
        return true;
      case op.INT:
      case op.LONG:
        stack.push(cursor.decimal(code === op.INT));
        return true;
      case op.FLOAT:
        stack.push(cursor.floatLine());
        return true;
      case op.LONG1:
        stack.push(cursor.twosComplement(cursor.uint8()));
        return true;
      case op.LONG4:
        stack.push(cursor.twosComplement(cursor.signedLength()));
        return true;
      case op.SHORT_BINUNICODE:
        stack.push(cursor.text(cursor.uint8()));
        return true;
      case op.BINUNICODE:
        stack.push(cursor.text(cursor.uint32()));
        return true;
      case op.BINUNICODE8:
        stack.push(cursor.text(cursor.uint64()));
        return true;
      case op.UNICODE: {
        const at = cursor.position;
        stack.push(rawUnicodeEscape(cursor.line(), cursor.at(at)));
        return true;
      }
      case op.STRING: {
        const at = cursor.position;
        const raw = unquote(cursor.line(), cursor.at(at));
        stack.push(this.asBytes ? new Uint8Array(raw) : python2Text(raw, 0, raw.length));
        return true;
      }
      case op.SHORT_BINSTRING:
        this.python2String(cursor.uint8());
        return true;
      case op.BINSTRING:
        this.python2String(cursor.signedLength());
        return true;
      case op.SHORT_BINBYTES:
        stack.push(cursor.bytes(cursor.uint8()));
        return true;
      case op.BINBYTES:
        stack.push(cursor.bytes(cursor.uint32()));
        return true;
      case op.BINBYTES8:
      case op.BYTEARRAY8:
        stack.push(cursor.bytes(cursor.uint64()));
        return true;
      default:
        return false;
    }
  }

  /** Opcodes that make or fill a list, tuple, dict or set. */
  private container(code: number): boolean {
    const { stack } = this;
    switch (code) {
      case op.EMPTY_LIST:
        this.make([]);
        return true;
      case op.EMPTY_DICT:
        this.make(new Map());
        return true;
      case op.EMPTY_SET:
        this.make(new Set());
        return true;
      case op.EMPTY_TUPLE:
        this.make(new PickleTuple());
        return true;
      case op.TUPLE1:
        this.tuple(this.operands(1));
        return true;
      case op.TUPLE2:
        this.tuple(this.operands(2));
        return true;
      case op.TUPLE3:
        this.tuple(this.operands(3));
        return true;
      case op.TUPLE:
        this.tuple(this.popMark());
        return true;
      case op.LIST: {
        const start = this.popMark();
        this.make(stack.splice(start) as PickleValue[]);
        return true;
      }
      case op.DICT: {
        const start = this.popMark();
        const dict = new Map<PickleValue, PickleValue>();
        this.setItems(dict, start);
        this.make(dict);
        return true;
      }
      case op.FROZENSET: {
        const start = this.popMark();
        const set = new Set<PickleValue>();
        this.addItems(set, start);
        this.make(set);
        return true;
      }
      case op.APPEND:
        this.append(this.operands(1));
        return true;
      case op.APPENDS:
        this.append(this.popMark());
        return true;
      case op.SETITEM:
        this.setItemsBelow(this.operands(2));
        return true;
      case op.SETITEMS:
        this.setItemsBelow(this.popMark());
        return true;
      case op.ADDITEMS: {
        const start = this.popMark();
        const set = this.below(start);
        if (!(set instanceof Set)) this.bad("expected a set below the items");
        this.addItems(set, start);
        return true;
      }
      default:
        return false;
    }
  }

  private memoOrStack(code: number): boolean {
    const { cursor, stack } = this;
    switch (code) {
      case op.MARK:
        this.marks.push(this.floor);
        this.floor = stack.length;
        return true;
      case op.POP:
        // Python pops a mark where nothing stands above it.
        if (stack.length > this.floor) stack.pop();
        else this.popMark();
        return true;
      case op.POP_MARK:
        stack.length = this.popMark();
        return true;
      case op.DUP:
        stack.push(this.top());
        return true;
      case op.BINPUT:
        this.remember(cursor.uint8());
        return true;
      case op.LONG_BINPUT:
        this.remember(cursor.uint32());
        return true;
      case op.PUT:
        this.remember(cursor.indexLine());
        return true;
      case op.MEMOIZE:
        this.remember(this.memo.length + this.farMemo.size);
        return true;
      case op.BINGET:
        this.recall(cursor.uint8());
        return true;
      case op.LONG_BINGET:
        this.recall(cursor.uint32());
        return true;
      case op.GET:
        this.recall(cursor.indexLine());
        return true;
      case op.PROTO: {
        const version = cursor.uint8();
        if (version > 5) {
          fail("unsupported", `expected pickle protocol 0 to 5 in ${this.where}, got ${version}`);
        }
        return true;
      }
      case op.FRAME:
        cursor.frame(cursor.uint64());
        return true;
      default:
        return false;
    }
  }

  /** Everything that a harmless pickle has no use for, but for the names of allowed.ts. */
  private nameOrCall(code: number): boolean {
    const { cursor, stack } = this;
    switch (code) {
      case op.GLOBAL:
        this.global(code, cursor.line(), cursor.line());
        return true;
      case op.STACK_GLOBAL: {
        const start = this.operands(2);
        const [module, name] = stack.splice(start);
        if (typeof module !== "string" || typeof name !== "string") {
          this.bad("expected two strings on the stack for STACK_GLOBAL");
        }
        this.global(code, module, name);
        return true;
      }
      case op.REDUCE: {
        const start = this.operands(2);
        const [callee, args] = stack.splice(start);
        if (!(callee instanceof AllowedGlobal)) return this.refuse(code, "it calls something that is no name");
        const shownCall = `${callee.module}.${callee.name}`;
        if (!Array.isArray(args)) return this.refuse(code, `it calls ${shownCall} without a tuple of arguments`);
        const value = reduceAllowed(
          callee,
          args,
          (size) => this.charge(size),
          () => cursor.at(cursor.start),
        );
        if (value === undefined) {
          return this.refuse(code, `it calls ${shownCall} with arguments that plain data does not have`);
        }
        this.make(value);
        return true;
      }
      case op.INST: {
        const module = cursor.line();
        return this.refuse(code, `it makes an object of ${name(module, cursor.line())}`);
      }
      case op.PERSID:
        return this.refuse(code, `it asks for the persistent object ${shown(cursor.line())}`);
      case op.BINPERSID:
        return this.refuse(code, "it asks for a persistent object");
      case op.EXT1:
        return this.refuse(code, `it names extension ${cursor.uint8()} of the copyreg registry`);
      case op.EXT2:
        return this.refuse(code, `it names extension ${cursor.uint16()} of the copyreg registry`);
      case op.EXT4:
        return this.refuse(code, `it names extension ${cursor.int32()} of the copyreg registry`);
      case op.NEXT_BUFFER:
      case op.READONLY_BUFFER:
        return this.refuse(code, "it asks for a buffer that is not in the file");
      case op.BUILD:
      case op.NEWOBJ:
      case op.NEWOBJ_EX:
      case op.OBJ:
        return this.refuse(code, `it makes an object${this.nearestName()}`);
      default:
        return false;
    }
  }

  private global(code: number, module: string, attribute: string): void {
    const known = allowedGlobal(module, attribute);
    if (known === undefined) this.refuse(code, `it names ${name(module, attribute)}`);
    this.sawGlobal = true;
    this.stack.push(known);
  }

  private python2String(length: number): void {
    const { cursor } = this;
    const start = cursor.take(length);
    this.stack.push(
      this.asBytes
        ? new Uint8Array(cursor.buffer.subarray(start, start + length))
        : python2Text(cursor.buffer, start, start + length),
    );
  }

  private make(value: PickleValue): void {
    if (++this.containers > this.maxContainers) {
      fail(
        "unsupported",
        `expected at most ${this.maxContainers} lists, tuples, dicts and sets in ${this.where}; split the file`,
      );
    }
    this.stack.push(value);
  }

  private tuple(start: number): void {
    const { stack } = this;
    const tuple = new PickleTuple();
    for (let i = start; i < stack.length; i++) tuple.push(stack[i] as PickleValue);
    stack.length = start;
    this.make(tuple);
  }

  private append(start: number): void {
    const { stack } = this;
    const list = this.below(start);
    if (!Array.isArray(list) || list instanceof PickleTuple) this.bad("expected a list below the items");
    for (let i = start; i < stack.length; i++) list.push(stack[i] as PickleValue);
    stack.length = start;
  }

  private setItemsBelow(start: number): void {
    const dict = this.below(start);
    if (!(dict instanceof Map)) this.bad("expected a dict below the items");
    this.setItems(dict, start);
  }

  private setItems(dict: Map<PickleValue, PickleValue>, start: number): void {
    const { stack } = this;
    if ((stack.length - start) % 2 !== 0) this.bad("expected keys and values in pairs");
    for (let i = start; i < stack.length; i += 2) {
      const key = stack[i];
      if (typeof key === "object" && isUnhashable(key))
        this.bad("expected a key that Python can hash, got a list or dict");
      dict.set(key as PickleValue, stack[i + 1] as PickleValue);
    }
    stack.length = start;
  }

  private addItems(set: Set<PickleValue>, start: number): void {
    const { stack } = this;
    for (let i = start; i < stack.length; i++) {
      const item = stack[i];
      if (typeof item === "object" && isUnhashable(item))
        this.bad("expected members that Python can hash, got a list or dict");
      set.add(item as PickleValue);
    }
    stack.length = start;
  }

  /** The stack position of the topmost `count` values, none of which may lie below the last mark. */
  private operands(count: number): number {
    const start = this.stack.length - count;
    if (start < this.floor) this.bad(`expected ${count} value${count === 1 ? "" : "s"} on the stack`);
    return start;
  }

  private popMark(): number {
    const start = this.floor;
    const floor = this.marks.pop();
    if (floor === undefined) this.bad("expected a mark on the stack");
    this.floor = floor;
    return start;
  }

  private below(start: number): Item {
    const item = this.stack[start - 1];
    if (start <= this.floor || item === undefined) this.bad("expected a container on the stack");
    return item;
  }

  private top(): Item {
    const item = this.stack[this.stack.length - 1];
    if (this.stack.length <= this.floor || item === undefined) this.bad("expected a value on the stack");
    return item;
  }

  /** Dense indices live in an array; a file may jump to any number below 2^53, which must not cost its size. */
  private remember(index: number): void {
    const item = this.top();
    if (index < this.memo.length) this.memo[index] = item;
    else if (index === this.memo.length && !this.farMemo.has(index)) this.memo.push(item);
    else this.farMemo.set(index, item);
  }

  private recall(index: number): void {
    const item = index < this.memo.length ? this.memo[index] : this.farMemo.get(index);
    if (item === undefined) this.bad(`expected memo entry ${index}, which was never stored`);
    this.stack.push(item);
  }

  /** A reduction copies its argument, which the memo could repeat for two bytes a time. */
  private charge(size: number): void {
    this.copied += size;
    if (this.copied > this.cursor.buffer.length + 1024) {
      this.refuse(op.REDUCE, "its calls would copy more data than the file holds");
    }
  }

  private checkNoGlobals(root: Item | undefined): void {
    const seen = new Set<unknown>();
    const open: unknown[] = [root];
    while (open.length > 0) {
      const item = open.pop();
      if (item instanceof AllowedGlobal) {
        this.refuse(op.GLOBAL, `it holds the name ${item.module}.${item.name} as a value`);
      }
      if (typeof item !== "object" || item === null || item instanceof Uint8Array || seen.has(item)) continue;
      seen.add(item);
      if (item instanceof Map) {
        for (const [key, value] of item) open.push(key, value);
      } else if (Array.isArray(item) || item instanceof Set) {
        for (const member of item) open.push(member);
      }
    }
  }

  private nearestName(): string {
    for (let i = this.stack.length - 1; i >= Math.max(0, this.stack.length - 3); i--) {
      const item = this.stack[i];
      if (item instanceof AllowedGlobal) return ` of ${item.module}.${item.name}`;
    }
    return "";
  }

  private bad(message: string): never {
    fail("bad-input", `${message} ${this.cursor.at(this.cursor.start)}; the pickle is damaged`);
  }

  private refuse(code: number, reason: string): never {
    fail(
      "refused",
      `refused opcode ${opcodeName(code)} ${this.cursor.at(this.cursor.start)}: ${reason}, and a pickle that does so can run ` +
        "any code; expected lists, dicts, numbers and strings only. If you trust the file, load it in Python and save it as JSON",
    );
  }
}

function name(module: string, attribute: string): string {
  const full = `${module}.${attribute}`;
  return /^[\w.]{1,80}$/.test(full) ? full : shown(full);
}
