/**
 * A value with typed arrays in it, as one block of bytes:
 *
 *   0-3    "NMP1"
 *   4-7    u32 little-endian: length of the JSON text, bytes
 *   8-     JSON (UTF-8); an array stands in it as {"$": [type, offset, length]}, a set of numbers as {"$set": [...]},
 *          offsets counted from the start of the data
 *   data   starts at the next multiple of 8 behind the JSON; each array starts at a multiple of 8, little-endian
 */
export function unpack(buffer: ArrayBuffer): unknown {
  const view = new DataView(buffer);
  if (buffer.byteLength < 8 || view.getUint32(0) !== 0x4e4d5031) throw new Error("expected a packed value (NMP1)");
  const length = view.getUint32(4, true);
  const data = Math.ceil((8 + length) / 8) * 8;
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, length));
  return JSON.parse(text, (_key, value: unknown) => {
    if (value === null || typeof value !== "object") return value;
    if ("$" in value) return arrayOf(buffer, data, value.$ as [string, number, number]);
    if ("$set" in value) return new Set(value.$set as number[]);
    return value;
  });
}

/** The arrays that can be packed, by name. */
export const arrayTypes = { Uint8Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array } as const;

function arrayOf(buffer: ArrayBuffer, data: number, [type, offset, length]: [string, number, number]): unknown {
  const make = arrayTypes[type as keyof typeof arrayTypes];
  if (make === undefined) throw new Error(`expected a packed array of a known type, got ${type}`);
  return new make(buffer, data + offset, length);
}
