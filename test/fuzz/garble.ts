import fc from "fast-check";

/** One change to a file's bytes. Positions are fractions of the length, so that they shrink and fit any sample. */
type ByteEdit =
  | { readonly kind: "cut"; readonly at: number }
  | { readonly kind: "set"; readonly at: number; readonly value: number }
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | {
      readonly kind: "number";
      readonly at: number;
      readonly bytes: 2 | 4 | 8;
      readonly value: bigint;
      readonly big: boolean;
    }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "remove"; readonly at: number; readonly length: number }
  | { readonly kind: "repeat"; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: "move"; readonly from: number; readonly to: number; readonly length: number };

/** Even over 0 to 1; fast-check's doubles crowd at 0. */
const place = fc.noBias(fc.nat({ max: 2 ** 30 })).map((n) => n / (2 ** 30 + 1));
const few = fc.nat({ max: 40 });
/** Where formats break: zero, signs, ends of 8, 16, 24, 31, 32, 53 and 63 bits, sizes of gigabytes. */
const edges = [0n, 1n, 127n, 128n, 255n, 256n, 65535n, 65536n, 0xffffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn];
const wide = [...edges, 2n ** 32n, 2n ** 40n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

const edit: fc.Arbitrary<ByteEdit> = fc.oneof(
  fc.record({ kind: fc.constant("cut" as const), at: place }),
  fc.record({ kind: fc.constant("set" as const), at: place, value: fc.nat({ max: 255 }) }),
  fc.record({ kind: fc.constant("flip" as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({
    kind: fc.constant("number" as const),
    at: place,
    bytes: fc.constantFrom(2 as const, 4 as const, 8 as const),
    value: fc.constantFrom(...wide),
    big: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("insert" as const), at: place, bytes: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ kind: fc.constant("remove" as const), at: place, length: few }),
  fc.record({ kind: fc.constant("repeat" as const), at: place, length: few, times: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant("move" as const), from: place, to: place, length: few }),
);

/** One of `samples` with one to six changes to its bytes; the samples stay as they are. */
export function garbledBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.nat({ max: samples.length - 1 }), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([which, edits]) => edits.reduce(changed, samples[which] ?? new Uint8Array(0)));
}

function changed(bytes: Uint8Array, change: ByteEdit): Uint8Array {
  const position = (fraction: number): number => Math.min(bytes.length, Math.floor(fraction * (bytes.length + 1)));
  switch (change.kind) {
    case "cut":
      return bytes.slice(0, position(change.at));
    case "set": {
      const copy = bytes.slice();
      copy[position(change.at)] = change.value;
      return copy;
    }
    case "flip": {
      const copy = bytes.slice();
      const at = position(change.at);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << change.bit);
      return copy;
    }
    case "number": {
      const copy = bytes.slice();
      const at = position(change.at);
      for (let i = 0; i < change.bytes; i++) {
        const byte = Number((change.value >> BigInt(8 * i)) & 255n);
        const to = at + (change.big ? change.bytes - 1 - i : i);
        if (to < copy.length) copy[to] = byte;
      }
      return copy;
    }
    case "insert":
      return joined(bytes.subarray(0, position(change.at)), change.bytes, bytes.subarray(position(change.at)));
    case "remove":
      return joined(bytes.subarray(0, position(change.at)), bytes.subarray(position(change.at) + change.length));
    case "repeat": {
      const at = position(change.at);
      const part = bytes.subarray(at, at + change.length);
      return joined(bytes.subarray(0, at), ...Array.from({ length: change.times }, () => part), bytes.subarray(at));
    }
    case "move": {
      const copy = bytes.slice();
      copy.copyWithin(position(change.to), position(change.from), position(change.from) + change.length);
      return copy;
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** One change to a tree of plain values, at the node that `at` (a fraction) picks. */
type TreeEdit =
  | { readonly kind: "replace"; readonly at: number; readonly value: unknown }
  | { readonly kind: "drop"; readonly at: number }
  | { readonly kind: "rename"; readonly at: number; readonly name: string }
  | { readonly kind: "double"; readonly at: number }
  | { readonly kind: "wrap"; readonly at: number; readonly depth: number }
  | { readonly kind: "add"; readonly at: number; readonly name: string; readonly value: unknown };

/** Values that readers trip over: edges of numbers, text with NUL, "..", lone surrogates, names of prototypes, depth. */
export const hostileValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 31) - 1,
  "",
  " ",
  "\0",
  "a\nb\r\u2028c",
  "..",
  "../../etc/passwd",
  "/etc/passwd",
  "C:\\windows",
  "\ud800",
  "e\u0301\u200f\ufeff",
  "9007199254740993",
  "NaN",
  "x".repeat(5000),
  [],
  {},
  [[]],
  [null],
  { length: 1e9 },
  Array.from({ length: 300 }, () => 1),
];
const names = ["__proto__", "constructor", "toString", "", "\0", "id", "size", "0", "length"];

const treeEdit: fc.Arbitrary<TreeEdit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("replace" as const),
      at: place,
      value: fc.oneof(fc.constantFrom(...hostileValues), fc.double(), fc.integer(), fc.string({ maxLength: 12 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("drop" as const), at: place }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("rename" as const), at: place, name: fc.constantFrom(...names) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("double" as const), at: place }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("wrap" as const), at: place, depth: fc.constantFrom(1, 2, 200) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      at: place,
      name: fc.constantFrom(...names),
      value: fc.constantFrom(...hostileValues),
    }),
  },
);

/** One of `samples` (JSON-like trees) with one to four of its members changed; the samples stay as they are. */
export function garbledTree(samples: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.nat({ max: samples.length - 1 }), fc.array(treeEdit, { minLength: 1, maxLength: 4 }))
    .map(([which, edits]) => edits.reduce((tree, one) => edited(tree, one), structuredClone(samples[which])));
}

interface Slot {
  readonly holder: Record<string, unknown> | unknown[];
  readonly key: string;
}

function edited(tree: unknown, change: TreeEdit): unknown {
  const root = { tree };
  const slots: Slot[] = [];
  collect(root, slots);
  const slot = slots[Math.min(slots.length - 1, Math.floor(change.at * slots.length))];
  if (slot === undefined) return tree;
  const { key } = slot;
  const holder = slot.holder as Record<string, unknown>;
  const value = holder[key];
  switch (change.kind) {
    case "replace":
      holder[key] = structuredClone(change.value);
      break;
    case "drop":
      if (Array.isArray(slot.holder)) slot.holder.splice(Number(key), 1);
      else delete holder[key];
      break;
    case "rename":
      if (!Array.isArray(slot.holder) && slot.holder !== root) {
        delete holder[key];
        define(holder, change.name, value);
      }
      break;
    case "double":
      if (Array.isArray(slot.holder)) slot.holder.push(structuredClone(value));
      break;
    case "wrap": {
      let inner = value;
      for (let i = 0; i < change.depth; i++) inner = [inner];
      holder[key] = inner;
      break;
    }
    case "add":
      if (value !== null && typeof value === "object" && !Array.isArray(value))
        define(value as Record<string, unknown>, change.name, structuredClone(change.value));
      break;
  }
  return root.tree;
}

/** An own member also under the name __proto__, as JSON.parse makes it. */
function define(holder: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

function collect(holder: Record<string, unknown> | unknown[], slots: Slot[]): void {
  for (const [key, value] of Object.entries(holder)) {
    slots.push({ holder, key });
    if (value !== null && typeof value === "object") collect(value as Record<string, unknown>, slots);
  }
}
