import { open, stat } from "node:fs/promises";
import pMap from "p-map";
import { decodeImageAtLeast, type ImageSize, imageSize } from "../codecs/index.ts";
import { hashBytes, type Progress } from "../io/index.ts";
import { isShortage, NemosaicError } from "../model/index.ts";
import type { Pool } from "../pool/index.ts";
import { Cases, type Finding, plural } from "./finding.ts";
import { type ImageSketch, sketchImage } from "./perceptual-hash.ts";

export interface ImagesChecked {
  readonly findings: readonly Finding[];
  /** By image row; undefined where the image could not be decoded. Empty after a fast look. */
  readonly sketches: readonly (ImageSketch | undefined)[];
}

/** Bytes that hold the header of almost every image. */
const headerBytes = 64 * 1024;

/** Looks at every image of a pool: there, readable, as large as recorded, unchanged. `fast`: headers and file sizes only. */
export async function checkImages(
  pool: Pool,
  options: { fast: boolean; concurrency: number; progress: Progress },
): Promise<ImagesChecked> {
  const missing = new Cases();
  const unreadable = new Cases();
  const resized = new Cases();
  const changed = new Cases();
  const turned = new Cases();
  const task = options.progress.begin(
    options.fast ? "look at image headers" : "decode images",
    pool.images.count,
    "images",
  );
  const look = async (row: number): Promise<ImageSketch | undefined> => {
    task.advance();
    const name = pool.imageName(row);
    try {
      const { size, hasChanged, sketch } = options.fast ? await headerOf(pool, row) : await contentOf(pool, row);
      const [width, height] = [pool.images.width[row], pool.images.height[row]];
      if (size.width !== width || size.height !== height) {
        resized.add(() => `${name}: recorded as ${width}×${height}, is ${size.width}×${size.height}`);
      } else if (hasChanged) changed.add(() => name);
      if (size.orientation !== 1) turned.add(() => `${name}: orientation ${size.orientation}`);
      return sketch;
    } catch (error) {
      if (isShortage(error) || (!(error instanceof NemosaicError) && !isSystemError(error))) throw error;
      const cases = isMissing(error) ? missing : unreadable;
      cases.add(() => `${name}: ${(error as Error).message}`);
      return undefined;
    }
  };
  try {
    const sketches = await pMap(
      Array.from({ length: pool.images.count }, (_, row) => row),
      look,
      { concurrency: options.concurrency },
    );
    const findings = [
      ...missing.finding(
        "error",
        "image-missing",
        (n) => `${plural(n, "image")} missing`,
        "put the files back where the pool found them (roots in pool.json), or import again with --images",
      ),
      ...unreadable.finding(
        "error",
        "image-unreadable",
        (n) => `${plural(n, "image")} cannot be decoded`,
        "download or copy these files again; training passes over their samples",
      ),
      ...resized.finding(
        "error",
        "image-resized",
        (n) => `${plural(n, "image")} of another size than recorded: masks do not fit`,
        "restore the original files; masks belong to them",
      ),
      ...changed.finding(
        "error",
        "image-changed",
        (n) => `${plural(n, "image")} with other content than when imported`,
        "restore the original files, or import again with --force",
      ),
      ...turned.finding(
        "warning",
        "image-orientation",
        (n) =>
          `${plural(n, "image")} with an EXIF orientation: viewers and OpenCV rotate them, but masks fit the pixels as stored`,
        "nothing to do inside nemosaic, which never rotates images; elsewhere strip the tag (exiftool -Orientation= FILE)",
      ),
    ];
    return { findings, sketches: options.fast ? [] : sketches };
  } finally {
    task.end();
  }
}

interface Looked {
  readonly size: ImageSize;
  readonly hasChanged: boolean;
  readonly sketch: ImageSketch | undefined;
}

async function contentOf(pool: Pool, row: number): Promise<Looked> {
  const bytes = await pool.imageBytes(row);
  const where = pool.imageName(row);
  const size = await imageSize(bytes, { where });
  const small = await decodeImageAtLeast(bytes, 32, 32, { where });
  return { size, hasChanged: hashBytes(bytes) !== pool.images.hash[row], sketch: sketchImage(small) };
}

async function headerOf(pool: Pool, row: number): Promise<Looked> {
  const path = await pool.imagePath(row);
  const where = pool.imageName(row);
  if (path === undefined)
    return { size: await imageSize(await pool.imageBytes(row), { where }), hasChanged: false, sketch: undefined };
  const info = await stat(path);
  const head = new Uint8Array(Math.min(headerBytes, info.size));
  const handle = await open(path, "r");
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  // Where the header is longer than its usual place, the whole file tells.
  const size = await imageSize(head, { where }).catch(async () => imageSize(await pool.imageBytes(row), { where }));
  return { size, hasChanged: BigInt(info.size) !== pool.images.bytes[row], sketch: undefined };
}

function isMissing(error: unknown): boolean {
  return error instanceof NemosaicError
    ? error.code === "not-found"
    : (error as NodeJS.ErrnoException).code === "ENOENT";
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === "string";
}
