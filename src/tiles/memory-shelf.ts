/** Memory of one kind of use, given again instead of made anew: pages that are new to the process cost as much as copying to them. */
export interface MemoryShelf {
  /** `length` bytes of any content, the taker's until given back. */
  take(length: number): Uint8Array;
  /** Takes back what `take` gave, which nobody may use any more. What is not given back is simply lost to the shelf. */
  give(bytes: Uint8Array): void;
}

/** A shelf that keeps at most `mostBytes`. */
export function openMemoryShelf(mostBytes: number): MemoryShelf {
  const kept = new Map<number, ArrayBuffer[]>();
  let keptBytes = 0;
  return {
    take(length) {
      const room = roomOf(length);
      const buffer = kept.get(room)?.pop();
      if (buffer !== undefined) keptBytes -= room;
      return new Uint8Array(buffer ?? new ArrayBuffer(room), 0, length);
    },
    give({ buffer }) {
      const room = buffer.byteLength;
      if (!(buffer instanceof ArrayBuffer) || room !== roomOf(room) || keptBytes + room > mostBytes) return;
      const shelf = kept.get(room);
      if (shelf === undefined) kept.set(room, [buffer]);
      else shelf.push(buffer);
      keptBytes += room;
    },
  };
}

/** Lengths are rounded up to an eighth of a power of two, so that files of like sizes share memory. */
function roomOf(length: number): number {
  const step = Math.max(2 ** (Math.floor(Math.log2(Math.max(length, 1))) - 3), 4096);
  return Math.max(Math.ceil(length / step) * step, step);
}
