import type { EncodedImage, ExportTarget, Polygons } from "./exporter.ts";

/**
 * Polygons that pycocotools rasterises to exactly `mask` (uint8 [height, width], 0 = outside; not modified): one for each
 * 4-connected region, flat lists x0, y0, x1, y1, … along the borders of pixels. Regions share no pixel, so that it makes
 * no difference whether a reader unites its parts or sums them. Holes are joined to their region's outline by bridges
 * that run there and back: the even-odd rule by which pycocotools fills does not see them. Empty for an empty mask.
 */
export function maskPolygons(mask: Uint8Array, height: number, width: number): number[][] {
  const labels = labelRegions(mask, height, width);
  const outlines = new Map<number, number[][]>();
  const visited = new Uint8Array(mask.length);
  for (let at = 0; at < mask.length; at++) {
    const label = labels[at]!;
    if (label === 0 || visited[at] === 1) continue;
    if (at >= width && labels[at - width]! !== 0) continue; // no border above
    const loop = traceLoop(labels, height, width, at % width, Math.floor(at / width), visited);
    const loops = outlines.get(label);
    if (loops === undefined) outlines.set(label, [loop]);
    else loops.push(loop);
  }
  return [...outlines.values()].map(joinLoops);
}

/** A polygon of three equal corners covers no pixel, yet passes for a polygon with every reader. */
const emptyPolygon: readonly number[] = [0, 0, 0, 0, 0, 0];

/** The polygons by which formats store a mask: its dataset's own where they are exact, else traced; never none. */
export function storedPolygons(
  { mask, polygons }: Pick<ExportTarget, "mask" | "polygons">,
  { height, width }: Pick<EncodedImage, "height" | "width">,
): Polygons {
  const stored = polygons ?? maskPolygons(mask, height, width);
  return stored.length > 0 ? stored : [emptyPolygon];
}

/** Numbers the 4-connected regions from 1; 0 = outside. */
function labelRegions(mask: Uint8Array, height: number, width: number): Int32Array {
  const labels = new Int32Array(mask.length);
  const stack: number[] = [];
  let next = 0;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || labels[start] !== 0) continue;
    next++;
    labels[start] = next;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width;
      const offer = (neighbour: number): void => {
        if (mask[neighbour] === 0 || labels[neighbour] !== 0) return;
        labels[neighbour] = next;
        stack.push(neighbour);
      };
      if (x > 0) offer(at - 1);
      if (x < width - 1) offer(at + 1);
      if (at >= width) offer(at - width);
      if (at < (height - 1) * width) offer(at + width);
    }
  }
  return labels;
}

/** East, south, west, north: the way a step goes, and where the pixels right and left ahead of a corner lie. */
const steps = [
  { dx: 1, dy: 0, right: [0, 0], left: [0, -1] },
  { dx: 0, dy: 1, right: [-1, 0], left: [0, 0] },
  { dx: -1, dy: 0, right: [-1, -1], left: [-1, 0] },
  { dx: 0, dy: -1, right: [0, -1], left: [-1, -1] },
] as const;

/**
 * Walks the border from the top left corner of a pixel eastwards with the region on the right hand, until it is back;
 * returns the corners where it turned. Where two pixels touch by a corner only, it stays with the one it came along.
 */
function traceLoop(
  labels: Int32Array,
  height: number,
  width: number,
  startX: number,
  startY: number,
  visited: Uint8Array,
): number[] {
  const isSet = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] !== 0;
  const corners: number[] = [];
  let x = startX;
  let y = startY;
  let direction = 0;
  do {
    const step = steps[direction]!;
    if (direction === 0) visited[y * width + x] = 1;
    x += step.dx;
    y += step.dy;
    let turn = 0;
    if (!isSet(x + step.right[0], y + step.right[1])) turn = 1;
    else if (isSet(x + step.left[0], y + step.left[1])) turn = 3;
    if (turn !== 0) corners.push(x, y);
    direction = (direction + turn) % 4;
  } while (x !== startX || y !== startY || direction !== 0);
  return corners;
}

/** One closed walk over an outline and its holes: from loop to loop, and back over the same bridges. */
function joinLoops(loops: readonly number[][]): number[] {
  const [outline, ...holes] = loops;
  if (outline === undefined || holes.length === 0) return outline ?? [];
  const start = (loop: readonly number[]): number[] => loop.slice(0, 2);
  const out = [...outline, ...start(outline)];
  for (const hole of holes) out.push(...hole, ...start(hole));
  for (const hole of holes.slice(0, -1).reverse()) out.push(...start(hole));
  return out;
}
