/**
 * float16, IEEE 754 binary16, as its bits in a uint16: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction.
 */

const floatBits = new Uint32Array(1);
const floatValue = new Float32Array(floatBits.buffer);

/**
 * Rounds float32 to float16, to the nearest, ties to even (as NumPy and C do): above 65504 and its rounding to
 * infinity, below 2^-24 and its rounding to a zero of the same sign; NaN stays NaN. `out` has at least as many
 * elements as `values`; it is returned, or a new array.
 */
export function floatToHalf(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  checkLength(out.length, values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfOfBits(bits[i]!);
  return out;
}

/**
 * Widens float16 (bits in `halves`) to float32, exactly. `out` has at least as many elements as `halves`; it is
 * returned, or a new array.
 */
export function halfToFloat(halves: Uint16Array, out: Float32Array = new Float32Array(halves.length)): Float32Array {
  checkLength(out.length, halves.length);
  const table = halfTable();
  // Bits, not numbers, are copied, so that a NaN keeps its payload.
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]!]!;
  return out;
}

/** The float16 bits nearest to one number, which is rounded to float32 first. */
export function numberToHalf(value: number): number {
  floatValue[0] = value;
  return halfOfBits(floatBits[0]!);
}

/** The number that float16 bits stand for. */
export function halfToNumber(half: number): number {
  floatBits[0] = halfTable()[half & 0xffff]!;
  return floatValue[0]!;
}

/** float32 bits of each of the 65536 float16 values; made on first use. */
let bitsOfHalf: Uint32Array | undefined;

function halfOfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // 0x38800000 is 2^-14, the smallest normal; 0x477ff000 is 65520, the first that rounds to infinity.
  if (magnitude >= 0x38800000 && magnitude < 0x477ff000) {
    const rebased = magnitude - 0x38000000;
    return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
  }
  if (magnitude < 0x38800000) {
    // 0x33000000 is 2^-25: half of the smallest subnormal, and a tie with zero.
    if (magnitude <= 0x33000000) return sign;
    const shift = 126 - (magnitude >>> 23);
    const fraction = (magnitude & 0x7fffff) | 0x800000;
    const kept = fraction >>> shift;
    const rest = fraction & ((1 << shift) - 1);
    const tie = 1 << (shift - 1);
    return sign | (rest > tie || (rest === tie && (kept & 1) === 1) ? kept + 1 : kept);
  }
  if (magnitude <= 0x7f800000) return sign | 0x7c00;
  const payload = (magnitude >>> 13) & 0x3ff;
  return sign | 0x7c00 | (payload === 0 ? 1 : payload);
}

function halfTable(): Uint32Array {
  if (bitsOfHalf !== undefined) return bitsOfHalf;
  const table = new Uint32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) * 65536;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 0x3ff;
    if (exponent === 31) table[half] = sign + 0x7f800000 + fraction * 8192;
    else if (exponent > 0) table[half] = sign + (exponent + 112) * 2 ** 23 + fraction * 8192;
    else {
      floatValue[0] = fraction * 2 ** -24;
      table[half] = sign + floatBits[0]!;
    }
  }
  bitsOfHalf = table;
  return table;
}

function checkLength(length: number, needed: number): void {
  if (length < needed) throw new RangeError(`expected room for ${needed} values, got ${length}`);
}
