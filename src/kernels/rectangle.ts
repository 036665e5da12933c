/** A part of an image in whole pixels, inside the image, at least 1 × 1. */
export interface PixelRectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Throws a RangeError unless `part` is a whole-pixel rectangle of at least 1 × 1 inside width × height. */
export function checkPart(part: PixelRectangle, width: number, height: number): void {
  const whole =
    Number.isInteger(part.x) &&
    Number.isInteger(part.y) &&
    Number.isInteger(part.width) &&
    Number.isInteger(part.height);
  const inside = part.x >= 0 && part.y >= 0 && part.x + part.width <= width && part.y + part.height <= height;
  if (!whole || !inside || part.width < 1 || part.height < 1) {
    throw new RangeError(
      `expected a whole-pixel rectangle inside ${width} × ${height}, got ${part.width} × ${part.height} at (${part.x}, ${part.y})`,
    );
  }
}

/** Throws a RangeError unless `width` and `height` are integers of 1 or more. */
export function checkTarget(width: number, height: number): void {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RangeError(`expected a target of whole pixels, 1 × 1 or more, got ${width} × ${height}`);
  }
}

/** Throws a RangeError unless `rows` rows of `rowLength` values, `stride` apart from `offset` on, lie in `length`. */
export function checkRoom(length: number, offset: number, stride: number, rows: number, rowLength: number): void {
  const valid = Number.isInteger(offset) && Number.isInteger(stride) && offset >= 0 && stride >= rowLength;
  if (!valid || offset + (rows - 1) * stride + rowLength > length) {
    throw new RangeError(
      `the target of ${rows} rows of ${rowLength} at offset ${offset}, stride ${stride}, does not fit ${length} values`,
    );
  }
}
