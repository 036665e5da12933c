/**
 * What decoding needs to know of a JPEG, from its frame header alone. A file is a sequence of segments:
 *
 *   FF D8                                                      start of image
 *   FF <marker> <u16 length, itself included> <content>        any number; FF may be repeated before a marker
 *   FF C0 … CF but C4, C8, CC: <u16 length> <u8 bits a sample> <u16 height> <u16 width> <u8 components> …
 *
 * with big-endian numbers.
 */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  /** How it is coded; "other": arithmetic, lossless or hierarchical, which few decoders take. */
  readonly process: "baseline" | "progressive" | "other";
}

/**
 * Reads the frame header; undefined for what is no JPEG of 8 bits, or is damaged before it, and for a height that only
 * the end of the file states: those are left to the image library.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const u16 = (at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      const [height, width, components] = [u16(at + 5), u16(at + 7), bytes[at + 9]!];
      const isPlain = bytes[at + 4] === 8 && width > 0 && height > 0;
      const process = marker <= 0xc1 ? "baseline" : marker === 0xc2 ? "progressive" : "other";
      return isPlain ? { width, height, components, process } : undefined;
    }
    // Markers without content do not stand before a frame, and no segment is shorter than its own length.
    if (marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd9) || u16(at + 2) < 2) return undefined;
    at += 2 + u16(at + 2);
  }
  return undefined;
}
