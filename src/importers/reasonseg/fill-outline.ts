/**
 * Outlines as OpenCV draws them with `polylines` and `fillPoly` over whole pixels, pixel for pixel: ReasonSeg's masks are
 * made so, and published numbers rest on them.
 *
 * 1. `drawLine`: each side by Bresenham from left to right, as `cv::LineIterator` walks (8 neighbours).
 * 2. `fillRows`: between each two crossings of a row's middle, from the first whole pixel to the last (`FillEdgeCollection`);
 *    a side counts on the rows from its upper end to the one above its lower end. Crossings are in 1/65536 pixel.
 *
 * Example: the triangle (0,0) (2,0) (0,2) covers (0,0) (1,0) (2,0) (0,1) (1,1) (0,2).
 */

export interface Raster {
  readonly width: number;
  readonly height: number;
  /** One byte a pixel, row by row. */
  readonly data: Uint8Array;
}

type Point = readonly [x: number, y: number];

const one = 65536;

/** Sets the pixels of an outline and of what it encloses to `value`. `points` are cut to whole pixels, as numpy's int32 are. */
export function fillOutline(raster: Raster, points: readonly Point[], value: number): void {
  const whole = points.map(([x, y]): Point => [Math.trunc(x), Math.trunc(y)]);
  whole.forEach((from, i) => {
    drawLine(raster, from, whole[(i + 1) % whole.length] ?? from, value);
  });
  fillRows(raster, whole, value);
}

function drawLine(raster: Raster, a: Point, b: Point, value: number): void {
  const [[x0, y0], [x1, y1]] = a[0] <= b[0] ? [a, b] : [b, a];
  const [dx, dy] = [x1 - x0, Math.abs(y1 - y0)];
  const stepY = y1 < y0 ? -1 : 1;
  const isSteep = dy > dx;
  const [long, short] = isSteep ? [dy, dx] : [dx, dy];
  let [x, y, error] = [x0, y0, long - 2 * short];
  for (let i = 0; i <= long; i++) {
    setPixel(raster, x, y, value);
    const isTurn = error < 0;
    error += (isTurn ? 2 * long : 0) - 2 * short;
    if (isSteep) {
      y += stepY;
      if (isTurn) x++;
    } else {
      x++;
      if (isTurn) y += stepY;
    }
  }
}

function fillRows(raster: Raster, points: readonly Point[], value: number): void {
  const sides = points.flatMap((from, i) => {
    const to = points[(i + 1) % points.length] ?? from;
    if (from[1] === to[1]) return [];
    const [upper, lower] = from[1] < to[1] ? [from, to] : [to, from];
    return [{ upper, lower, slope: Math.trunc(((lower[0] - upper[0]) * one) / (lower[1] - upper[1])) }];
  });
  const top = Math.max(0, Math.min(...sides.map(({ upper }) => upper[1])));
  const bottom = Math.min(raster.height, Math.max(...sides.map(({ lower }) => lower[1])));
  for (let y = top; y < bottom; y++) {
    const crossings = sides
      .filter(({ upper, lower }) => upper[1] <= y && y < lower[1])
      .map(({ upper, slope }) => upper[0] * one + slope * (y - upper[1]))
      .sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const first = Math.max(0, Math.ceil((crossings[i] ?? 0) / one));
      const last = Math.min(raster.width - 1, Math.floor((crossings[i + 1] ?? 0) / one));
      for (let x = first; x <= last; x++) raster.data[y * raster.width + x] = value;
    }
  }
}

function setPixel({ width, height, data }: Raster, x: number, y: number, value: number): void {
  if (x >= 0 && y >= 0 && x < width && y < height) data[y * width + x] = value;
}
