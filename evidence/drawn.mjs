// What each arm is given to learn from: how many mosaics, how many of them contradict their expression.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { load } from "./build.mjs";

/**
 * For each arm, of `samples` planned training samples: the share that are mosaics; and of these, the share whose target
 * lies in a cell that makes a position word of its expression false ("moved"), and the share in which a negative's image
 * is true of the expression by itself ("rival").
 */
export async function countDrawn(out, arms, { samples, size }, ground) {
  const { Pool } = await load("pool/index.ts");
  const { Loader } = await load("loader/index.ts");
  const { allowedCells } = await load("language/index.ts");
  const { holds } = await load("scenes/index.ts");
  const { parseSettings } = await load("settings/index.ts");
  const pool = await Pool.open(join(out, ground.pool));
  try {
    const scenes = new Map();
    const hashes = new Map(pool.images.path.map((path, row) => [basename(path), pool.images.hash[row]]));
    // Of other data it is not known what else the sentences are true of.
    const lines = ground.scenes === undefined ? "" : await readFile(join(out, ground.scenes, "scenes.jsonl"), "utf8");
    for (const line of lines.split("\n").filter((text) => text !== "")) {
      const { file_name, scene } = JSON.parse(line);
      scenes.set(hashes.get(basename(file_name)), scene);
    }
    const counted = [];
    for (const { name, augment, settings } of arms) {
      const preset = augment === "reference" ? "nemo-reference" : augment;
      const loader = await Loader.open(pool, parseSettings({ preset, ...settings, size }, "evidence"), {
        tiles: "off",
      });
      try {
        counted.push({ arm: name, ...countPlans(loader, samples) });
      } finally {
        await loader.close();
      }
    }
    return counted;

    function countPlans(loader, wanted) {
      let [planned, mosaics, moved, rival] = [0, 0, 0, 0];
      for (; planned < wanted; planned++) {
        const plan = loader.plan(Math.floor(planned / loader.length), planned % loader.length);
        if (plan.kind === "single") continue;
        mosaics++;
        const others = plan.layers.filter(({ role }) => role === "negative");
        if (scenes.size > 0 && others.some(({ image }) => holds(plan.text, scenes.get(image)).length > 0)) rival++;
        // A patch (CutMix) or a blend (MixGen) leaves the target where it was.
        if (plan.layers.length !== 4 || plan.version !== 1) continue;
        const [x, y] = plan.layers.find(({ role }) => role === "target").destination;
        const cell = (x > 0 ? 1 : 0) + (y > 0 ? 2 : 0);
        if (!allowedCells(plan.text, 2, 2).includes(cell)) moved++;
      }
      const share = (count) => (mosaics === 0 ? 0 : Math.round((10000 * count) / mosaics) / 10000);
      return { planned, mosaics, moved: share(moved), ...(scenes.size > 0 ? { rival: share(rival) } : {}) };
    }
  } finally {
    await pool.close();
  }
}
