import { fail, quoteValue } from "../../model/index.ts";
import { nodeFlags, nodeHeaderBytes, pageFlags, pageHeaderBytes } from "./layout.ts";

/** One page of an LMDB file; every offset in it is checked before it is followed. Views `bytes`. */
export class LmdbPage {
  readonly number: number;
  readonly flags: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #path: string;

  constructor(bytes: Uint8Array, number: number, path: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.number = number;
    this.#path = path;
    const own = this.#view.getBigUint64(0, true);
    if (own !== BigInt(number)) this.damaged(`it calls itself page ${own}`);
    this.flags = this.#view.getUint16(10, true);
  }

  /** Records on a leaf, children on a branch. */
  get count(): number {
    return (this.#view.getUint16(12, true) - pageHeaderBytes) >> 1;
  }

  /** Pages of the value that begins here. */
  get overflowCount(): number {
    return this.#view.getUint32(12, true);
  }

  checkKind(kind: "branch" | "leaf"): void {
    const bit = pageFlags[kind];
    const others = pageFlags.branch | pageFlags.leaf | pageFlags.overflow | pageFlags.meta | pageFlags.fixedLeaf;
    if ((this.flags & others) !== bit) this.damaged(`expected a ${kind} page, got flags ${this.flags}`);
    const lower = this.#view.getUint16(12, true);
    const upper = this.#view.getUint16(14, true);
    if (lower < pageHeaderBytes + 2 || lower % 2 !== 0 || lower > upper || upper > this.#bytes.length) {
      this.damaged(`its bounds are ${lower} and ${upper}`);
    }
  }

  key(index: number): Uint8Array {
    const node = this.#node(index);
    const start = node + nodeHeaderBytes;
    return this.#bytes.subarray(start, start + this.#keySize(node));
  }

  /** The page below child `index` of a branch. */
  child(index: number): number {
    const node = this.#node(index);
    return this.#view.getUint32(node, true) + this.#view.getUint16(node + 4, true) * 2 ** 32;
  }

  /** The last child whose key is not above `key`; the first child's key counts as lowest. */
  childFor(key: Uint8Array): number {
    let low = 1;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.key(middle), key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The record of `key` on a leaf. */
  find(key: Uint8Array): number | undefined {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = Buffer.compare(this.key(middle), key);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return undefined;
  }

  nodeFlags(index: number): number {
    return this.#view.getUint16(this.#node(index) + 4, true);
  }

  valueSize(index: number): number {
    return this.#view.getUint32(this.#node(index), true);
  }

  inlineValue(index: number): Uint8Array {
    const node = this.#node(index);
    const start = node + nodeHeaderBytes + this.#keySize(node);
    const end = start + this.#view.getUint32(node, true);
    if (end > this.#bytes.length) this.damaged(`value ${index} runs beyond it`);
    return this.#bytes.subarray(start, end);
  }

  /** The page at which the value of record `index` begins. */
  overflowPage(index: number): number {
    const node = this.#node(index);
    const at = node + nodeHeaderBytes + this.#keySize(node);
    if ((this.nodeFlags(index) & nodeFlags.overflow) === 0 || at + 8 > this.#bytes.length)
      this.damaged(`value ${index} has no page`);
    return Number(this.#view.getBigUint64(at, true));
  }

  damaged(reason: string): never {
    fail(
      "bad-input",
      `expected a sound page ${this.number} in ${quoteValue(this.#path)}, but ${reason}; the file is damaged`,
    );
  }

  #node(index: number): number {
    const at = this.#view.getUint16(pageHeaderBytes + 2 * index, true);
    if (at < this.#view.getUint16(14, true) || at + nodeHeaderBytes > this.#bytes.length)
      this.damaged(`node ${index} lies at byte ${at}`);
    return at;
  }

  #keySize(node: number): number {
    const size = this.#view.getUint16(node + 6, true);
    if (node + nodeHeaderBytes + size > this.#bytes.length) this.damaged(`a key of ${size} bytes runs beyond it`);
    return size;
  }
}
