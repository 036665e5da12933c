/**
 * Packs a JSON-like value with typed arrays and sets of numbers in it into one block of bytes for the page; the
 * layout is described where it is read, in page/unpack.ts. NaN and infinities outside typed arrays become null.
 */
export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  const arrays: { readonly bytes: Uint8Array; readonly offset: number }[] = [];
  let size = 0;
  // `this[key]`, since a Buffer has turned itself into JSON by the time it is passed.
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key) {
    const member = this[key];
    if (member instanceof Set) return { $set: [...member] };
    if (!ArrayBuffer.isView(member) || member instanceof DataView) return member;
    const { BYTES_PER_ELEMENT: itemSize } = member as Float32Array;
    const bytes = new Uint8Array(member.buffer, member.byteOffset, member.byteLength);
    const offset = size;
    arrays.push({ bytes, offset });
    size += aligned(bytes.length);
    const type = member instanceof Uint8Array ? "Uint8Array" : member.constructor.name;
    return { $: [type, offset, bytes.length / itemSize] };
  });
  const header = new TextEncoder().encode(text);
  const data = aligned(8 + header.length);
  const packed = new Uint8Array(data + size);
  const view = new DataView(packed.buffer);
  view.setUint32(0, 0x4e4d5031);
  view.setUint32(4, header.length, true);
  packed.set(header, 8);
  for (const { bytes, offset } of arrays) packed.set(bytes, data + offset);
  return packed;
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}
