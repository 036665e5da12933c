/**
 * COCO's run-length masks.
 *
 * A mask of height × width pixels is read column by column, top to bottom; `counts` are the lengths of its runs, of
 * zeros first (so a mask whose first pixel is set starts with a count of 0), then ones, then zeros …, and add up to
 * height × width.
 *
 * The compressed form packs each count into ASCII, 5 bits a character, least significant first:
 *
 *   value   = counts[i] for i < 3, else counts[i] - counts[i - 2] (so it may be negative: two's complement)
 *   chunk   = value & 31, then value >>= 5
 *   more    = 32 while the rest is not a mere repetition of the chunk's sign bit (16)
 *   char    = chr(48 + chunk + more), that is "0" … "o"
 *
 * Source of the format: pycocotools' maskApi.c (rleToString, rleFrString).
 */

/** A mask as column-major run lengths, zeros first. `counts` add up to height × width; runs of length 0 may occur. */
export interface Rle {
  readonly height: number;
  readonly width: number;
  readonly counts: Uint32Array;
}

/** The most pixels that a mask may have: positions stay signed 32-bit integers, as in pycocotools. */
export const maxMaskPixels = 2 ** 31 - 1;

/** Room for the counts of one text, kept from call to call. */
let room = new Uint32Array(4096);

/**
 * Reads COCO's compressed run lengths. `height` and `width` in pixels. Throws a RangeError for a character outside
 * "0" to "o", a count that is cut off, negative or too large, and for counts that do not add up to height × width.
 */
export function rleFromString(counts: string, height: number, width: number): Rle {
  const pixels = pixelsOf(height, width);
  if (room.length < counts.length) room = new Uint32Array(counts.length);
  const found = room;
  let used = 0;
  let total = 0;
  let at = 0;
  while (at < counts.length) {
    const start = at;
    let value = 0;
    let unit = 1;
    let chunk: number;
    do {
      if (at >= counts.length) throw new RangeError(`run lengths end inside the count at character ${start}`);
      chunk = counts.charCodeAt(at) - 48;
      if (!(chunk >= 0 && chunk < 64)) {
        throw new RangeError(`run lengths hold a character outside "0" to "o" at character ${at}`);
      }
      // 7 characters carry 35 bits: no difference of two 32-bit counts needs more.
      if (at - start >= 7) throw new RangeError(`run lengths hold a count over 32 bits at character ${start}`);
      value += (chunk & 31) * unit;
      unit *= 32;
      at++;
    } while (chunk & 32);
    if (chunk & 16) value -= unit;
    if (used > 2) value += found[used - 2]!;
    if (value < 0) throw new RangeError(`run lengths hold a negative count (${value}) at character ${start}`);
    total += value;
    if (total > pixels) throw wrongTotal(`at least ${total}`, height, width);
    found[used++] = value;
  }
  if (total !== pixels) throw wrongTotal(String(total), height, width);
  return { height, width, counts: found.slice(0, used) };
}

/** Writes COCO's compressed run lengths, character for character as pycocotools does. */
export function rleToString(rle: Rle): string {
  const { counts } = rle;
  const text: string[] = [];
  for (let i = 0; i < counts.length; i++) {
    let value = i > 2 ? counts[i]! - counts[i - 2]! : counts[i]!;
    let more = true;
    while (more) {
      const chunk = value & 31;
      value = Math.floor(value / 32);
      more = chunk & 16 ? value !== -1 : value !== 0;
      text.push(String.fromCharCode(48 + chunk + (more ? 32 : 0)));
    }
  }
  return text.join("");
}

/**
 * Takes COCO's uncompressed run lengths (a list of numbers); copies them. Throws a RangeError where a count is not an
 * integer of 0 or more, or where they do not add up to height × width.
 */
export function rleFromCounts(counts: readonly number[], height: number, width: number): Rle {
  const pixels = pixelsOf(height, width);
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`run length ${i} must be an integer of 0 or more, got ${String(count)}`);
    }
    total += count;
    if (total > pixels) throw wrongTotal(`at least ${total}`, height, width);
  }
  if (total !== pixels) throw wrongTotal(String(total), height, width);
  return { height, width, counts: Uint32Array.from(counts) };
}

/**
 * Encodes a row-major raster of height × width numbers, where those of `least` or more are set: by default all but 0. Does not
 * modify `mask`.
 */
export function rleFromMask(mask: Uint8Array | Uint16Array, height: number, width: number, least = 1): Rle {
  const pixels = pixelsOf(height, width);
  if (mask.length !== pixels) {
    throw new RangeError(`a mask of ${height} × ${width} has ${pixels} bytes, got ${mask.length}`);
  }
  if (pixels === 0) return { height, width, counts: new Uint32Array(1) };
  const [flips, found, set] = [
    new Uint32Array(stripWidth * height),
    new Uint32Array(stripWidth),
    new Uint8Array(stripWidth),
  ];
  let counts = new Uint32Array(256);
  let used = 0;
  let begin = 0;
  const flipAt = (position: number): void => {
    if (used + 1 >= counts.length) counts = growCounts(counts);
    counts[used++] = position - begin;
    begin = position;
  };
  let isSet = false;
  for (let left = 0; left < width; left += stripWidth) {
    const columns = Math.min(stripWidth, width - left);
    found.fill(0);
    set.fill(0);
    findFlips(mask, { height, width, least, left, columns }, flips, found, set);
    for (let column = 0; column < columns; column++) {
      const [start, first, length] = [(left + column) * height, column * height, found[column]!];
      const beginsSet = length > 0 && flips[first] === 0;
      if (beginsSet !== isSet) flipAt(start);
      for (let flip = beginsSet ? 1 : 0; flip < length; flip++) flipAt(start + flips[first + flip]!);
      isSet = set[column] === 1;
    }
  }
  counts[used++] = pixels - begin;
  return { height, width, counts: counts.slice(0, used) };
}

/** Columns that are looked at together: a row of them is read in one go, where a column alone would take a cache line for each pixel. */
const stripWidth = 64;

interface Strip {
  readonly height: number;
  readonly width: number;
  readonly least: number;
  readonly left: number;
  readonly columns: number;
}

/** Of each column of a strip: the rows at which it becomes set or unset, their number, and whether it ends set; it begins unset. */
function findFlips(
  mask: Uint8Array | Uint16Array,
  { height, width, least, left, columns }: Strip,
  flips: Uint32Array,
  found: Uint32Array,
  set: Uint8Array,
): void {
  const words = wordsOf(mask, width);
  const step = words === undefined ? columns : 4;
  for (let y = 0, row = left; y < height; y++, row += width) {
    for (let first = 0; first < columns; first += step) {
      // Four bytes that are those of the row above are set where those are.
      if (words !== undefined && y > 0 && words[(row + first) >> 2] === words[(row + first - width) >> 2]) continue;
      for (let column = first; column < first + step; column++) {
        const now = mask[row + column]! >= least ? 1 : 0;
        if (now === set[column]) continue;
        set[column] = now;
        flips[column * height + found[column]!++] = y;
      }
    }
  }
}

/** The bytes of a mask as words of four that do not span rows; undefined where there are none such. */
function wordsOf(mask: Uint8Array | Uint16Array, width: number): Uint32Array | undefined {
  if (!(mask instanceof Uint8Array) || width % 4 !== 0 || mask.byteOffset % 4 !== 0) return undefined;
  return new Uint32Array(mask.buffer, mask.byteOffset, mask.length / 4);
}

/** Decodes into a new row-major raster of height × width bytes: `value` where the mask is set, else 0. */
export function rleToMask(rle: Rle, value = 1): Uint8Array {
  const { height, width, counts } = rle;
  const mask = new Uint8Array(pixelsOf(height, width));
  let position = 0;
  for (let i = 1; i < counts.length; i += 2) {
    position += counts[i - 1]!;
    let left = counts[i]!;
    let x = Math.floor(position / height);
    let y = position - x * height;
    position += left;
    while (left > 0) {
      const rows = Math.min(left, height - y);
      const end = (y + rows) * width + x;
      for (let at = y * width + x; at < end; at += width) mask[at] = value;
      left -= rows;
      y = 0;
      x++;
    }
  }
  return mask;
}

/** The number of pixels of a raster; a RangeError where the sides are no integers of 0 or more, or it is too large. */
export function pixelsOf(height: number, width: number): number {
  const pixels = height * width;
  if (!Number.isInteger(height) || !Number.isInteger(width) || height < 0 || width < 0) {
    throw new RangeError(`a mask's height and width must be integers of 0 or more, got ${height} × ${width}`);
  }
  if (pixels > maxMaskPixels) {
    throw new RangeError(`a mask has at most 2^31 - 1 pixels, got ${height} × ${width}`);
  }
  return pixels;
}

function growCounts(counts: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(counts.length * 2);
  larger.set(counts);
  return larger;
}

function wrongTotal(total: string, height: number, width: number): RangeError {
  return new RangeError(`run lengths of a ${height} × ${width} mask must add up to ${height * width}, got ${total}`);
}
