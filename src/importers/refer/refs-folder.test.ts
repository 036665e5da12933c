import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allRecords, expectOneError, freshFolder } from "../importer.contract.ts";
import { findImporter } from "../registry.ts";
import { cocoName, instances, makeRefer, pickleValue, put, putImages, twoRefs } from "../sample-datasets.contract.ts";

const folder = freshFolder();

describe("the REFER importer's folder", () => {
  it("takes the parent together with --dataset, and lists what is there otherwise", async () => {
    const options = makeRefer(folder());
    put(folder(), "refcoco+/refs(unc).p", pickleValue(twoRefs));
    put(folder(), "refcoco+/instances.json", instances());
    const parent = { source: folder(), ...(options.images === undefined ? {} : { images: options.images }) };
    expect((await findImporter("refer").open({ ...parent, dataset: "refcoco+" })).name).toBe("refcoco+-unc");
    await expectOneError(
      () => findImporter("refer").open(parent),
      "usage",
      /refcoco, refcoco\+; choose one with --dataset/,
    );
    await expectOneError(
      () => findImporter("refer").open({ ...parent, dataset: "refcocog" }),
      "usage",
      /Did you mean "refcoco\+?"/,
    );
  });

  it("asks for --split-by where several refs files are there", async () => {
    const options = makeRefer(folder());
    put(folder(), "refcoco/refs(google).p", pickleValue(twoRefs));
    await expectOneError(
      () => findImporter("refer").open(options),
      "usage",
      /refs\(google\)\.p, refs\(unc\)\.p; choose one with --split-by google\|unc/,
    );
    const google = await findImporter("refer").open({ ...options, splitBy: "google" });
    expect(google.name).toBe("refcoco-google");
    expect(google.warnings.join()).toMatch(/share images/);
    await expectOneError(
      () => findImporter("refer").open({ ...options, splitBy: "umd" }),
      "usage",
      /"umd".*google, unc/,
    );
  });

  it("reads the pickle where the same splitting lies beside it as JSON, and says so", async () => {
    const options = makeRefer(folder());
    put(folder(), "refcoco/refs(unc).json", JSON.stringify([]));
    const source = await findImporter("refer").open(options);
    expect(source.files[0]?.path).toMatch(/refs\(unc\)\.p$/);
    expect(source.warnings).toEqual(['"refs(unc).json" is beside "refs(unc).p" and is not read']);
    const named = await allRecords({ ...options, source: join(folder(), "refcoco/refs(unc).json") }, "refer");
    expect(named.filter((record) => record.type === "ref")).toEqual([]);
  });

  it("says of refcocog by google that its test split was never released", async () => {
    put(folder(), "refcocog/refs(google).p", pickleValue(twoRefs));
    put(folder(), "refcocog/instances.json", instances());
    putImages(join(folder(), "images/mscoco/images/train2014"));
    const source = await findImporter("refer").open({ source: join(folder(), "refcocog") });
    expect(source.warnings.join()).toMatch(/never released/);
    expect(Object.keys(source.counts ?? {})).toEqual(["train", "val"]);
    expect(source.imagesFolder).toMatch(/images\/mscoco\/images\/train2014$/);
  });

  it("says which file is missing", async () => {
    put(folder(), "refcoco/refs(unc).p", pickleValue(twoRefs));
    await expectOneError(
      () => findImporter("refer").open({ source: join(folder(), "refcoco") }),
      "not-found",
      /instances\.json/,
    );
    mkdirSync(join(folder(), "empty"));
    await expectOneError(
      () => findImporter("refer").open({ source: join(folder(), "empty") }),
      "not-found",
      /refs\(unc\)\.p/,
    );
  });

  it("lists where it looked for images, and warns where the named folder does not hold them", async () => {
    put(folder(), "refcoco/refs(unc).p", pickleValue(twoRefs));
    put(folder(), "refcoco/instances.json", instances());
    const source = join(folder(), "refcoco");
    await expectOneError(
      () => findImporter("refer").open({ source }),
      "not-found",
      /images\/train2014.*name the folder with --images/,
    );
    mkdirSync(join(folder(), "elsewhere"));
    const opened = await findImporter("refer").open({ source, images: join(folder(), "elsewhere") });
    expect(opened.warnings.join()).toMatch(/check --images/);
    putImages(join(folder(), "coco/train2014"));
    const inner = await findImporter("refer").open({ source, images: join(folder(), "coco") });
    expect(inner.imagesFolder).toBe(join(folder(), "coco"));
    expect((await allRecords({ source, images: join(folder(), "coco") }, "refer"))[0]).toMatchObject({
      file: `train2014/${cocoName(11)}`,
    });
    putImages(join(folder(), "mscoco/images/mscoco/images/train2014"));
    const deep = await findImporter("refer").open({ source, images: join(folder(), "mscoco") });
    expect(deep.imagesFolder).toBe(join(folder(), "mscoco/images/mscoco/images/train2014"));
    expect(deep.warnings.join()).toMatch(/images are read from/);
  });

  it("refuses a pickle that could run code before it streams anything", async () => {
    const options = makeRefer(folder());
    put(folder(), "refcoco/refs(unc).p", "cos\nsystem\n(S'true'\ntR.");
    await expectOneError(() => allRecords(options, "refer"), "refused", /refs\(unc\)\.p/);
  });
});
