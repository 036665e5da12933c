import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeImage, encodePng, readTable } from "../../src/codecs/index.ts";
import { tableBytes } from "../../src/codecs/parquet/table-bytes.contract.ts";
import { findImporter } from "../../src/importers/index.ts";
import { insidePath, silentProgress } from "../../src/io/index.ts";
import { importPool, Pool } from "../../src/pool/index.ts";
import { scratchFolder } from "../small-pool.ts";
import { expectClear } from "./fuzz.ts";

let folder: string;
let images: string;

beforeAll(async () => {
  folder = await scratchFolder();
  images = join(folder, "images");
  await mkdir(images);
  await writeFile(
    join(images, "1.png"),
    await encodePng({ width: 4, height: 4, channels: 3, data: new Uint8Array(48) }),
  );
  await writeFile(join(folder, "secret.png"), "secret");
});

async function refusal(operation: () => Promise<unknown>): Promise<string> {
  const error = await operation().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expectClear(error, {});
  return (error as Error).message;
}

async function imported(lines: readonly object[], name: string): Promise<Pool> {
  const path = join(folder, `${name}.jsonl`);
  await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const source = await findImporter("jsonl").open({ source: path, images });
  await importPool(join(folder, name), source, { onBad: "fail", pack: false, force: false, progress: silentProgress });
  return Pool.open(join(folder, name));
}

const line = { image: "1.png", expressions: ["a box"], split: "train", segmentation: [[0, 0, 3, 0, 3, 3]] };

describe("hostile input, by name", () => {
  it("an image of 30,000 × 30,000 pixels is refused by its header, before memory is taken", async () => {
    const before = process.memoryUsage.rss();
    expect(await refusal(() => decodeImage(pngOf(30_000, 30_000), { where: "huge.png" }))).toMatch(
      /huge.png.*30000 x 30000/,
    );
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  });

  it("a strip of 30,000 × 2 pixels is an image like others", async () => {
    expect(await decodeImage(pngOf(30_000, 2, true))).toMatchObject({ width: 30_000, height: 2 });
  });

  it("a PNG that unpacks to a gigabyte behind a small header is refused or decoded at its stated size", async () => {
    const bomb = pngOf(10, 10, true, 50_000_000);
    const before = process.memoryUsage.rss();
    await decodeImage(bomb, { where: "bomb.png" }).then(
      (image) => expect(image.data.length).toBe(300),
      (error: unknown) => expectClear(error, { place: "bomb.png" }),
    );
    expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
  });

  it("a Parquet page that claims to unpack to two gigabytes is refused by its header", async () => {
    const path = join(folder, "bomb.parquet");
    const values = Array.from({ length: 3000 }, (_, row) => `value ${row}`);
    const sound = await tableBytes([{ name: "text", type: "string", values }], { compression: "snappy" });
    await writeFile(path, sound);
    expect((await readTable(path)).rows).toBe(3000);
    // The first page's header: field 1 (type), field 2 (size, a zigzag varint), field 3.
    let tried = 0;
    for (let at = 4; at < 40; at++) {
      const bytes = Buffer.concat([
        sound.subarray(0, at),
        Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]),
        sound.subarray(at + 5),
      ]);
      await writeFile(path, bytes);
      const before = process.memoryUsage.rss();
      await readTable(path).catch((error: unknown) => {
        tried++;
        expectClear(error, { place: "bomb.parquet" });
      });
      expect(process.memoryUsage.rss() - before).toBeLessThan(500e6);
    }
    expect(tried).toBeGreaterThan(5);
  });

  it.each(["../secret.png", "/etc/passwd", "a/../../secret.png", "..", ".", "", "1.png\0.jpg", "\0"])(
    "the image name %j does not leave the images folder",
    async (image) => {
      const name = `name-${Buffer.from(image).toString("hex")}`;
      expect(await refusal(() => imported([{ ...line, image }], name))).toMatch(/jsonl|leaves the folder/);
      expect(await refusal(() => insidePath(images, image))).not.toMatch(/ENOENT|EISDIR/);
    },
  );

  it("a link that leaves the images folder is refused, one inside it is followed", async () => {
    await symlink(join(folder, "secret.png"), join(images, "out.png"));
    await symlink("1.png", join(images, "in.png"));
    await symlink("loop.png", join(images, "loop.png"));
    expect(await refusal(() => imported([{ ...line, image: "out.png" }], "link-out"))).toMatch(
      /link that leaves|out.png/,
    );
    expect(await refusal(() => imported([{ ...line, image: "loop.png" }], "link-loop"))).toMatch(/loop.png/);
    const pool = await imported([{ ...line, image: "in.png" }], "link-in");
    expect((await pool.imageBytes(0)).length).toBeGreaterThan(50);
    await pool.close();
  });

  it("an image's name that is a folder, a pool file that is a folder, and a folder of images that is gone are named", async () => {
    await mkdir(join(images, "dir.png"));
    expect(await refusal(() => imported([{ ...line, image: "dir.png" }], "image-folder"))).toMatch(/dir.png/);
    await mkdir(join(folder, "table.parquet"));
    expect(await refusal(() => readTable(join(folder, "table.parquet")))).toMatch(/table.parquet.*got a folder/);
    expect(await refusal(() => insidePath(join(folder, "gone"), "1.png"))).toMatch(/gone.*found nothing there/);
  });

  it("names in any script, composed or not, right to left or with emoji, stay as they are", async () => {
    const names = ["é.png", "e\u0301.png", "図 1.png", "\u202egnp.exe.png", "🦊 [1].png", "a'b\"c$(x).png"];
    const bytes = await readFile(join(images, "1.png"));
    for (const [at, name] of names.entries())
      await writeFile(join(images, name), Buffer.concat([bytes, Buffer.from([at])]));
    const pool = await imported(
      names.map((image) => ({ ...line, image, expressions: [`a ${image}`] })),
      "names",
    );
    expect([...pool.images.path].sort()).toEqual([...names].sort());
    for (let row = 0; row < names.length; row++) expect((await pool.imageBytes(row)).length).toBe(bytes.length + 1);
    await pool.close();
  });

  it("ids beyond 2^31 stay exact; ids beyond 2^53, which JSON has rounded, are refused; as text they stay", async () => {
    const pool = await imported(
      [
        { ...line, ref_id: 2 ** 31 + 1 },
        { ...line, ref_id: 2 ** 53 - 1 },
        { ...line, ref_id: "9007199254740993" },
      ],
      "ids",
    );
    expect([...pool.refs.id]).toEqual(["2147483649", "9007199254740991", "9007199254740993"]);
    expect(pool.expressionRow(pool.expressionKey(2))).toBe(2);
    await pool.close();
    const path = join(folder, "rounded.jsonl");
    await writeFile(path, `${JSON.stringify(line).replace("{", '{"ref_id": 9007199254740993, ')}\n`);
    const source = await findImporter("jsonl").open({ source: path, images });
    const options = { onBad: "fail" as const, pack: false, force: false, progress: silentProgress };
    expect(await refusal(() => importPool(join(folder, "rounded"), source, options))).toMatch(
      /rounded.jsonl, line 1: expected "ref_id"/,
    );
  });
});

/** A PNG that states a size; with `filled`, black pixels follow (or `bytes` of zeros), else next to nothing. */
function pngOf(width: number, height: number, filled = false, bytes = (width * 3 + 1) * height): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc(filled ? bytes : 10));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  let crc = -1;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  out.set(body, 4);
  out.writeInt32BE(~crc, body.length + 4);
  return out;
}
