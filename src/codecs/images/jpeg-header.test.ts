import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NemosaicError } from "../../model/index.ts";
import { decodeImage, encodeJpeg } from "./index.ts";
import { readJpegHeader } from "./jpeg-header.ts";
import { openImage } from "./source.ts";

const photo = (width: number, height: number, channels: 1 | 3) =>
  encodeJpeg({ width, height, channels, data: new Uint8Array(width * height * channels).map((_, at) => at * 7) }, 90);

describe("readJpegHeader", () => {
  it("reads what the library reads, of any size, in colour and grey", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(1 as const, 3 as const),
        async (width, height, components) => {
          const bytes = await photo(width, height, components);
          expect(readJpegHeader(bytes)).toEqual({ width, height, components, process: "baseline" });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("finds the frame behind a thumbnail's frame, comments and fill bytes", async () => {
    const [small, large] = [await photo(5, 4, 3), await photo(60, 40, 3)];
    const segment = (marker: number, content: Uint8Array): Buffer => {
      const head = Buffer.from([0xff, marker, 0, 0]);
      head.writeUInt16BE(content.length + 2, 2);
      return Buffer.concat([head, content]);
    };
    const parts = [
      large.subarray(0, 2),
      segment(0xe1, small),
      Buffer.from([0xff, 0xff]),
      segment(0xfe, Buffer.from("a comment with \xff\xc0 in it", "latin1")),
      large.subarray(2),
    ];
    const bytes = new Uint8Array(Buffer.concat(parts));
    expect(readJpegHeader(bytes)).toEqual({ width: 60, height: 40, components: 3, process: "baseline" });
    const { width, height } = await decodeImage(bytes);
    expect([width, height]).toEqual([60, 40]);
  });

  it("leaves everything else to the library, and never lets a damaged file through", async () => {
    expect(readJpegHeader(new Uint8Array())).toBeUndefined();
    expect(readJpegHeader(Uint8Array.of(0x89, 0x50, 0x4e, 0x47))).toBeUndefined();
    const bytes = await photo(33, 21, 3);
    for (let length = 0; length < 150; length++) {
      const header = readJpegHeader(bytes.subarray(0, length));
      if (header !== undefined) expect(header).toEqual({ width: 33, height: 21, components: 3, process: "baseline" });
      await expect(decodeImage(bytes.slice(0, length))).rejects.toBeInstanceOf(NemosaicError);
    }
    // One byte off: read alike by both, or refused by both; never an image of another size than its header says.
    for (let at = 0; at < Math.min(bytes.length, 700); at += 3) {
      const damaged = bytes.slice();
      damaged[at] = damaged[at]! ^ 0x41;
      const decoded = await decodeImage(damaged).catch((error: unknown) => error);
      if (decoded instanceof Error) expect(decoded).toBeInstanceOf(NemosaicError);
      else {
        const { metadata } = await openImage(damaged, {});
        expect(decoded).toMatchObject({ width: metadata.width, height: metadata.height });
      }
    }
  });
});
