// The grounds of the experiment: which data the arms train on, and where they are tested.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { load, root } from "./build.mjs";

/**
 * A ground: {name, title, pool (trained on), test: {pool, split, predictions}, scenes? (the folder that says what is true of the pictures trained
 * on), profile? (sizes that differ from the usual ones), tower? (a file for train.py, instead of the pretrained one), source? {refer, images}, keepOneIn? (of its images to train on), model? (what mines, where it is not the
 * profile's), truth? (a folder that says what is true of other data's pictures), falseTests? (further tests, of --arms negatives)}. Folders are those of the experiment.
 */
const scenes = {
  name: "scenes",
  title: "Scenes",
  about: "trained and tested on scenes, four in five of which hold objects like the target",
  pool: "pool-train",
  scenes: "train",
  test: { pool: "pool-test", split: "val", predictions: "test" },
};

const lone = {
  ...scenes,
  name: "lone",
  title: "Scenes without similar objects",
  about: "trained on scenes without objects like the target, tested on the same scenes as above",
  pool: "pool-lone",
  scenes: "lone",
};

const lite0 = join(root, "evidence", "lite0.py");

/** `--ground`: scenes, lone, photos and few (of NEMOSAIC_GROUND), or own (--refer, --images, --model). */
export function groundOf(name, { refer, images, model } = {}) {
  if (name === "scenes") return scenes;
  if (name === "lone") return lone;
  if (name === "photos" || name === "few") {
    const folder = process.env.NEMOSAIC_GROUND;
    if (!folder) throw new Error("expected NEMOSAIC_GROUND, the folder that holds photos/: it is not set");
    const found = join(resolve(folder), "photos");
    if (!existsSync(found)) throw new Error(`expected ${found}, which is not there`);
    const own = process.env.NEMOSAIC_MODEL;
    const what = {
      refer: join(found, "refer", "photos"),
      images: join(found, "images"),
      truth: found,
      model: model ?? own,
    };
    if (name === "photos")
      return referGround("photos", "Photographs", "PASCAL VOC's photographs, sentences made from annotations", what);
    const about = "trained on a third of the photographs, by a hash of their names, and tested on the same as above";
    return { ...referGround("few", "Few photographs", about, what), keepOneIn: 3 };
  }
  if (name === "own") {
    if (!refer || !images || !model)
      throw new Error("ground own is your data: expected --refer DIR, --images DIR and --model ID|DIR");
    return referGround("own", "Your data", refer, { refer: resolve(refer), images: resolve(images), model });
  }
  throw new Error(`expected --ground scenes, lone, photos, few or own, got ${name}`);
}

function referGround(name, title, about, { refer, images, model, truth }) {
  if (!model) throw new Error(`ground ${name} needs a model that mines photographs: --model ID|DIR, or NEMOSAIC_MODEL`);
  return {
    name,
    title,
    about,
    pool: `pool-${name}`,
    test: { pool: `pool-${name}`, split: "val", predictions: "val" },
    tower: lite0,
    // ImageNet's tower costs more than ours: a run stays within eight minutes of one core this way.
    profile: { size: 160, steps: 700 },
    source: { refer, images },
    truth,
    model,
  };
}

/** Where the runs of a ground are, in the experiment's folder. */
export function runsOf({ name, falseTests }) {
  if (falseTests !== undefined) return `runs-negatives-${name}`;
  return name === "scenes" ? "runs" : `runs-${name}`;
}

/** The tests of a ground's runs: the usual one, or those of false sentences, which have the true ones too. */
export function testsOf({ test, falseTests }) {
  return falseTests ?? [test];
}

/** {train, test}: images, refs and sentences that a ground is trained and tested on. */
export async function groundCounts(out, { pool, test }) {
  const { Pool } = await load("pool/index.ts");
  const count = async (folder, split) => {
    const opened = await Pool.open(join(out, folder));
    try {
      const rows = Array.from({ length: opened.refs.count }, (_, row) => row).filter(
        (row) => opened.refs.split[row] === split,
      );
      const sentences = rows.reduce((sum, row) => {
        const [start, end] = opened.expressionsOfRef(row);
        return sum + end - start;
      }, 0);
      return { images: new Set(rows.map((row) => opened.refs.image[row])).size, refs: rows.length, sentences };
    } finally {
      await opened.close();
    }
  };
  return { train: await count(pool, "train"), test: await count(test.pool, test.split) };
}
