/**
 * Turns an image, uint8 [height, width, 3] (channels last), into a normalised float32 tensor [3, height, width]:
 * (x / 255 - mean) / std by channel. Each step is rounded to float32, so that the result equals that of PyTorch's
 * float tensors bit for bit. `out` has at least 3 · height · width elements; it is returned, or a new array. Does not
 * modify `image`. Throws a RangeError for a size that does not fit or a std of 0.
 */
export function toFloat32Chw(
  image: Uint8Array,
  height: number,
  width: number,
  mean: readonly [number, number, number],
  std: readonly [number, number, number],
  out: Float32Array = new Float32Array(3 * height * width),
): Float32Array {
  const plane = height * width;
  if (image.length !== 3 * plane || out.length < 3 * plane) {
    throw new RangeError(
      `expected ${3 * plane} bytes for ${height} × ${width} × 3 and as many floats, got ${image.length} and ${out.length}`,
    );
  }
  const red = levels(mean[0], std[0]);
  const green = levels(mean[1], std[1]);
  const blue = levels(mean[2], std[2]);
  for (let i = 0, from = 0; i < plane; i++, from += 3) {
    out[i] = red[image[from]!]!;
    out[plane + i] = green[image[from + 1]!]!;
    out[2 * plane + i] = blue[image[from + 2]!]!;
  }
  return out;
}

/** The normalised value of each of the 256 levels of a channel. */
function levels(mean: number, std: number): Float32Array {
  if (!Number.isFinite(mean) || !(Math.abs(std) > 0))
    throw new RangeError(`expected a finite mean and a std that is not 0, got ${mean} and ${std}`);
  const table = new Float32Array(256);
  for (let x = 0; x < 256; x++) {
    table[x] = Math.fround(Math.fround(x / 255) - Math.fround(mean)) / Math.fround(std);
  }
  return table;
}
