import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe } from "vitest";
import { encodePickle } from "../../src/codecs/index.ts";
import { findImporter } from "../../src/importers/index.ts";
import { silentProgress } from "../../src/io/index.ts";
import { importPool } from "../../src/pool/index.ts";
import { scratchFolder } from "../small-pool.ts";
import { writeSmallRefer } from "../small-refer.ts";
import { fuzz, placed } from "./fuzz.ts";
import { garbledTree } from "./garble.ts";

let folder: string;

beforeAll(async () => {
  folder = await scratchFolder();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a dataset with hostile values is imported but for its bad records, or refused with one clear line", () => {
  let refer: string;
  let images: string;
  let refs: unknown;
  let instances: unknown;
  beforeAll(async () => {
    ({ refer, images } = await writeSmallRefer(join(folder, "small"), 3));
    instances = JSON.parse(await readFile(join(refer, "instances.json"), "utf8"));
    refs = [1, 2, 3].map((id) => ({
      ref_id: id,
      ann_id: id * 10,
      image_id: id,
      category_id: 1,
      file_name: `${id}_${id}.jpg`,
      split: "train",
      sent_ids: [id * 2],
      sentences: [{ sent: "red box", raw: "Red box", tokens: ["red", "box"], sent_id: id * 2 }],
    }));
  });
  const freshPool = async (): Promise<string> => {
    const place = join(folder, "fresh-pool");
    await rm(place, { recursive: true, force: true });
    return place;
  };
  const importAll = async (onBad: "fail" | "skip"): Promise<void> => {
    const source = await findImporter("refer").open({ source: refer, images });
    await importPool(await freshPool(), source, {
      onBad,
      pack: false,
      force: false,
      progress: silentProgress,
    });
  };

  fuzz(
    "REFER",
    () => fc.tuple(garbledTree([{ refs, instances }]), fc.constantFrom("fail" as const, "skip" as const)),
    async ([tree, onBad]) => {
      const { refs: garbledRefs = refs, instances: garbledInstances = instances } = (tree ?? {}) as {
        refs?: unknown;
        instances?: unknown;
      };
      await writeFile(join(refer, "refs(unc).p"), encodePickle(picklable(garbledRefs) as never, { protocol: 2 }));
      await writeFile(join(refer, "instances.json"), JSON.stringify(garbledInstances) ?? "null");
      await importAll(onBad);
    },
  );

  const line = {
    image: "1.jpg",
    expressions: ["red box", { sent: "the thing", raw: "The thing", id: 2 ** 31 }],
    split: "train",
    segmentation: [[1, 1, 20, 1, 20, 20]],
    bbox: [1, 1, 19, 19],
    category: "box",
    objects: [{ category: "box", segmentation: [[2, 2, 9, 2, 9, 9]], bbox: [2, 2, 7, 7] }],
  };
  fuzz(
    "JSON lines",
    () =>
      fc.tuple(
        garbledTree([[line, { ...line, ref_id: "b", segmentation: null, bbox: undefined }]]),
        fc.constantFrom("fail" as const, "skip" as const),
      ),
    async ([tree, onBad]) => {
      const lines = Array.isArray(tree) ? tree : [tree];
      const path = placed(folder, "own.jsonl", lines.map((one) => `${JSON.stringify(one)}\n`).join(""));
      const source = await findImporter("jsonl").open({ source: path, images });
      await importPool(await freshPool(), source, {
        onBad,
        pack: false,
        force: false,
        progress: silentProgress,
      });
    },
  );
});

/** The tree without what a pickle of the reference's kind cannot say. */
function picklable(tree: unknown): unknown {
  return JSON.parse(
    JSON.stringify(tree, (_key, value: unknown) =>
      typeof value === "string" ? value.replace(/[\ud800-\udfff]/g, "?") : value,
    ) ?? "null",
  );
}
