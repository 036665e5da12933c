/** One of `count` equal shares of a piece of work; `index` is from 0. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The half-open range of `total` units that is a shard's share: the shares of all cover them once, in order. */
export function shardRange({ index, count }: Shard, total: number): readonly [start: number, end: number] {
  return [Math.floor((total * index) / count), Math.floor((total * (index + 1)) / count)];
}

/** "2/8", as --shard takes it. */
export function shardText({ index, count }: Shard): string {
  return `${index}/${count}`;
}
