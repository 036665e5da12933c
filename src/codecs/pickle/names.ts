import { fail, quoteValue } from "../../model/index.ts";
import { AllowedGlobal, allowedGlobal, reduceAllowed } from "./allowed.ts";
import type { PickleCursor } from "./cursor.ts";
import { op, opcodeName } from "./opcodes.ts";
import type { PickleItem, PickleStack } from "./stack.ts";

/**
 * The opcodes that a pickle of plain data has no use for: they name, call, build, or reach outside the file. All are
 * refused, but for the names and calls of allowed.ts.
 */
export class PickleNames {
  readonly #cursor: PickleCursor;
  readonly #stack: PickleStack;
  #copied = 0;
  #sawGlobal = false;

  constructor(cursor: PickleCursor, stack: PickleStack) {
    this.#cursor = cursor;
    this.#stack = stack;
  }

  /** Obeys or refuses an opcode that names, calls or builds; false where `code` is no such opcode. */
  obey(code: number): boolean {
    const cursor = this.#cursor;
    const stack = this.#stack;
    switch (code) {
      case op.GLOBAL:
        this.#global(code, cursor.line(), cursor.line());
        return true;
      case op.STACK_GLOBAL: {
        const start = stack.operands(2);
        const [module, name] = stack.items.splice(start);
        if (typeof module !== "string" || typeof name !== "string") {
          this.#cursor.damaged("expected two strings on the stack for STACK_GLOBAL");
        }
        this.#global(code, module, name);
        return true;
      }
      case op.REDUCE: {
        const start = stack.operands(2);
        const [callee, args] = stack.items.splice(start);
        if (!(callee instanceof AllowedGlobal)) return this.#refuse(code, "it calls something that is no name");
        const shownCall = `${callee.module}.${callee.name}`;
        if (!Array.isArray(args)) return this.#refuse(code, `it calls ${shownCall} without a tuple of arguments`);
        const value = reduceAllowed(
          callee,
          args,
          (size) => this.#charge(size),
          () => cursor.at(cursor.start),
        );
        if (value === undefined) {
          return this.#refuse(code, `it calls ${shownCall} with arguments that plain data does not have`);
        }
        stack.pushContainer(value);
        return true;
      }
      case op.INST: {
        const module = cursor.line();
        return this.#refuse(code, `it makes an object of ${name(module, cursor.line())}`);
      }
      case op.PERSID:
        return this.#refuse(code, `it asks for the persistent object ${quoteValue(cursor.line())}`);
      case op.BINPERSID:
        return this.#refuse(code, "it asks for a persistent object");
      case op.EXT1:
        return this.#refuse(code, `it names extension ${cursor.uint8()} of the copyreg registry`);
      case op.EXT2:
        return this.#refuse(code, `it names extension ${cursor.uint16()} of the copyreg registry`);
      case op.EXT4:
        return this.#refuse(code, `it names extension ${cursor.int32()} of the copyreg registry`);
      case op.NEXT_BUFFER:
      case op.READONLY_BUFFER:
        return this.#refuse(code, "it asks for a buffer that is not in the file");
      case op.BUILD:
      case op.NEWOBJ:
      case op.NEWOBJ_EX:
      case op.OBJ:
        return this.#refuse(code, `it makes an object${this.#nearestName()}`);
      default:
        return false;
    }
  }

  #global(code: number, module: string, attribute: string): void {
    const known = allowedGlobal(module, attribute);
    if (known === undefined) this.#refuse(code, `it names ${name(module, attribute)}`);
    this.#sawGlobal = true;
    this.#stack.push(known);
  }

  /** Refuses a finished value in which a name is left that nothing called. */
  checkNoneLeft(root: PickleItem): void {
    if (!this.#sawGlobal) return;
    const seen = new Set<unknown>();
    const open: unknown[] = [root];
    while (open.length > 0) {
      const item = open.pop();
      if (item instanceof AllowedGlobal) {
        this.#refuse(op.GLOBAL, `it holds the name ${item.module}.${item.name} as a value`);
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

  /** A reduction copies its argument, which the memo could repeat for two bytes a time. */
  #charge(size: number): void {
    this.#copied += size;
    if (this.#copied > this.#cursor.buffer.length + 1024) {
      this.#refuse(op.REDUCE, "its calls would copy more data than the file holds");
    }
  }

  #nearestName(): string {
    const { items } = this.#stack;
    for (let i = items.length - 1; i >= Math.max(0, items.length - 3); i--) {
      const item = items[i];
      if (item instanceof AllowedGlobal) return ` of ${item.module}.${item.name}`;
    }
    return "";
  }

  #refuse(code: number, reason: string): never {
    fail(
      "refused",
      `refused opcode ${opcodeName(code)} ${this.#cursor.at(this.#cursor.start)}: ${reason}, and a pickle that does so can run ` +
        "any code; expected lists, dicts, numbers and strings only. If you trust the file, load it in Python and save it as JSON",
    );
  }
}

function name(module: string, attribute: string): string {
  const full = `${module}.${attribute}`;
  return /^[\w.]{1,80}$/.test(full) ? full : quoteValue(full);
}
