/**
 * Blurs an image by Pillow's GaussianBlur: three box blurs across and three down, whose radius (with a fraction) gives
 * the variance of a Gaussian of standard deviation `radius` pixels; edges are repeated. `image` is uint8, row-major,
 * interleaved, of 1 to 4 channels; it is not modified, the result is new. Throws a RangeError for a size that does not
 * fit or a radius that is negative, not finite or over 10,000.
 *
 * Source: Pillow's BoxBlur.c, after Gwosdek et al., "Theoretical foundations of Gaussian convolution by extended box
 * filtering", SSVM 2011.
 */
export function gaussianBlur(
  image: Uint8Array,
  width: number,
  height: number,
  channels: number,
  radius: number,
): Uint8Array {
  if (!(radius >= 0 && radius <= 10_000))
    throw new RangeError(`a blur radius must be 0 to 10000 pixels, got ${radius}`);
  if (!Number.isInteger(channels) || channels < 1 || channels > 4) {
    throw new RangeError(`expected 1 to 4 channels, got ${channels}`);
  }
  const isWhole = Number.isInteger(width) && Number.isInteger(height);
  if (!isWhole || width < 1 || height < 1 || image.length !== width * height * channels) {
    throw new RangeError(`expected ${width} × ${height} × ${channels} bytes, got ${image.length}`);
  }
  const boxRadius = gaussianBoxRadius(radius, passes);
  if (boxRadius === 0) return image.slice();
  const turned = new Uint8Array(image.length);
  blurRowsTurned(image, width, height, channels, boxRadius, turned);
  const result = new Uint8Array(image.length);
  blurRowsTurned(turned, height, width, channels, boxRadius, result);
  return result;
}

const passes = 3;

/** Pillow's _gaussian_blur_radius, in the single precision it uses. */
function gaussianBoxRadius(radius: number, count: number): number {
  const f = Math.fround;
  const variance = f(f(f(radius) * f(radius)) / count);
  const length = f(Math.sqrt(12 * variance + 1));
  const whole = f(Math.floor((length - 1) / 2));
  const top = f(f(f(2 * whole) + 1) * f(f(whole * f(whole + 1)) - f(3 * variance)));
  const bottom = f(6 * f(variance - f(f(whole + 1) * f(whole + 1))));
  return f(whole + f(top / bottom));
}

/** Blurs each row three times and writes it as a column: two calls blur both ways and turn the image back. */
function blurRowsTurned(
  image: Uint8Array,
  width: number,
  height: number,
  channels: number,
  boxRadius: number,
  out: Uint8Array,
): void {
  const whole = Math.trunc(boxRadius);
  const weight = Math.floor(Math.fround(2 ** 24 / Math.fround(Math.fround(boxRadius * 2) + 1)));
  const farWeight = Math.floor((2 ** 24 - (whole * 2 + 1) * weight) / 2);
  let line = new Uint8Array(width);
  let blurred = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < channels; c++) {
      for (let x = 0, at = y * width * channels + c; x < width; x++, at += channels) line[x] = image[at]!;
      for (let pass = 0; pass < passes; pass++) {
        boxBlur(line, blurred, whole, weight, farWeight);
        [line, blurred] = [blurred, line];
      }
      for (let x = 0, at = y * channels + c; x < width; x++, at += height * channels) out[at] = line[x]!;
    }
  }
}

/**
 * One box of 2 · radius + 1 pixels of `weight` / 2^24 each and one more on either side of `farWeight`. Products stay
 * within unsigned 32 bits, as in the original.
 */
function boxBlur(line: Uint8Array, out: Uint8Array, radius: number, weight: number, farWeight: number): void {
  const last = line.length - 1;
  const low = line[0]!;
  const high = line[last]!;
  // The sum over the box around pixel -1.
  let sum = low * (radius + 1);
  for (let x = 0; x < radius; x++) sum += x < last ? line[x]! : high;
  for (let x = 0; x <= last; x++) {
    const left = x > radius ? line[x - radius - 1]! : low;
    sum += (x + radius < last ? line[x + radius]! : high) - left;
    const right = x + radius + 1 < last ? line[x + radius + 1]! : high;
    out[x] = (Math.imul(sum, weight) + Math.imul(left + right, farWeight) + 2 ** 23) >>> 24;
  }
}
