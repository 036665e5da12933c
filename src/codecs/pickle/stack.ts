import { fail } from "../../model/index.ts";
import { type AllowedGlobal, isUnhashable } from "./allowed.ts";
import type { PickleCursor } from "./cursor.ts";
import { PickleTuple, type PickleValue } from "./values.ts";

/** What lies on the stack: a value, or the marker of an allowed name that waits to be called. */
export type PickleItem = PickleValue | AllowedGlobal;

/** The stack of a pickle's machine with its marks, and the memo. Nothing below the last mark can be reached. */
export class PickleStack {
  /** From the bottom; read and cut by the machine's own loops. */
  readonly items: PickleItem[] = [];
  readonly #cursor: PickleCursor;
  readonly #marks: number[] = [];
  readonly #memo: PickleItem[] = [];
  readonly #farMemo = new Map<number, PickleItem>();
  readonly #maxContainers: number;
  #containers = 0;
  #floor = 0;

  constructor(cursor: PickleCursor, maxContainers: number) {
    this.#cursor = cursor;
    this.#maxContainers = maxContainers;
  }

  push(item: PickleItem): void {
    this.items.push(item);
  }

  /** Pushes a new list, tuple, dict, set or bytes made by a call, and counts it. */
  pushContainer(value: PickleValue): void {
    if (++this.#containers > this.#maxContainers) {
      fail(
        "unsupported",
        `expected at most ${this.#maxContainers} lists, tuples, dicts and sets ${this.#cursor.at(this.#cursor.start)}; split the file`,
      );
    }
    this.items.push(value);
  }

  mark(): void {
    this.#marks.push(this.#floor);
    this.#floor = this.items.length;
  }

  /** Removes the last mark and returns its position: what stands from there on was pushed behind it. */
  popMark(): number {
    const start = this.#floor;
    const floor = this.#marks.pop();
    if (floor === undefined) this.#cursor.damaged("expected a mark on the stack");
    this.#floor = floor;
    return start;
  }

  /** Removes the topmost item or, as Python does, a mark that nothing stands above. */
  pop(): void {
    if (this.items.length > this.#floor) this.items.pop();
    else this.popMark();
  }

  /** Drops what stands from `start` on. */
  cut(start: number): void {
    this.items.length = start;
  }

  /** The position of the topmost `count` items. */
  operands(count: number): number {
    const start = this.items.length - count;
    if (start < this.#floor) this.#cursor.damaged(`expected ${count} value${count === 1 ? "" : "s"} on the stack`);
    return start;
  }

  /** The item under position `start`. */
  below(start: number): PickleItem {
    const item = this.items[start - 1];
    if (start <= this.#floor || item === undefined) this.#cursor.damaged("expected a container on the stack");
    return item;
  }

  top(): PickleItem {
    const item = this.items[this.items.length - 1];
    if (this.items.length <= this.#floor || item === undefined) this.#cursor.damaged("expected a value on the stack");
    return item;
  }

  /** Keeps the topmost item under `index`, or the next free number. */
  remember(index: number = this.#memo.length + this.#farMemo.size): void {
    const item = this.top();
    // Dense indices live in an array; a file may jump to any number below 2^53, which must not cost its size.
    if (index < this.#memo.length) this.#memo[index] = item;
    else if (index === this.#memo.length && !this.#farMemo.has(index)) this.#memo.push(item);
    else this.#farMemo.set(index, item);
  }

  recall(index: number): void {
    const item = index < this.#memo.length ? this.#memo[index] : this.#farMemo.get(index);
    if (item === undefined) this.#cursor.damaged(`expected memo entry ${index}, which was never stored`);
    this.items.push(item);
  }

  /** Makes a tuple of what stands from `start` on. */
  tuple(start: number): void {
    const { items } = this;
    const tuple = new PickleTuple();
    for (let i = start; i < items.length; i++) tuple.push(items[i] as PickleValue);
    items.length = start;
    this.pushContainer(tuple);
  }

  /** Moves what stands from `start` on into the list under it. */
  append(start: number): void {
    const { items } = this;
    const list = this.below(start);
    if (!Array.isArray(list) || list instanceof PickleTuple) this.#cursor.damaged("expected a list below the items");
    for (let i = start; i < items.length; i++) list.push(items[i] as PickleValue);
    items.length = start;
  }

  /** Moves the keys and values from `start` on into `dict`, or the dict under them. */
  setItems(start: number, dict: PickleItem = this.below(start)): void {
    const { items } = this;
    if (!(dict instanceof Map)) this.#cursor.damaged("expected a dict below the items");
    if ((items.length - start) % 2 !== 0) this.#cursor.damaged("expected keys and values in pairs");
    for (let i = start; i < items.length; i += 2) {
      dict.set(this.#hashable(items[i]), items[i + 1] as PickleValue);
    }
    items.length = start;
  }

  /** Moves what stands from `start` on into `set`, or the set under it. */
  addItems(start: number, set: PickleItem = this.below(start)): void {
    const { items } = this;
    if (!(set instanceof Set)) this.#cursor.damaged("expected a set below the items");
    for (let i = start; i < items.length; i++) set.add(this.#hashable(items[i]));
    items.length = start;
  }

  #hashable(item: PickleItem | undefined): PickleValue {
    if (typeof item === "object" && isUnhashable(item)) {
      this.#cursor.damaged("expected a key that Python can hash, got a list or dict");
    }
    return item as PickleValue;
  }
}
