/**
 * The names that a pickle of plain data may mention, and what they mean here. Nothing is imported: each is
 * interpreted by the few lines below.
 *
 *   _codecs.encode(text, "latin1")                bytes, as Python 3 writes them for protocols 0 to 2
 *   builtins.bytes()                              empty bytes in those protocols
 *   builtins.bytearray(text, "latin-1" | bytes)   bytearray
 *   builtins.set(list), frozenset(list)           sets before protocol 4
 *   collections.OrderedDict(), OrderedDict(pairs) dict
 *   collections.defaultdict(f)                    dict; f is one of `factories`, ignored
 *
 * `__builtin__` is Python 2's name of `builtins`.
 */
import { fail, quoteValue } from "../../model/index.ts";
import { type PickleDict, PickleTuple, type PickleValue } from "./values.ts";

/** A name that a pickle may mention, until it is called. */
export class AllowedGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

const factories = ["list", "dict", "set", "int", "float", "str", "tuple", "bool"];
const builtins = new Set(["set", "frozenset", "bytearray", "bytes", ...factories]);

/** The marker for `module.name`, or undefined where a pickle may not mention it. */
export function allowedGlobal(module: string, name: string): AllowedGlobal | undefined {
  const plain =
    module === "builtins" || module === "__builtin__"
      ? builtins.has(name)
      : module === "_codecs"
        ? name === "encode"
        : module === "collections" && (name === "OrderedDict" || name === "defaultdict");
  return plain ? new AllowedGlobal(module, name) : undefined;
}

/**
 * What `callee(...args)` gives, or undefined where that call is not one that Python writes for plain data. `charge` is
 * told how many bytes or items the result copies, before it does.
 */
export function reduceAllowed(
  callee: AllowedGlobal,
  args: readonly unknown[],
  charge: (size: number) => void,
  where: () => string,
): PickleValue | undefined {
  const [first, second] = args;
  switch (callee.name) {
    case "encode":
      return args.length === 2 && second === "latin1" ? latin1Bytes(first, charge, where) : undefined;
    case "bytes":
      return args.length === 0 ? new Uint8Array(0) : undefined;
    case "bytearray":
      if (args.length === 0) return new Uint8Array(0);
      if (args.length === 2 && second === "latin-1") return latin1Bytes(first, charge, where);
      if (args.length !== 1 || !(first instanceof Uint8Array)) return undefined;
      charge(first.length);
      return first.slice();
    case "set":
    case "frozenset": {
      if (args.length === 0) return new Set();
      if (args.length !== 1 || !isPlainList(first)) return undefined;
      charge(first.length);
      return new Set(first);
    }
    case "OrderedDict":
      if (args.length === 0) return new Map();
      return args.length === 1 && isPlainList(first) ? pairs(first, charge) : undefined;
    case "defaultdict": {
      const plain = first === null || (first instanceof AllowedGlobal && factories.includes(first.name));
      return args.length === 0 || (args.length === 1 && plain) ? new Map() : undefined;
    }
    default:
      return undefined;
  }
}

function latin1Bytes(text: unknown, charge: (size: number) => void, where: () => string): Uint8Array | undefined {
  if (typeof text !== "string") return undefined;
  charge(text.length);
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      fail("bad-input", `expected latin-1 text for bytes ${where()}, got ${quoteValue(text[i])}`);
    }
  }
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function isPlainList(value: unknown): value is PickleValue[] {
  return Array.isArray(value);
}

function pairs(list: readonly PickleValue[], charge: (size: number) => void): PickleDict | undefined {
  charge(list.length);
  const dict: PickleDict = new Map();
  for (const pair of list) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    const [key, value] = pair;
    if (key === undefined || value === undefined || isUnhashable(key)) return undefined;
    dict.set(key, value);
  }
  return dict;
}

/** Whether Python would refuse `key` as a dict's key or a set's member: lists and dicts. */
export function isUnhashable(key: unknown): boolean {
  return key instanceof Map || (Array.isArray(key) && !(key instanceof PickleTuple));
}
