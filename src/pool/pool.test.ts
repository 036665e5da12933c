import { mkdir, readdir, readFile, rename, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scratchFolder, smallPool, smallSource } from "../../test/small-pool.ts";
import { silentProgress } from "../io/index.ts";
import { rleArea, rleFromPolygon } from "../kernels/index.ts";
import { importPool, Pool, readMeasures, relocatePool } from "./index.ts";
import { readRows, writeTables } from "./tables.ts";

const options = { onBad: "fail", pack: false, force: false, progress: silentProgress } as const;

describe("pool", () => {
  it("keeps every record, linked by row and by stable key", async () => {
    const pool = await smallPool({ images: 6, refsPerImage: 2, valImages: 1 });
    expect([pool.images.count, pool.annotations.count, pool.refs.count, pool.expressions.count]).toEqual([
      6, 12, 12, 24,
    ]);
    const row = pool.expressionRow("small/r3-1/3-1b");
    expect(pool.expressions.sent[row]).toBe("thing 3-1 b");
    expect(pool.expressions.raw[row]).toBe("Thing 3-1 b");
    const ref = pool.expressions.ref[row]!;
    expect(pool.imageName(pool.refs.image[ref]!)).toBe("3.png");
    const [target] = pool.targetsOfRef(ref);
    expect(pool.annotationKey(target!)).toBe("small/a3-1");
    expect(pool.annotationRow("small/a3-1")).toBe(target);
    expect(Array.from(pool.annotationsOfImage(pool.refs.image[ref]!))).toHaveLength(2);
    expect(pool.imageRow(pool.images.hash[4]!)).toBe(4);
    expect(() => pool.expressionRow("small/none/0")).toThrow(/expected an expression/);
    const mask = pool.mask(pool.refs.image[ref]!, [target!]);
    const [width, height] = [pool.images.width[3]!, pool.images.height[3]!];
    expect(rleArea(mask)).toBe(rleArea(rleFromPolygon([8, 7, 20, 8, 19.5, 17, 9, 16.25], height, width)));
    expect((await readMeasures(pool)).box(0)).toBeNull();
    await pool.close();
  });

  it("reads images through links that leave their folder where it was imported with followLinks", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 3 });
    const [links, place] = [join(folder, "links"), join(folder, "pool")];
    await mkdir(links);
    for (const name of await readdir(source.imagesFolder))
      await symlink(join(source.imagesFolder, name), join(links, name));
    const linked = { ...source, imagesFolder: links };
    await expect(importPool(place, linked, options)).rejects.toThrow(/link that leaves.*--follow-links/);
    const { manifest } = await importPool(place, linked, { ...options, followLinks: true });
    expect(manifest.linkedRoots).toEqual([0]);
    const pool = await Pool.open(place);
    expect((await pool.imageBytes(0)).length).toBeGreaterThan(0);
    await pool.close();
  });

  it("is told where its images lie now, after each was compared", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 3 });
    const [place, moved] = [join(folder, "pool"), join(folder, "elsewhere", "pictures")];
    await importPool(place, source, options);
    const before = await readFile(join(place, "images.parquet"));
    await mkdir(join(folder, "elsewhere"));
    await rename(source.imagesFolder, moved);
    const moving = await Pool.open(place);
    await expect(moving.imageBytes(2)).rejects.toThrow(
      /^expected the folder ".*images", found nothing there; if the images are elsewhere now, run "nemosaic relocate" with --images$/,
    );
    await moving.close();
    const relocated = (images: string): Promise<unknown> => relocatePool(place, { images, progress: silentProgress });
    await expect(relocated(folder)).rejects.toThrow(
      /expected "0\.png".*3 of 3 images are not there, nothing was changed/,
    );
    expect(await relocated(moved)).toMatchObject({ from: "../images", to: "../elsewhere/pictures", images: 3 });
    expect(await readFile(join(place, "images.parquet"))).toEqual(before);
    const pool = await Pool.open(place);
    expect((await pool.imageBytes(2)).length).toBeGreaterThan(0);
    await pool.close();
    await writeFile(join(moved, "1.png"), "another picture");
    await expect(relocated(moved)).rejects.toThrow(/"1\.png".*other content.*1 of 3 images/);
  });

  it("finds its images through links, by whichever way it was imported or is opened", async () => {
    const folder = await scratchFolder();
    const source = await smallSource(folder, { images: 2, valImages: 0 });
    await mkdir(join(folder, "deep/er"), { recursive: true });
    await symlink(join(folder, "deep/er"), join(folder, "link"));
    await symlink(folder, join(folder, "deep/back"));
    await importPool(join(folder, "link/pool"), source, options);
    await importPool(
      join(folder, "deep/er/other"),
      { ...source, imagesFolder: join(folder, "deep/back/images") },
      options,
    );
    for (const way of ["link/pool", "deep/er/pool", "link/other", "deep/back/link/other"]) {
      const pool = await Pool.open(join(folder, way));
      expect(pool.manifest.roots).toEqual(["../../../images"]);
      expect((await pool.imageBytes(1)).length).toBeGreaterThan(100);
      await pool.close();
    }
    const again = await importPool(join(folder, "deep/er/pool"), source, options);
    expect(again.reused).toBe(true);
  });

  it("reads its rows back and writes them to the same bytes, masks, boxes and lists among them", async () => {
    const pool = await smallPool();
    await pool.close();
    const rows = await readRows(pool.folder);
    rows.annotations.splice(1, 1, { ...rows.annotations[1]!, area: 2.5, x: 1, y: 0.25, boxWidth: 3, boxHeight: 4 });
    const [first, second] = [join(pool.folder, "first"), join(pool.folder, "second")];
    const facts = await writeTables(first, rows);
    expect(await readRows(first)).toEqual(rows);
    expect(await writeTables(second, await readRows(first))).toEqual(facts);
    const { images, refs, expressions } = pool.manifest.tables;
    expect(facts).toMatchObject({ images, refs, expressions });
    expect(rows.refs[0]).toEqual({ source: "small", id: "r0-0", image: 0, annotations: [0], split: "train" });
  });

  it("names what is damaged", async () => {
    const pool = await smallPool();
    await pool.close();
    const path = join(pool.folder, "refs.parquet");
    await truncate(path, 100);
    await expect(Pool.open(pool.folder)).rejects.toThrow(/expected \d+ bytes in ".*refs\.parquet", got 100/);
    const sound = JSON.parse(await readFile(join(pool.folder, "pool.json"), "utf8"));
    for (const [version, advice] of [
      [7, 'upgrade nemosaic to read it, or import the datasets again, with "nemosaic import" into another folder'],
      [0, "import the datasets again"],
    ] as const) {
      await writeFile(join(pool.folder, "pool.json"), JSON.stringify({ ...sound, version, tables: "of another kind" }));
      await expect(Pool.open(pool.folder)).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(
          `expected version 1 of nemosaic-pool in ".*pool.json", got ${version}, written by "nemosaic [^"]*"; ${advice}`,
        ),
      });
    }
    await writeFile(join(pool.folder, "pool.json"), '{"format": "other"}');
    await expect(Pool.open(pool.folder)).rejects.toThrow(/expected format "nemosaic-pool" in .*, got "other"/);
    await writeFile(join(pool.folder, "pool.json"), "{");
    await expect(Pool.open(pool.folder)).rejects.toThrow(/expected JSON in/);
    await expect(Pool.open(join(pool.folder, "nowhere"))).rejects.toThrow(/expected a pool in .*nemosaic import/);
  });
});
