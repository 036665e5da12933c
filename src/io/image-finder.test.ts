import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ImageFinder } from "./image-finder.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "finder-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), "x");
  }
}

const find = async (name: string): Promise<[file: string, how: string | undefined]> => {
  const { file, how } = await new ImageFinder(folder).find(name);
  return [file, how];
};

describe("ImageFinder", () => {
  it("takes the name itself where it is there, whatever else is", async () => {
    put("a.jpg", "A.jpg", "a\\b.jpg", "a/b.jpg");
    expect(await find("a.jpg")).toEqual(["a.jpg", undefined]);
    expect(await find("a\\b.jpg")).toEqual(["a\\b.jpg", undefined]);
  });

  it("finds COCO's images under their names in other releases, in the usual folders", async () => {
    put("000000000009.jpg", "val2017/000000000010.jpg", "train2017/000000000012.jpg", "COCO_val2014_000000000011.jpg");
    const how = "under its name in another release of COCO";
    expect(await find("COCO_train2014_000000000009.jpg")).toEqual(["000000000009.jpg", how]);
    expect(await find("COCO_train2014_000000000010.jpg")).toEqual(["val2017/000000000010.jpg", how]);
    expect(await find("train2014/COCO_train2014_000000000012.jpg")).toEqual(["train2017/000000000012.jpg", how]);
    expect(await find("000000000011.jpg")).toEqual(["COCO_val2014_000000000011.jpg", how]);
  });

  it("finds names in another Unicode form, in other case, and with backslashes", async () => {
    const [nfc, nfd] = ["caf\u00e9.jpg", "cafe\u0301.jpg"];
    put(nfd, "B.JPG", "c/d.jpg", "Images/E.png");
    expect(await find(nfc)).toEqual([nfd, "in another Unicode form (NFC, NFD)"]);
    expect(await find("b.jpg")).toEqual(["B.JPG", "in other upper and lower case"]);
    expect(await find("c\\d.jpg")).toEqual(["c/d.jpg", 'with "/" in place of "\\"']);
    expect(await find("images\\e.PNG")).toEqual(["Images/E.png", "in other upper and lower case"]);
  });

  it("guesses between none: of two that fit it names both, and of another ending it says what is there", async () => {
    put("a.JPG", "A.jpg", "b.png");
    await expect(find("a.jpg")).rejects.toThrow(
      /expected a file "a\.jpg".*"A\.jpg", "a\.JPG" are there|"a\.JPG", "A\.jpg" are there/,
    );
    await expect(find("b.jpg")).rejects.toThrow(/"b\.png" is there: correct the name/);
    await expect(find("c.jpg")).rejects.toThrow(/found nothing there$/);
  });

  it("follows links out of the folder only where it is told to, and never a name", async () => {
    put("data/blobs/1f");
    mkdirSync(join(folder, "cache"));
    symlinkSync("../data/blobs/1f", join(folder, "cache/a.jpg"));
    const cache = join(folder, "cache");
    await expect(new ImageFinder(cache).find("a.jpg")).rejects.toThrow(/a link that leaves .*--follow-links/);
    expect((await new ImageFinder(cache, true).find("a.jpg")).path).toMatch(/blobs\/1f$/);
    await expect(new ImageFinder(cache, true).find("../data/blobs/1f")).rejects.toThrow(/leaves the folder/);
  });
});
