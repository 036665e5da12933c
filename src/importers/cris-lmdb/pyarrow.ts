/**
 * What pyarrow.serialize wrote, as far as it takes to know it:
 *
 *   5 to 7 counts, int32 little-endian: tensors, sparse tensors, ndarrays, buffers (small numbers, mostly 0)
 *   an Arrow record batch stream: [ff ff ff ff] (since Arrow 0.15), int32 length, a flatbuffer that names a column "list"
 *   the buffers
 */

/** True for bytes that pyarrow.serialize made. A pickle begins with 0x80 or an ASCII opcode and text, never so. */
export function isPyarrowSerialized(bytes: Uint8Array): boolean {
  if (bytes.length < 24 || bytes[0] === 0x80) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A count of tensors is small; a pickle of protocol 0 or 1 has text where its upper bytes would be.
  if (view.getUint32(0, true) >= 1 << 16) return false;
  for (let at = 4; at <= 64 && at + 8 <= bytes.length; at += 4) {
    const isMarked = view.getUint32(at, true) === 0xffffffff;
    const length = view.getUint32(isMarked ? at + 4 : at, true);
    if (isMarked || (length >= 64 && length <= bytes.length - at)) return true;
    if (view.getUint32(at, true) >= 1 << 16) return false;
  }
  return false;
}
